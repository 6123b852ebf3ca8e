"""Extending sessions and spaces, and extending to a date."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from common.audit import OPERATOR, SYSTEM
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Course, Enrolment, ProductEvent
from courses.platform import PlatformAway
from seats.models import Assignment, Seat
from seats.services import Extended, Refused, extend_until, run_expire, run_extend
from seats.services.life_extend import extend_to
from tests.accounts.factories import make_account
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.life import DAY, details, session_of, verbs
from tests.seats.remote import install

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def ada(account, course) -> Assignment:
    make_pool(account, 2, access_seconds=30 * 86_400)
    return give(account, course, "ada@example.org")


def extend(reference: str, **fields: Any) -> Extended:
    """Extend by ten days, bought now."""
    values: dict[str, Any] = {"days": 10, "at": timezone.now(), "key": "line-1", "actor": SYSTEM}
    return run_extend(reference=reference, **(values | fields))


def refusal(reference: str, **fields: Any) -> str:
    """The code with which it is refused; nothing is changed."""
    before = everything()
    with pytest.raises(Refused) as refused:
        extend(reference, **fields)
    assert everything() == before
    return refused.value.code


def everything() -> list[Any]:
    models = (Assignment, Seat, Enrolment, ProductEvent, OutboxMail, AuditEntry, CustomerAccount)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def enrolment(one: Assignment) -> Enrolment:
    return Enrolment.objects.get(course=one.course_id, person=one.person_id)


# --- a seat -----------------------------------------------------------------------------------------


def test_whoever_got_his_seat_after_the_extension_is_not_extended_twice(account, course, monkeypatch):
    """As after a crash between the session and its seats: the next attempt extends only who was there then."""
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    Assignment.objects.filter(email="bob@a.example").update(
        state="ended", ended_at=NOW, end_reason="taken_back"
    )
    monkeypatch.setattr("seats.services.life_extend._extend_seats", lambda *given, **options: None)
    extended = extend(session.reference)
    monkeypatch.undo()
    late = give(account, course, "late@a.example")
    assert late.ends_at == extended.until
    extend(session.reference)
    assert {one.ends_at for one in Assignment.objects.filter(ended_at=None)} == {extended.until}


def test_a_seat_of_a_session_may_be_extended_alone(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    ada = Assignment.objects.get(email="ada@a.example")
    end = session.ends_at
    extend(ada.seat.reference)
    session.refresh_from_db()
    assert end is not None
    assert session.ends_at == end
    extend(session.reference, key="line-2")
    ends = dict(Assignment.objects.values_list("email", "ends_at"))
    assert ends == {"ada@a.example": end + 20 * DAY, "bob@a.example": end + 10 * DAY}


@pytest.mark.parametrize(
    ("fields", "code"), [({"withdrawn_at": NOW}, "withdrawn"), ({"ends_at": None}, "unlimited")]
)
def test_a_session_that_cannot_be_extended(account, course, fields, code):
    session = session_of(account, course, "ada@a.example")
    type(session).objects.update(**fields)
    assert refusal(session.reference) == code


def test_many_seats_are_extended_in_few_statements(account, course):
    session = session_of(account, course, *(f"p{n}@a.example" for n in range(40)))
    with CaptureQueriesContext(connection) as captured:
        extend(session.reference)
    assert len(captured) <= 45


# --- a course space -----------------------------------------------------------------------------------


def test_a_space_that_was_closed_opens_again(account):
    space = make_space(account=account, ends_at=NOW + DAY)
    bought = NOW + 5 * DAY
    run_expire(now=bought)
    with time_machine.travel(bought):
        extended = extend(space.reference, at=bought, account_id=account.pk)
    space.refresh_from_db()
    assert extended.until == space.ends_at == bought + 10 * DAY
    assert space.course.closed_at is None
    assert Course.objects.get(space=space).closed_at is None
    assert extend(space.reference, at=bought).until == bought + 10 * DAY
    assert verbs(space.reference) == ["expired", "extended", "reopened"]


def test_a_withdrawn_space_is_refused(account):
    assert refusal(make_space(account=account, withdrawn_at=NOW).reference) == "withdrawn"


# --- by staff -----------------------------------------------------------------------------------------


def test_staff_extends_to_a_date_and_never_shortens(ada):
    until = ada.ends_at + 5 * DAY
    extended = extend_to(reference=ada.seat.reference, until=until, actor=OPERATOR, why="goodwill")
    ada.refresh_from_db()
    assert (extended.until, ada.ends_at, enrolment(ada).ends_at) == (until, until, until)
    assert details(ada.seat.reference)[0]["why"] == "goodwill"
    before = everything()
    assert extend_to(reference=ada.seat.reference, until=until, actor=OPERATOR, why="x").event_id is None
    with pytest.raises(Refused) as refused:
        extend_to(reference=ada.seat.reference, until=until - DAY, actor=OPERATOR, why="x")
    assert refused.value.code == "too_early"
    with pytest.raises(Refused) as refused:
        extend_to(reference=ada.seat.reference, until=NOW - DAY, actor=OPERATOR, why="x")
    assert refused.value.code == "past"
    assert everything() == before


def test_seats_of_a_session_that_last_longer_keep_their_end(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    ada = Assignment.objects.get(email="ada@a.example")
    longer = extend(ada.seat.reference, days=50).until
    assert session.ends_at is not None
    until = session.ends_at + 20 * DAY
    done = extend_until(references=[session.reference], until=until, actor=OPERATOR, why="late start")
    assert (done.changed, done.refused) == ([session.reference], [])
    assert dict(Assignment.objects.values_list("email", "ends_at")) == {
        "ada@a.example": longer,
        "bob@a.example": until,
    }


def test_a_space_is_extended_to_a_date(account):
    space = make_space(account=account)
    until = space.ends_at + DAY
    done = extend_until(references=[space.reference], until=until, actor=OPERATOR, why="goodwill")
    space.refresh_from_db()
    assert (done.changed, space.ends_at) == ([space.reference], until)
    again = extend_until(references=[space.reference], until=until - DAY, actor=OPERATOR, why="goodwill")
    assert [(reference, refused.code) for reference, refused in again.refused] == [
        (space.reference, "too_early")
    ]


# --- a platform far away -----------------------------------------------------------------------------


def test_a_far_platform_hears_of_it_after_the_rows(ada, monkeypatch, settings):
    old = ada.ends_at
    far = install(monkeypatch, settings)
    far.is_away = True
    with pytest.raises(PlatformAway):
        extend(ada.seat.reference)
    ada.refresh_from_db()
    assert ada.ends_at == old + 10 * DAY
    assert enrolment(ada).ends_at == old
    far.is_away = False
    assert extend(ada.seat.reference).until == old + 10 * DAY
    assert enrolment(ada).ends_at == old + 10 * DAY
    assert verbs(ada.seat.reference) == ["extended"]


def test_by_staff_a_far_platform_is_told_by_a_job(
    ada, monkeypatch, settings, django_capture_on_commit_callbacks
):
    far = install(monkeypatch, settings)
    until = ada.ends_at + 5 * DAY
    with django_capture_on_commit_callbacks() as callbacks:
        extend_to(reference=ada.seat.reference, until=until, actor=OPERATOR, why="goodwill")
    assert far.calls == []
    for callback in callbacks:
        callback()
    assert Job.objects.get(kind="seats.hold").state == "done"
    assert enrolment(ada).ends_at == until


def test_a_person_is_told_apart_by_nothing_but_rows(ada):
    """The login that a seat brought is not touched by what happens to the seat."""
    before = list(Person.objects.values())
    run_expire(now=ada.ends_at)
    with time_machine.travel(ada.ends_at + DAY):
        extend(ada.seat.reference)
    assert list(Person.objects.values()) == before


def test_a_list_given_later_is_not_affected(account, course, ada):
    extend(ada.seat.reference)
    apply(plan_list(account, course, "bob@example.org"))
    bob = Assignment.objects.get(email="bob@example.org")
    assert bob.ends_at == bob.starts_at + 30 * DAY
