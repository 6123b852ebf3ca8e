"""Notices 60, 30 and 7 days ahead: one mail per organisation and day, and never twice about the same end."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Member, Role
from common.audit import OPERATOR, SYSTEM
from common.models import OutboxMail
from courses.models import Course
from seats.models import Assignment, EndingNotice
from seats.selectors.endings import last_day
from seats.services import extend_until, run_extend, tell_endings, withdraw
from seats.services.notices import Told, days_ahead
from tests.accounts.factories import make_account, make_member, make_person
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.life import DAY, session_of

pytestmark = pytest.mark.django_db

# An ordinary morning, far from changes of the clock.
NOW = datetime.fromisoformat("2027-05-03T08:00:00+02:00")
TODAY = date(2027, 5, 3)


@pytest.fixture(autouse=True)
def _morning() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account()
    make_member(Role.OWNER, account=account, person=make_person(email="owner@demo.example"))
    return account


@pytest.fixture
def course() -> Course:
    return make_course()


def mails() -> list[tuple[str, str]]:
    """To whom notices were queued, and for which day."""
    found = OutboxMail.objects.filter(kind="ending_soon").order_by("id")
    return [(mail.to, str(mail.ids["day"])) for mail in found]


def notices() -> list[tuple[str, str, int]]:
    """What was told: kind, last day, days ahead."""
    return [
        (one.subject.partition(":")[0], one.ends_on.isoformat(), one.days)
        for one in EndingNotice.objects.order_by("id")
    ]


def seat(
    account: CustomerAccount, course: Course, *, days: int, email: str = "ada@example.org"
) -> Assignment:
    make_pool(account, 1, access_ends_at=timezone.now() + days * DAY)
    return give(account, course, email)


# --- when -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "told"), [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (5, 7), (0, 7)]
)
def test_only_the_nearest_notice_is_due(left, told):
    assert days_ahead(TODAY + left * DAY, TODAY) == told


@pytest.mark.parametrize(("days", "told"), [(61, []), (60, [60]), (30, [30]), (7, [7]), (5, [7])])
def test_a_product_that_ends_in_5_days_gets_only_the_notice_of_7_days(account, course, days, told):
    seat(account, course, days=days)
    tell_endings(now=NOW)
    assert [days for _kind, _on, days in notices()] == told
    assert len(mails()) == len(told)


def test_from_day_to_day_each_notice_comes_once(account, course):
    seat(account, course, days=70)
    for day in range(72):
        with time_machine.travel(NOW + day * DAY, tick=False):
            tell_endings(now=timezone.now())
    assert notices() == [("seats", "2027-07-12", 60), ("seats", "2027-07-12", 30), ("seats", "2027-07-12", 7)]
    assert [day for _to, day in mails()] == ["2027-05-13", "2027-06-12", "2027-07-05"]


def test_a_day_that_was_missed_is_made_up_for(account, course):
    seat(account, course, days=70)
    with time_machine.travel(NOW + 15 * DAY, tick=False):
        assert tell_endings(now=timezone.now()) == Told(1, 1, 1)
    assert notices() == [("seats", "2027-07-12", 60)]


def test_as_often_as_it_runs_a_day_there_is_one_mail(account, course):
    seat(account, course, days=6)
    assert tell_endings(now=NOW) == Told(1, 1, 1)
    assert tell_endings(now=NOW) == Told(0, 0, 0)
    seat(account, course, days=5, email="bob@example.org")
    assert tell_endings(now=NOW + timedelta(hours=3)) == Told(0, 0, 0)
    assert tell_endings(now=NOW + DAY) == Told(1, 1, 1)
    assert [day for _to, day in mails()] == ["2027-05-03", "2027-05-04"]


def test_the_last_day_of_an_end_at_midnight_is_the_day_before():
    assert last_day(datetime.fromisoformat("2027-08-01T00:00:00+02:00")) == date(2027, 7, 31)
    assert last_day(datetime.fromisoformat("2027-08-01T00:00:01+02:00")) == date(2027, 8, 1)
    # The midnight after the day on which the clock goes back.
    assert last_day(datetime.fromisoformat("2027-11-01T00:00:00+01:00")) == date(2027, 10, 31)


def test_what_was_extended_is_told_anew_before_its_new_end(account, course):
    ada = seat(account, course, days=6)
    tell_endings(now=NOW)
    run_extend(reference=ada.seat.reference, days=30, at=NOW, key="1", actor=SYSTEM)
    tell_endings(now=NOW + DAY)
    tell_endings(now=NOW + 29 * DAY)
    assert notices() == [
        ("seats", "2027-05-09", 7),
        ("seats", "2027-06-08", 60),
        ("seats", "2027-06-08", 7),
    ]


# --- what -------------------------------------------------------------------------------------------


def test_seats_free_seats_sessions_and_spaces_in_one_mail(account, course):
    seat(account, course, days=6)
    make_pool(account, 3, assign_before=NOW + 20 * DAY, access_seconds=86_400 * 400)
    session_of(account, make_course(), "bob@example.org", "tom@example.org", days=50)
    make_space(account=account, starts_at=NOW - DAY, ends_at=NOW + 7 * DAY)
    assert tell_endings(now=NOW) == Told(1, 1, 4)
    assert notices() == [
        ("seats", "2027-05-09", 7),
        ("validity", "2027-05-23", 30),
        ("session", "2027-06-22", 60),
        ("space", "2027-05-10", 7),
    ]
    assert mails() == [("owner@demo.example", "2027-05-03")]


def test_people_of_a_session_are_told_with_it_unless_they_last_longer(account, course):
    session = session_of(account, course, "ada@example.org", "bob@example.org", days=6)
    ada = Assignment.objects.get(email="ada@example.org")
    until = NOW + 40 * DAY
    extend_until(references=[ada.seat.reference], until=until, actor=OPERATOR, why="goodwill")
    tell_endings(now=NOW)
    assert notices() == [("seats", "2027-06-12", 60), ("session", "2027-05-09", 7)]
    assert EndingNotice.objects.filter(subject=f"session:{session.reference}").exists()


def test_what_has_ended_or_was_withdrawn_or_has_no_end_is_not_told(account, course):
    ada = seat(account, course, days=6)
    space = make_space(account=account, starts_at=NOW - DAY, ends_at=NOW + 6 * DAY)
    session = session_of(account, make_course(), "tom@example.org", days=6)
    pool = make_pool(account, 1, assign_before=NOW + 6 * DAY)
    named = [ada.seat.reference, space.reference, session.reference, pool.seats.get().reference]
    withdraw(references=named, actor=OPERATOR, why="x")
    make_pool(account, 1, assign_before=NOW - DAY)
    make_pool(account, 1)
    give(account, course, "bob@example.org")
    assert tell_endings(now=NOW) == Told(0, 0, 0)


def test_seats_that_everybody_has_are_not_told_as_free(account, course):
    make_pool(account, 1, assign_before=NOW + 6 * DAY)
    give(account, course, "ada@example.org")
    assert tell_endings(now=NOW) == Told(0, 0, 0)


# --- to whom ----------------------------------------------------------------------------------------


def test_owners_and_managers_are_written_to_and_nobody_else(account, course):
    for role in (Role.MANAGER, Role.BUYER, Role.VIEWER):
        make_member(role, account=account, person=make_person(email=f"{role}@demo.example"))
    make_member(Role.MANAGER, account=account, person=make_person(email="gone@demo.example", is_active=False))
    seat(account, course, days=6)
    tell_endings(now=NOW)
    assert sorted(to for to, _day in mails()) == ["manager@demo.example", "owner@demo.example"]


def test_each_organisation_gets_its_own_mail(account, course):
    other = make_account()
    make_member(Role.OWNER, account=other, person=Member.objects.get(account=account).person)
    seat(account, course, days=6)
    seat(other, course, days=6, email="bob@example.org")
    assert tell_endings(now=NOW) == Told(2, 2, 2)


def test_a_thousand_seats_are_a_constant_number_of_statements(account, course):
    make_pool(account, 30, access_ends_at=NOW + 6 * DAY)
    apply(plan_list(account, course, *(f"p{n}@example.org" for n in range(30))))
    with CaptureQueriesContext(connection) as captured:
        assert tell_endings(now=NOW) == Told(1, 1, 1)
    assert len(captured) <= 14


def test_the_command_tells_what_it_told(account, course, capsys):
    seat(account, course, days=6)
    call_command("tellendings", "--at", NOW.isoformat(), "--json")
    assert json.loads(capsys.readouterr().out) == {"accounts": 1, "mails": 1, "endings": 1}
