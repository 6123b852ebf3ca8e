"""Changing one's mind on a remote platform: asked for as a row, done by a job, whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from common.audit import OPERATOR, Actor
from common.models import Job
from courses.models import PlatformLogin
from courses.platform import Oversight
from seats.models import SeatChange
from seats.services import (
    NotTold,
    correct_address,
    release,
    replace,
)
from seats.services.exchanging import Kind
from tests.accounts.factories import make_person
from tests.seats.changes import KINDS, World
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


@pytest.fixture(params=KINDS)
def world(request, far) -> World:
    return World(far, request.param)


def done(kind: Kind, far: FarPlatform, mark: str = "y") -> dict[str, Any]:
    """The end state of a change that meets no obstacle."""
    world = World(far, kind, mark)
    world.ask()
    assert world.work()
    assert {state for state, _code in world.came_of_it} == {"done"}
    return world.seen()


# --- the plain way ----------------------------------------------------------------------------------


def test_asking_writes_a_row_and_calls_nobody(far, world):
    before = world.seen()
    change = world.ask()
    assert far.calls == []
    assert world.seen() == before
    assert change.job is not None
    assert (change.state, change.job.state, change.job.kind) == ("waiting", "queued", "seats.change")
    assert len(world.came_of_it) == (2 if world.kind is Kind.CORRECT else 1)


def test_taken_back(far):
    seen = done(Kind.RELEASE, far)
    assert seen["states"] == {"free": 3}
    assert seen["assignments"] == [(1, 0, "ada", "ended", "taken_back", True)]
    assert (seen["enrolments"], seen["groups"]) == ([(0, "ada", "suspended")], [])
    assert seen["mails"] == [("ada", "invitation", "cancelled")]
    assert seen["audit"][-1] == "seat.release"


def test_replaced(far):
    seen = done(Kind.REPLACE, far)
    assert seen["states"] == {"free": 2, "assigned": 1}
    assert seen["assignments"] == [(1, 0, "ada", "ended", "replaced", True), (1, 0, "bob", "live", "", True)]
    assert seen["enrolments"] == [(0, "ada", "suspended"), (0, "bob", "active")]
    assert (seen["as told"], seen["groups"]) == ([(0, "bob")], [(0, "bob")])
    assert seen["mails"] == [("ada", "invitation", "cancelled"), ("bob", "invitation", "queued")]
    assert seen["delegations"] == [("ada", True, True), ("bob", True, True)]


def test_corrected_in_all_seats_at_once(far):
    seen = done(Kind.CORRECT, far)
    assert seen["assignments"] == [
        (1, 0, "ada", "ended", "corrected", True),
        (1, 0, "ada.l", "live", "", True),
        (2, 1, "ada", "ended", "corrected", False),
        (2, 1, "ada.l", "live", "", True),
    ]
    assert (seen["as told"], seen["groups"]) == ([(0, "ada.l"), (1, "ada.l")],) * 2
    # The login of the mistyped address was made over there: that it is ours must not be forgotten.
    assert seen["people"] == ["ada", "ada.l"]
    assert seen["delegations"] == [("ada", True, False), ("ada.l", True, True)]
    assert seen["invitations"] == [("ada", False), ("ada.l", True)]


def test_a_mistyped_address_whose_login_was_not_made_by_us_is_forgotten(far, monkeypatch):
    world = World(far, Kind.CORRECT)
    PlatformLogin.objects.update(is_ours=False)
    world.ask()
    assert world.work()
    assert world.seen()["people"] == ["ada.l"]


def test_what_was_typed_is_kept_by_the_assignment_alone(far):
    world = World(far, Kind.REPLACE)
    world.ask()
    assert SeatChange.objects.get().email == "bob@x.example"
    world.work()
    change = SeatChange.objects.get()
    assert (change.email, change.first_name, change.state) == ("", "", "done")
    assert change.ended_at is not None


def test_whoever_replaces_sees_the_new_one_and_a_stranger_gets_the_news(far):
    manager = make_person()
    world = World(far, Kind.REPLACE)
    world.ask(Actor.person(manager.pk))
    world.work()
    assert far.overseen == [Oversight(manager.pk, Person.objects.get(email="bob@x.example").pk)]
    far.elsewhere = {"eve@x.example": False}
    new = replace(
        reference=world.given.seat.reference, account_id=None, email="eve@x.example", actor=Actor.person(manager.pk)
    )  # fmt: skip
    assert (new.created_login, len(far.overseen)) == (False, 1)
    assert ("eve", "enrolled", "queued") in world.seen()["mails"]


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_never_called_inside_a_transaction(far, world):
    far.checks_transactions = True
    world.ask()  # the job runs at once, after the commit
    assert world.work()
    assert {state for state, _code in world.came_of_it} == {"done"}
    assert world.seen()["states"] == {
        Kind.RELEASE: {"free": 3},
        Kind.REPLACE: {"free": 2, "assigned": 1},
    }.get(world.kind, {"free": 1, "assigned": 2})


# --- a platform that does not answer ------------------------------------------------------------------


def calls_of(kind: Kind, far: FarPlatform) -> int:
    done(kind, far, mark="count")
    return len(far.calls)


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_at_any_call_it_waits_and_ends_the_same(far, kind):
    whole = done(kind, far)
    total = calls_of(kind, far)
    assert total >= {Kind.RELEASE: 4, Kind.REPLACE: 8, Kind.CORRECT: 8}[kind]
    for number in range(1, total + 1):
        world = World(far, kind, mark=f"cut{number}")
        world.ask()
        far.cut_at = number
        assert not world.work(), number
        far.cut_at = 0
        assert world.work(), number
        assert world.seen() == whole, f"cut off at call {number} of {total}"


@pytest.mark.parametrize("kind", KINDS)
def test_whichever_answer_is_lost_it_ends_the_same(far, kind):
    whole = done(kind, far)
    total = calls_of(kind, far)
    for number in range(1, total + 1):
        world = World(far, kind, mark=f"lost{number}")
        world.ask()
        far.lost_at = number
        world.work()
        far.lost_at = 0
        assert world.work(), number
        assert world.seen() == whole, f"the answer to call {number} of {total} was lost"


def test_while_the_platform_is_away_the_seat_is_as_it_was_and_the_job_waits(far, world):
    far.is_away = True
    before = world.seen()
    change = world.ask()
    assert not world.work()
    assert world.seen() == before
    job = Job.objects.get(pk=change.job.pk)
    assert (job.state, job.waiting_since is not None) == ("queued", True)


def test_a_command_does_it_here_and_now_or_says_that_it_waits(far):
    world = World(far, Kind.RELEASE)
    far.is_away = True
    with pytest.raises(NotTold, match="no route to host"):
        release(reference=world.given.seat.reference, account_id=None, actor=OPERATOR)
    assert world.came_of_it == [("waiting", "")]
    far.is_away = False
    assert world.work()
    assert world.came_of_it == [("done", "")]

    world = World(far, Kind.REPLACE, "y")
    new = replace(
        reference=world.given.seat.reference, account_id=None, email="bob@y.example", actor=OPERATOR
    )
    assert (new.email, new.state) == ("bob@y.example", "live")
    world = World(far, Kind.CORRECT, "z")
    both = correct_address(
        reference=world.given.seat.reference, account_id=None, email="ada.l@z.example", actor=OPERATOR
    )
    assert [one.email for one in both] == ["ada.l@z.example"] * 2
