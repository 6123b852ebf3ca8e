"""Changes of mind on a remote platform that may not be, and others at the same seat at the same time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from accounts.models import Person
from common import jobs
from common.audit import OPERATOR
from common.models import Job
from courses.models import Enrolment
from courses.platform import refused
from courses.services import open_course
from seats.models import Assignment, Seat, SeatChange, SeatPool
from seats.selectors.refusing import refusal
from seats.services import (
    Refused,
    extend_until,
    resend,
    start_change,
    withdraw,
)
from seats.services.exchanging import Kind
from seats.services.life_rows import run_hold
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.changes import KINDS, World
from tests.seats.factories import give, make_pool, states
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


# --- refusals ------------------------------------------------------------------------------------------


def refused_with(world: World, code: str) -> None:
    """The change ends refused, and all is as it was before, on the platform too."""
    before = world.seen()
    world.ask()
    assert world.work()
    assert {state for state, _code in world.came_of_it} == {"refused"}
    assert {found for _state, found in world.came_of_it} == {code}
    after = world.seen()
    # The login of the new person may have been made on the platform: it is known to be ours.
    for seen in (before, after):
        seen["people"] = [name for name in seen["people"] if name in ("ada", "eve")]
        seen["enrolments"] = [one for one in seen["enrolments"] if one[2] == "active"]
    assert after == before


@pytest.mark.parametrize("kind", [Kind.REPLACE, Kind.CORRECT])
class TestRefusedByThePlatform:
    @pytest.mark.parametrize("call", ["ensure_logins", "ensure_enrolments", "ensure_group_members"])
    def test_the_new_person_is_refused_and_nothing_has_changed(self, far, kind, call, monkeypatch):
        world = World(far, kind)
        tell = getattr(far, call)

        def no(rows):
            told = tell(rows)
            ids = [getattr(row, "person_id", row) for row in rows]
            ada = world.given.person_id
            return [one if pk == ada else refused("no_such_thing") for pk, one in zip(ids, told, strict=True)]

        monkeypatch.setattr(far, call, no)
        refused_with(world, "not_told")

    def test_enrolled_there_as_a_stranger(self, far, kind):
        far.elsewhere = {"bob@x.example": True, "ada.l@x.example": True}
        refused_with(World(far, kind), "already_enrolled")
        assert not Person.objects.filter(email__in=far.elsewhere).exists()
        assert set(far.calls) == {"opened", "strangers"}

    def test_enrolled_there_though_nobody_here_gave_it(self, far, kind):
        world = World(far, kind)
        for name in ("bob", "ada.l"):
            make_enrolment(world.courses[0], make_person(email=world.address(name)))
        refused_with(world, "already_enrolled")

    def test_another_organisation_is_quicker_while_the_platform_is_told(self, far, kind):
        world = World(far, kind)
        other = make_account()
        make_pool(other, 1)
        email = world.address({Kind.REPLACE: "bob", Kind.CORRECT: "ada.l"}[kind])

        def quicker() -> None:
            far.on_enrolling = lambda: None
            give(other, world.courses[0], email)

        far.on_enrolling = quicker
        world.ask()
        assert world.work()
        assert {found for _state, found in world.came_of_it} == {"already_enrolled"}
        theirs = Assignment.objects.get(account=other)
        assert theirs.state == "live"
        assert Enrolment.objects.get(course=world.courses[0], person=theirs.person).status == "active"
        seen = world.seen()
        assert (0, "ada", "active") in seen["enrolments"]
        assert [one[2:4] for one in seen["assignments"]] == [("ada", "live")] * len(seen["assignments"])
        assert ("ada" in [name for _place, name in seen["groups"]]) is True


def opens(world: World) -> None:
    open_course(person_id=world.given.holder_id, course_id=world.given.course_id)


def test_opened_before_the_job_runs(far, world):
    world.ask()
    opens(world)
    before = world.seen()
    assert world.work()
    assert world.came_of_it[0] == ("refused", "started")
    assert set(far.calls) <= {"opened", "strangers"}
    after = world.seen()
    assert (after["enrolments"], after["groups"]) == (before["enrolments"], before["groups"])
    assert after["states"]["consumed"] == 1


def test_opened_at_the_last_moment_he_is_let_in_again(far, world):
    """After he was asked about and before he was taken out."""

    def last_moment(name: str) -> None:
        if (
            name == "end_enrolments"
            and not Enrolment.objects.get(person=world.given.person, course=world.given.course_id).was_opened
        ):
            opens(world)

    before = world.seen()
    far.before = last_moment
    world.ask()
    assert world.work()
    assert world.came_of_it[0] == ("refused", "started")
    after = world.seen()
    assert (after["enrolments"], after["groups"]) == (before["enrolments"], before["groups"])
    assert after["states"] == {"free": 3 - len(world.came_of_it), "consumed": 1} | (
        {"assigned": 1} if world.kind is Kind.CORRECT else {}
    )
    assert after["mails"] == before["mails"]


def test_an_address_is_corrected_where_the_course_was_not_opened(far):
    world = World(far, Kind.CORRECT)
    world.ask()
    open_course(person_id=world.given.holder_id, course_id=world.courses[1].pk)
    assert world.work()
    assert world.came_of_it == [("done", ""), ("refused", "started")]
    seen = world.seen()
    assert seen["states"] == {"free": 1, "assigned": 1, "consumed": 1}
    assert [(one[2], one[3]) for one in seen["assignments"]] == [
        ("ada", "ended"),
        ("ada.l", "live"),
        ("ada", "live"),
    ]


def test_a_refusal_is_told_again_in_the_same_words(far):
    world = World(far, Kind.RELEASE)
    world.ask()
    opens(world)
    world.work()
    change = SeatChange.objects.get()
    with translation.override("en"):
        said = str(refusal(change.code, **change.detail).message)
    assert said.startswith("This seat was started on ")


def test_what_our_own_rows_can_tell_is_refused_at_once(far):
    world = World(far, Kind.REPLACE)
    reference = world.given.seat.reference
    give(world.account, world.courses[0], "eve@x.example")
    SeatPool.objects.update(assign_before=NOW + DAY)

    def ask(email: str) -> str:
        with pytest.raises(Refused) as refusal:
            start_change(kind=Kind.REPLACE, reference=reference, account_id=None, actor=OPERATOR, email=email)
        return refusal.value.code

    assert [ask("no address"), ask("ADA@x.example"), ask("eve@x.example")] == [
        "invalid",
        "same_person",
        "already_enrolled",
    ]
    SeatPool.objects.update(assign_before=NOW)
    assert ask("bob@x.example") == "too_late"
    assert not SeatChange.objects.exists()


# --- others at the same time -----------------------------------------------------------------------------


def busy(do) -> None:
    with pytest.raises(Refused) as refusal:
        do()
    with translation.override("en"):
        said = str(refusal.value.message)
    assert (refusal.value.code, said) == ("busy", "This seat is just being changed. Try again in a moment.")


def test_a_seat_is_changed_by_one_at_a_time(far, world):
    world.ask()
    reference = world.given.seat.reference
    for kind in KINDS:
        busy(lambda kind=kind: start_change(
            kind=kind, reference=reference, account_id=None, actor=OPERATOR, email="eve@x.example"
        ))  # fmt: skip
    busy(lambda: resend(assignment_id=world.given.pk, actor=OPERATOR))
    withdrawn = withdraw(references=[reference], actor=OPERATOR, why="unpaid")
    assert [(name, refusal.code) for name, refusal in withdrawn.refused] == [(reference, "busy")]
    assert world.work()
    assert {state for state, _code in world.came_of_it} == {"done"}


def test_the_database_holds_to_that(far):
    world = World(far, Kind.RELEASE)
    change = world.ask()
    change.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        change.save(force_insert=True)


def test_a_seat_of_the_same_person_that_is_being_changed_holds_up_the_correction(far):
    world = World(far, Kind.CORRECT)
    second = Assignment.objects.get(course=world.courses[1])
    start_change(kind=Kind.RELEASE, reference=second.seat.reference, account_id=None, actor=OPERATOR)
    busy(world.ask)
    assert world.work()
    world.ask()
    assert world.work()
    assert world.seen()["states"] == {"free": 2, "assigned": 1}


def test_extended_while_it_is_changed_the_new_person_has_the_new_end(far):
    world = World(far, Kind.REPLACE)
    until = NOW + 90 * DAY

    def extended() -> None:
        far.on_enrolling = lambda: None
        extend_until(references=[world.given.seat.reference], until=until, actor=OPERATOR, why="kind")

    far.on_enrolling = extended
    world.ask()
    assert world.work()
    new = Assignment.objects.get(account=world.account, ended_at=None)
    assert (new.email, new.ends_at) == ("bob@x.example", until)
    assert world.seen()["as told"] == [(0, "bob")]
    for job in Job.objects.filter(kind="seats.hold"):
        jobs.run(job.pk)
    assert (0, "ada", "suspended") in world.seen()["enrolments"]


def test_a_worker_that_tells_the_platform_again_does_not_let_him_in_who_is_being_taken_out(far):
    world = World(far, Kind.RELEASE)
    world.ask()
    seen: list[str] = []

    def meddle(name: str) -> None:
        if name == "remove_group_members" and not seen:
            seen.append(name)
            run_hold(world.given.seat.reference)

    far.before = meddle
    assert world.work()
    assert (0, "ada", "suspended") in world.seen()["enrolments"]
    assert world.seen()["groups"] == []


def test_over_by_date_while_it_waits_it_has_ended(far, world):
    world.ask()
    Assignment.objects.filter(account=world.account).update(starts_at=NOW - 2 * DAY, ends_at=NOW - DAY)
    assert world.work()
    assert world.came_of_it[0] == ("refused", "ended")


def test_withdrawn_seats_and_strangers_seats_are_as_before(far):
    world = World(far, Kind.RELEASE)
    with pytest.raises(Seat.DoesNotExist):
        start_change(
            kind=Kind.RELEASE,
            reference=world.given.seat.reference,
            account_id=make_account().pk,
            actor=OPERATOR,
        )
    Seat.objects.filter(pk=world.given.seat_id).update(withdrawn_at=NOW)
    with pytest.raises(Refused) as refusal:
        world.ask()
    assert (refusal.value.code, states(world.account)["withdrawn"]) == ("ended", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_local_platform_is_told_at_once_and_no_row_is_written(kind):
    account = make_account()
    make_pool(account, 1)
    given = give(account, make_course(), "ada@x.example")
    told = start_change(
        kind=kind, reference=given.seat.reference, account_id=None, actor=OPERATOR, email="bob@x.example"
    )
    given.refresh_from_db()
    assert (told, given.state, SeatChange.objects.count()) == (None, "ended", 0)
