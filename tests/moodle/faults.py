"""Letting production go on by itself while the site of the courses misbehaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest
import time_machine
from celery import current_app

from billing.models import ProductionRun
from billing.sweeper import sweep
from common import wake
from common.models import Job
from courses.moodle import copying
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.faults import Kind
from tests.moodle.stories import Story

ROUND = timedelta(minutes=6)
"""Longer than anything waits between two looks, and than any lease."""
ROUNDS = 12
SHORT = 0.25
"""Seconds for a call while the site misbehaves."""

KINDS: list[Kind] = [
    "timeout_before",
    "timeout_after",
    "bad_gateway_before",
    "bad_gateway_after",
    "garbage_after",
    "slow_drip",
    "reset_after",
    "refuse_connection",
]
"""What is tried at every call."""
RARER: list[Kind] = [
    "timeout_late",
    "killed_midway",
    "close_after",
    "truncated_after",
    "maintenance",
    "redirect",
]
"""What is tried at some call each: to the client they look like one of the others."""

LONG = 20.0

Made = Callable[[MoodlePeer], Story]


class Clock:
    """The time of a test, which only goes forward."""

    def __init__(self, traveller: Any) -> None:
        self._traveller = traveller

    def later(self, by: timedelta = ROUND) -> None:
        self._traveller.shift(by)


@contextmanager
def own_time() -> Iterator[Clock]:
    """Time that a test moves; it ticks as well."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield Clock(traveller)


@contextmanager
def nothing_runs_by_itself(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """No broker: the sweeper does everything, as in production when messages get lost. Mails stay where they are."""
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setitem(wake._broker, "away_until", float("inf"))
    current_app.conf.update(task_always_eager=False)
    yield
    current_app.conf.update(task_always_eager=True)


def finish(story: Story, clock: Clock, *, rounds: int = ROUNDS) -> None:
    """Let time pass, the sweeper come round and the customer do his part, until the story is over.

    Raises AssertionError when it does not end.
    """
    for _round in range(rounds):
        sweep()
        story.act()
        sweep()
        if story.is_done():
            return
        clock.later()
    raise AssertionError("it never ends")


class World:
    """One site, one database, a clock: where stories happen, with and without faults."""

    def __init__(self, peer: MoodlePeer, clock: Clock, settings: Any) -> None:
        self.peer = peer
        self.clock = clock
        self.settings = settings

    def faultless(self, make: Made) -> tuple[dict[str, Any], int]:
        """How a story ends when all goes well, and the number of calls it takes."""
        self.settings.MOODLE_TIMEOUT = copying.COPY_SECONDS = LONG
        story = make(self.peer)
        self.peer.forget_calls()
        finish(story, self.clock)
        return story.end_state(), len(self.peer.calls)

    def struck(self, make: Made, number: int, kind: Kind) -> tuple[Story, str]:
        """A story whose call with this number met a fault; and why it did not end, or nothing."""
        self.settings.MOODLE_TIMEOUT = copying.COPY_SECONDS = SHORT
        story = make(self.peer)
        self.peer.forget_calls()
        fault = self.peer.faults.add(number, kind)
        why = ""
        try:
            finish(story, self.clock)
        except AssertionError as error:
            why = str(error)
        finally:
            self.peer.faults.clear()
        return story, why if fault.reached.is_set() else "the fault was never met"

    def struck_everywhere(self, make: Made, kind: Kind) -> list[str]:
        """What differs from the faultless end, for a fault at each call of the story; empty when nothing does."""
        expected, calls = self.faultless(make)
        return [
            text for number in range(1, calls + 1) for text in self._failures(make, number, kind, expected)
        ]

    def struck_in_turn(self, make: Made, kinds: Sequence[Kind]) -> list[str]:
        """The same with another fault at each call."""
        expected, calls = self.faultless(make)
        return [
            text
            for number, kind in zip(range(1, calls + 1), cycle(kinds), strict=False)
            for text in self._failures(make, number, kind, expected)
        ]

    def absent(self, story: Story, hours: int) -> None:
        """Let so many hours pass, in which the story cannot end, and nobody gives it up."""
        for _half in range(2 * hours):
            sweep()
            story.act()
            assert not story.is_done()
            self.clock.later(timedelta(minutes=30))
        assert not Job.objects.filter(state=Job.State.FAILED).exists()
        assert not ProductionRun.objects.filter(state=ProductionRun.State.FAILED).exists()

    def _failures(self, make: Made, number: int, kind: Kind, expected: dict[str, Any]) -> list[str]:
        story, why = self.struck(make, number, kind)
        function = self.peer.calls[number - 1].function if len(self.peer.calls) >= number else "?"
        differences = ([why] if why else []) + different(expected, story.end_state())
        return [f"{kind} at call {number} ({function}): {text}" for text in differences]


def different(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What of the two states is not alike, one sentence for each key."""
    told = []
    for key, wanted in expected.items():
        there = found.get(key)
        if wanted == there:
            continue
        if isinstance(wanted, list) and isinstance(there, list):
            missing = [one for one in wanted if one not in there]
            more = [one for one in there if one not in wanted]
            if missing or more:
                told.append(f"{key}: missing {missing}, too many {more}")
                continue
        told.append(f"{key}: expected {wanted}, found {there}")
    return told
