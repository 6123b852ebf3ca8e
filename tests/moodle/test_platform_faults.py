"""Every call of a story goes wrong in every way: the end is the one that it has when nothing goes wrong."""

from __future__ import annotations

from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest

from courses.moodle.platform import MoodlePlatform
from courses.platform import PlatformAway
from tests.concurrency.killing import count_steps, run_killed
from tests.moodle.peer import Kind, MoodlePeer
from tests.moodle.site import SECONDS, use_peer
from tests.moodle.world import World, make_world, some_time_later

BEFORE_AND_AFTER: list[Kind] = ["bad_gateway_before", "reset_after", "garbage_after"]
OTHERS: list[Kind] = [
    "refuse_connection",
    "maintenance",
    "redirect",
    "close_after",
    "bad_gateway_after",
    "killed_midway",
    "truncated_after",
    "html_prefix_after",
]
SLOW: list[Kind] = ["timeout_before", "timeout_late", "timeout_after", "slow_drip"]
PARTS = 8  # of the walk of kills, each a test of its own
SHORT = 0.4  # seconds that a call may take; who is slower for other reasons is asked again


def faultless(platform: MoodlePlatform, peer: MoodlePeer) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What the site and our rows hold in the end, and the number of calls."""
    world = make_world(platform, peer)
    peer.forget_calls()
    assert world.tell()
    return world.there(), world.here(), len(peer.calls)


def ends_alike(world: World, there: dict[str, Any], here: dict[str, Any]) -> None:
    world.tell_until_done()
    assert world.there() == there
    assert world.here() == here
    # Once more: nothing is left to do, and nothing is done twice.
    assert world.tell()
    assert (world.there(), world.here()) == (there, here)


def test_the_story_without_a_fault(settings, moodle_peer, db):
    platform = use_peer(settings, moodle_peer)
    there, here, calls = faultless(platform, moodle_peer)
    dates = (1788249600, 1819749600)
    assert there == {
        "new": [("newN@example.org", (*dates, False), ["student"], ["B-0001"])],
        "tagged": [("shop-N", (*dates, False), ["student"], ["B-0001"])],
        "there": [("theirsN", (*dates, False), ["student"], ["B-0001"])],
        "tutor": [("tutorN@example.org", (*dates, False), ["teacher"], [])],
        "leaver": [("leaverN@example.org", (*dates, True), ["student"], [])],
        "groups": ["B-0001", "Old"],
        "mails": [],
    }
    assert here["there"][0] == [(False, True, None)]
    assert here["new"][0] == here["tagged"][0] == [(True, True, None)]
    assert calls < 25


@pytest.mark.parametrize("kind", BEFORE_AND_AFTER)
def test_each_call_fails_once(settings, moodle_peer, db, kind):
    platform = use_peer(settings, moodle_peer)
    there, here, calls = faultless(platform, moodle_peer)
    for number in range(1, calls + 1):
        world = make_world(platform, moodle_peer)
        moodle_peer.forget_calls()
        moodle_peer.faults.add(number, kind)
        ends_alike(world, there, here)
        assert moodle_peer.faults.waiting == []


def test_every_call_fails_one_after_the_other_in_all_other_ways(settings, moodle_peer, db):
    platform = use_peer(settings, moodle_peer)
    there, here, calls = faultless(platform, moodle_peer)
    ways = cycle(OTHERS)
    for number in range(1, calls + 1):
        world = make_world(platform, moodle_peer)
        moodle_peer.forget_calls()
        moodle_peer.faults.add(number, next(ways))
        ends_alike(world, there, here)
        assert moodle_peer.faults.waiting == []


def test_each_call_is_given_up_once(settings, moodle_peer, db):
    platform = use_peer(settings, moodle_peer)
    there, here, calls = faultless(platform, moodle_peer)
    ways = cycle(SLOW)
    for number in range(1, calls + 1):
        world = make_world(platform, moodle_peer)
        moodle_peer.forget_calls()
        fault = moodle_peer.faults.add(number, next(ways))
        settings.MOODLE_TIMEOUT = SHORT
        with suppress(PlatformAway):
            world.tell()
        assert fault.reached.is_set()
        fault.release()
        settings.MOODLE_TIMEOUT = SECONDS
        ends_alike(world, there, here)


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_process_is_killed_after_every_statement_and_commit(settings, moodle_peer, part):
    """A child that dies between any two statements, so between any two calls, leaves nothing that cannot be ended."""
    platform = use_peer(settings, moodle_peer)
    there, here, _calls = faultless(platform, moodle_peer)
    steps = count_steps(make_world(platform, moodle_peer).tell)
    assert steps > 60
    for step in range(1 + part, steps + 1, PARTS):
        some_time_later()
        world = make_world(platform, moodle_peer)
        assert run_killed(world.tell, after=step)
        world.tell_until_done()
        assert (world.there(), world.here()) == (there, here)
