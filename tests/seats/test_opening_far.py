"""A remote platform is asked every quarter of an hour who has opened his course; no page ever asks it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Role
from courses.models import Course, Enrolment
from delegation.models import Delegation
from seats import tasks
from seats.models import Assignment
from seats.services import run_note_openings
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import apply, make_pool, people, plan_list, states
from tests.seats.pages import House, words
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


def seated(account: CustomerAccount, course: Course, *emails: str) -> None:
    make_pool(account, len(emails))
    apply(plan_list(account, course, listed=people(*emails)))


def visited(*emails: str, course: Course | None = None) -> None:
    rows = Enrolment.objects.filter(person__email__in=emails)
    (rows if course is None else rows.filter(course=course)).update(opened_at=timezone.now())


def test_what_was_opened_is_written_for_all_organisations(far):
    one, other = make_account(), make_account()
    first, second = make_course(), make_course()
    seated(one, first, "a@x.org", "b@x.org")
    seated(one, second, "a@x.org")
    seated(other, first, "c@x.org")
    stamps = dict(CustomerAccount.objects.values_list("pk", "stamp"))
    visited("a@x.org", course=first)
    visited("c@x.org")
    far.calls.clear()

    assert run_note_openings(now=timezone.now()) == 2

    assert far.calls == ["opened", "opened"]
    assert (states(one), states(other)) == ({"consumed": 1, "assigned": 2}, {"consumed": 1})
    assert sorted(Delegation.objects.exclude(accepted_at=None).values_list("email", flat=True)) == [
        "a@x.org",
        "c@x.org",
    ]
    changed = {pk for pk, stamp in CustomerAccount.objects.values_list("pk", "stamp") if stamp != stamps[pk]}
    assert changed == {one.pk, other.pk}
    assert run_note_openings(now=timezone.now()) == 0


def test_a_visit_is_told_in_whole_seconds(far, monkeypatch):
    account, course = make_account(), make_course()
    seated(account, course, "a@x.org", "b@x.org")
    given = Assignment.objects.order_by("pk")[0].created_at
    told = [given.replace(microsecond=0), given.replace(microsecond=0) - timedelta(seconds=1)]
    monkeypatch.setattr(far, "opened", lambda pairs: told)
    assert run_note_openings(now=timezone.now()) == 1
    assert states(account) == {"consumed": 1, "assigned": 1}


def test_nobody_is_asked_about_seats_that_are_started_not_begun_over_or_empty(far):
    account = make_account()
    worlds: list[dict[str, Any]] = [
        {"opened_at": timezone.now()},
        {"starts_at": timezone.now() + timedelta(days=1)},
        {"starts_at": timezone.now() - timedelta(days=2), "ends_at": timezone.now() - timedelta(days=1)},
        {"state": "reserved"},
    ]
    for number, fields in enumerate(worlds):
        seated(account, make_course(), f"p{number}@x.org")
        Assignment.objects.filter(email=f"p{number}@x.org").update(**fields)
    far.calls.clear()
    assert (run_note_openings(now=timezone.now()), far.calls) == (0, [])


def test_a_hundred_openings_take_as_many_statements_as_one(far):
    def statements(number: int) -> int:
        account, course = make_account(), make_course()
        emails = [f"{course.shortname}-{n}@x.org" for n in range(number)]
        seated(account, course, *emails)
        visited(*emails)
        with CaptureQueriesContext(connection) as sent:
            assert run_note_openings(now=timezone.now()) == number
        return len(sent)

    assert statements(100) == statements(1)


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_outside_transactions_and_by_the_clock(far):
    account, course = make_account(), make_course()
    seated(account, course, "a@x.org")
    visited("a@x.org")
    far.checks_transactions = True
    schedule = configured.CELERY_BEAT_SCHEDULE["note_openings"]
    assert schedule == {"task": "seats.note_openings", "schedule": 900.0}
    assert tasks.note_openings.name == schedule["task"]
    tasks.note_openings()
    assert states(account) == {"consumed": 1}


def test_a_platform_that_is_away_is_asked_at_the_next_hour(far, caplog):
    seated(make_account(), make_course(), "a@x.org")
    far.is_away = True
    tasks.note_openings()
    assert "no route to host" in caplog.text


def test_a_local_platform_tells_by_itself(monkeypatch):
    account, course = make_account(), make_course()
    seated(account, course, "a@x.org")
    visited("a@x.org")
    assert run_note_openings(now=timezone.now()) == 0
    assert states(account) == {"assigned": 1}


def test_pages_ask_nobody(far):
    house = House()
    course = make_course("EXCEL1")
    seated(house.account, course, "a@x.org")
    visited("a@x.org")
    reference = Assignment.objects.select_related("seat").get().seat.reference
    far.calls.clear()
    client = house.browser(Role.MANAGER)
    for page in ("/seats/", "/seats/all/", "/seats/?course=EXCEL1", f"/seats/{reference}/"):
        assert words(client.get(page))
    assert far.calls == []
