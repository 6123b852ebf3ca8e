"""What the tests of the peer, and of what happens when it misbehaves, start from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from courses.moodle import circuit, copying
from tests.moodle.faults import World, nothing_runs_by_itself, own_time
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.raw import Raw
from tests.moodle.site import use_peer


@pytest.fixture
def raw(moodle_peer: MoodlePeer) -> Raw:
    return Raw(moodle_peer)


@pytest.fixture
def site(moodle_peer: MoodlePeer) -> Site:
    return moodle_peer.site


@pytest.fixture
def world(moodle_peer: MoodlePeer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The peer as the platform of the shop, with time that the test moves; nothing runs but by `finish`."""
    use_peer(settings, moodle_peer)
    monkeypatch.setattr(copying, "COPY_SECONDS", copying.COPY_SECONDS)  # which stories change
    circuit.forget()
    with nothing_runs_by_itself(monkeypatch, settings), own_time() as clock:
        yield World(moodle_peer, clock, settings)
