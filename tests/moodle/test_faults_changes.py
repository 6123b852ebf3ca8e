"""Changes of mind about a seat, with a fault at each call to the site: whole or not at all, and the same on both sides."""

from __future__ import annotations

import pytest

from tests.moodle.changes import (
    Changed,
    Corrected,
    Released,
    Replaced,
    ReplacedByAStranger,
    ReplacedBySomebodyEnrolled,
)
from tests.moodle.faults import RARER, World
from tests.moodle.peer.faults import Kind

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "bad_gateway_after", "garbage_after"])
def test_a_replacement_struck_at_any_call_ends_the_same(world: World, kind: Kind) -> None:
    failures = world.struck_everywhere(Replaced, kind)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("story", [Released, Corrected])
def test_a_seat_taken_back_and_an_address_corrected_end_the_same(world: World, story: type[Changed]) -> None:
    failures = world.struck_everywhere(story, "timeout_after")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("story", [Released, Replaced, ReplacedByAStranger, Corrected])
def test_rarer_faults_change_nothing_about_it(world: World, story: type[Changed]) -> None:
    failures = world.struck_in_turn(story, RARER)
    assert not failures, "\n".join(failures)


def test_how_they_end(world: World) -> None:
    ends = {
        story: world.faultless(story)[0]["changes"]
        for story in (Released, Replaced, ReplacedByAStranger, ReplacedBySomebodyEnrolled, Corrected)
    }
    assert ends == {
        Released: [("release", "done", "")],
        Replaced: [("replace", "done", "")],
        ReplacedByAStranger: [("replace", "done", "")],
        ReplacedBySomebodyEnrolled: [("replace", "refused", "already_enrolled")],
        Corrected: [("correct", "done", ""), ("correct", "done", "")],
    }
