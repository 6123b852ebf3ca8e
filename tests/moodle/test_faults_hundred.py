"""A hundred people of all sorts, with another fault at each call to the site."""

from __future__ import annotations

import pytest

from tests.moodle.faults import KINDS, World
from tests.moodle.stories import Hundred

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_hundred_people_take_few_calls(world: World) -> None:
    state, calls = world.faultless(Hundred)
    assert calls <= 20
    assert len(state["site: users"]) == 98
    assert state["as enrolled"] == []


@pytest.mark.parametrize("turn", range(2))
def test_a_hundred_people_end_the_same_whatever_happens_at_any_call(world: World, turn: int) -> None:
    failures = world.struck_in_turn(Hundred, [*KINDS[turn:], *KINDS[:turn]])
    assert not failures, "\n".join(failures)
