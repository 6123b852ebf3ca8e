"""Lists of people, with a fault at each call to the site: they end as if nothing had happened, nobody twice."""

from __future__ import annotations

import pytest

from tests.moodle.faults import KINDS, RARER, World
from tests.moodle.peer.faults import Kind
from tests.moodle.stories import ListedPeople, OtherCase

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_struck_at_any_call_ends_the_same(world: World, kind: Kind) -> None:
    failures = world.struck_everywhere(ListedPeople, kind)
    assert not failures, "\n".join(failures)


def test_a_list_met_by_rarer_faults_ends_the_same(world: World) -> None:
    failures = world.struck_in_turn(ListedPeople, RARER)
    assert not failures, "\n".join(failures)


def test_people_whom_the_site_knows_in_another_case_end_the_same(world: World) -> None:
    failures = world.struck_in_turn(OtherCase, RARER)
    assert not failures, "\n".join(failures)
