"""What the tests of the peer start from."""

from __future__ import annotations

import pytest

from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.raw import Raw


@pytest.fixture
def raw(moodle_peer: MoodlePeer) -> Raw:
    return Raw(moodle_peer)


@pytest.fixture
def site(moodle_peer: MoodlePeer) -> Site:
    return moodle_peer.site
