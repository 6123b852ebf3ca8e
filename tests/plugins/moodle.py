"""A Moodle site on this machine for the tests that ask for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.moodle.peer import MoodlePeer


@pytest.fixture
def moodle_peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[MoodlePeer]:
    """A site with one category, an administrator and the user of the token; gone after the test.

    Nobody waits until a call without an answer is surely over: the peer says when it is.
    """
    monkeypatch.setattr("courses.moodle.turns.SETTLE", 0.0)
    with MoodlePeer() as peer:
        yield peer
