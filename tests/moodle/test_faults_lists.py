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


def test_everybody_gets_what_is_due_to_him(world: World) -> None:
    state, _calls = world.faultless(ListedPeople)
    assert [row[:4] for row in state["rows"]] == [
        ("new1", "new_account", "new_account", "assigned"),
        ("known1", "existing_account", "existing_account", "assigned"),
        ("ours1", "existing_account", "existing_account", "assigned"),
        ("unlinked1", "existing_account", "existing_account", "assigned"),
        ("inside1", "already_enrolled", "already_enrolled", "unchanged"),
        ("stranger1", "existing_account", "existing_account", "assigned"),
        ("enrolled1", "already_enrolled", "already_enrolled", "unchanged"),
        ("new2", "new_account", "new_account", "assigned"),
        ("NEW1", "duplicate", "duplicate", "unchanged"),
        ("nobody", "invalid", "invalid", "refused"),
        ("tutor", "new_account", "new_account", "assigned"),
    ]
    assert state["seats"] == {"assigned": 7, "free": 4}
    assert state["mails"] == [
        *((name, "enrolled", "queued") for name in ("known1",)),
        ("new1", "invitation", "queued"),
        ("new2", "invitation", "queued"),
        *((name, "enrolled", "queued") for name in ("ours1", "stranger1")),
        ("tutor", "invitation", "queued"),
        ("unlinked1", "enrolled", "queued"),
    ]
    dates = {row[1]: row[4] for row in state["site: enrolments"]}
    assert {name for name, told in dates.items() if told != "as in our row"} == {"inside1", "enrolled1"}
    assert state["site: mails"] == []


def test_whom_the_site_knows_in_another_case_is_one_person(world: World) -> None:
    state, _calls = world.faultless(OtherCase)
    assert [row[2:4] for row in state["rows"][:4]] == [
        ("new_account", "assigned"),
        ("existing_account", "assigned"),
        ("already_enrolled", "unchanged"),
        ("new_account", "assigned"),
    ]
    assert [email for email, *_names in state["site: users"]] == [
        "CASE1@mark.EXAMPLE",
        "CAUGHT1@mark.EXAMPLE",
        "new1@mark.example",
        "new2@mark.example",
        "tutor@mark.example",
    ]
    assert state["seats"] == {"assigned": 4, "free": 3}


def test_people_whom_the_site_knows_in_another_case_end_the_same(world: World) -> None:
    failures = world.struck_in_turn(OtherCase, RARER)
    assert not failures, "\n".join(failures)
