"""A site that is away for hours, under maintenance or wrongly set up: all goes on by itself when it is back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from tests.moodle.changes import Released, Replaced
from tests.moodle.faults import World, different, finish
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.calls import Call
from tests.moodle.stories import ListedPeople, SessionBought, SpaceBought, Story

pytestmark = pytest.mark.django_db(transaction=True)

HOURS = 5
STORIES = [ListedPeople, SessionBought, SpaceBought]


def leaves_at(peer: MoodlePeer, number: int) -> Callable[[Call], bool]:
    """The server goes away while it is at the call of this number: what was asked is done, and nobody hears of it."""

    def struck(call: Call) -> bool:
        if call.number == number:
            peer.go_away()
        return False

    return struck


@pytest.mark.parametrize("make", [*STORIES, Released, Replaced])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_hours_of_absence_that_begin_in_the_middle_cost_nothing_but_time(
    world: World, make: type[Story], share: float
) -> None:
    expected, calls = world.faultless(make)
    story = make(world.peer)
    world.peer.forget_calls()
    world.peer.faults.add(leaves_at(world.peer, 1 + round(share * (calls - 1))), "timeout_after")
    world.absent(story, HOURS)
    world.peer.come_back()
    world.peer.faults.clear()
    finish(story, world.clock)
    assert different(expected, story.end_state()) == []


def maintenance(site: Site) -> Callable[[], None]:
    site.maintenance(True)
    return lambda: site.maintenance(False)


def policy(site: Site) -> Callable[[], None]:
    site.set_policy()
    return lambda: site.set_policy(on=False)


def another_token(site: Site) -> Callable[[], None]:
    token, site.token = site.token, "another"

    def repair() -> None:
        site.token = token

    return repair


def no_enrolling(site: Site) -> Callable[[], None]:
    site.remove_function("enrol_manual_enrol_users")
    return lambda: site.add_function("enrol_manual_enrol_users")


def no_right_to_look(site: Site) -> Callable[[], None]:
    site.remove_capability("moodle/course:enrolreview")
    return lambda: site.add_capability("moodle/course:enrolreview")


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (Replaced, policy),
        *product(STORIES, [maintenance, policy, another_token, no_enrolling]),
        (ListedPeople, no_right_to_look),
        (SessionBought, no_right_to_look),
    ],
)
def test_what_an_administrator_repairs_hours_later_goes_on_by_itself(
    world: World, make: type[Story], wrong: Callable[[Site], Callable[[], None]]
) -> None:
    expected, _calls = world.faultless(make)
    story = make(world.peer)
    repair = wrong(story.site)
    world.absent(story, HOURS)
    repair()
    finish(story, world.clock)
    assert different(expected, story.end_state()) == []
