"""Course spaces that somebody has bought, with a fault at each call to the site: the end is as if nothing had happened."""

from __future__ import annotations

import pytest

from tests.moodle.faults import KINDS, RARER, World
from tests.moodle.peer.faults import Kind
from tests.moodle.stories import SpaceBought

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", [*KINDS, "killed_midway"])
def test_struck_at_any_call_it_ends_the_same(world: World, kind: Kind) -> None:
    failures = world.struck_everywhere(SpaceBought, kind)
    assert not failures, "\n".join(failures)


def test_met_by_rarer_faults_it_ends_the_same(world: World) -> None:
    failures = world.struck_in_turn(SpaceBought, RARER)
    assert not failures, "\n".join(failures)
