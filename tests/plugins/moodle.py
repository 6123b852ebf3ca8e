"""A Moodle site on this machine for the tests that ask for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.moodle.peer import MoodlePeer


@pytest.fixture
def moodle_peer() -> Iterator[MoodlePeer]:
    """A site with one category, an administrator and the user of the token; gone after the test."""
    with MoodlePeer() as peer:
        yield peer
