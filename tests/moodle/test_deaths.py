"""A worker that dies between any two calls to the site: whoever takes over ends the story as if nothing had happened.

It is killed when a call has left and nobody has read the answer, and when the answer is there and nothing was made of
it. Nobody rolls back, and nobody gives back the site or the work: both are free when their time is over.
"""

from __future__ import annotations

from functools import partial
from threading import Event

import pytest

from tests.concurrency.killing import calls, count_steps, run_killed
from tests.moodle.changes import Released, Replaced
from tests.moodle.faults import World, different, finish
from tests.moodle.peer import MoodlePeer
from tests.moodle.stories import ListedPeople, SessionBought, SpaceBought, Story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PARTS = 2  # so that several processes can share the walk
PATIENCE = 500  # looks, a fiftieth of a second apart


def settle(peer: MoodlePeer, before: set[object]) -> None:
    """Wait until the site is done with what the dead have asked: it does not hear of their death any earlier."""
    for _look in range(PATIENCE):
        with peer.lock:
            left = set(peer._open) - before
        if not left:
            return
        Event().wait(0.02)
    raise AssertionError("the site does not end the calls of the dead")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("make", [ListedPeople, SessionBought, SpaceBought, Released, Replaced])
def test_killed_at_any_call_and_taken_over_the_end_is_the_same(
    world: World, make: type[Story], part: int
) -> None:
    expected, number = world.faultless(make)
    whole = make(world.peer)
    total = count_steps(partial(finish, whole, world.clock), of=calls)
    assert different(expected, whole.end_state()) == []
    assert total == 2 * number
    failures = []
    for step in range(1 + part, total + 1, PARTS):
        story = make(world.peer)
        before: set[object] = set(world.peer._open)
        assert run_killed(partial(finish, story, world.clock), after=step, of=calls), step
        settle(world.peer, before)
        world.clock.later()
        try:
            finish(story, world.clock)
        except AssertionError as error:
            failures.append(f"killed after step {step} of {total}: {error}")
        failures += [
            f"killed after step {step} of {total}: {text}" for text in different(expected, story.end_state())
        ]
    assert not failures, "\n".join(failures)
