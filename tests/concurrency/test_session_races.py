"""Sessions at the same moment: two workers on one run, one that dies silently, two customers with one person."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from celery import current_app
from django.db import connections, transaction
from django.utils import timezone

from billing.models import Bill, ProductionRun
from billing.production import run
from billing.services import OrderLine, record_payment
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.models import Course, Enrolment
from handlers.contract import ParticipantEntry
from seats.models import Assignment, Seat, SeatPool, Session
from seats.services import session
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.concurrency.racing import together
from tests.courses.factories import make_course
from tests.seats.remote import FarPlatform, install
from tests.seats.sessions import enrolled, members

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

PEOPLE = tuple(f"p{number}@x.example" for number in range(1, 6))


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings, monkeypatch) -> Iterator[None]:
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setattr("seats.services.session.CHUNK", 2)
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def course() -> Course:
    return make_course("SPOC")


def bought(*people: str, customer: Customer | None = None) -> ProductionRun:
    """The delivery of an opened order of a session for these people."""
    customer = customer or Customer()
    item = plain_item(
        f"S{Bill.objects.count()}",
        handler="setuponecoursesession",
        params="coursename=SPOC",
        seat_mode="quantity",
    )
    named = [ParticipantEntry(email) for email in people]
    bill = customer.place(OrderLine(item, len(named), participants=named))
    record_payment(number=bill.number, actor=OPERATOR)
    runs = ProductionRun.objects.filter(line__bill=bill)
    assert run(runs.get(phase="prepare").pk)
    return runs.get(phase="deliver")


def delivered_once(course: Course) -> None:
    """Five people in five seats, each told once."""
    assert (Session.objects.count(), SeatPool.objects.count(), Seat.objects.count()) == (1, 1, 5)
    assert list(Assignment.objects.order_by("seat__ordinal").values_list("email", "state")) == [
        (email, "live") for email in PEOPLE
    ]
    assert enrolled(course) == [(email, "student") for email in PEOPLE]
    told = Counter(OutboxMail.objects.filter(kind="invitation").values_list("to", flat=True))
    assert told == Counter(PEOPLE)
    assert OutboxMail.objects.filter(kind="delivered").count() == 1


def test_of_two_workers_on_one_run_one_delivers(course):
    delivery = bought(*PEOPLE)
    results = together([partial(run, delivery.pk)] * 4)
    assert sorted(results, key=str) == [False, False, False, True]
    delivered_once(course)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt) == ("done", 1)


@pytest.mark.parametrize("remote", [False, True])
def test_a_worker_that_falls_silent_is_overtaken_and_changes_nothing_afterwards(
    course, remote: bool, monkeypatch, settings
):
    """Its lease ends while it is busy: another finishes, and the first one finds its run gone."""
    platform = install(monkeypatch, settings)
    platform.is_remote = remote
    delivery = bought(*PEOPLE)
    busy, go_on = threading.Event(), threading.Event()

    def fall_silent() -> None:
        platform.on_enrolling = lambda: None
        busy.set()
        assert go_on.wait(60)

    platform.on_enrolling = fall_silent if remote else platform.on_enrolling
    if not remote:
        _fall_silent_between_chunks(monkeypatch, fall_silent, platform)
    results: list[bool] = []

    def first_worker() -> None:
        results.append(run(delivery.pk))
        connections.close_all()

    thread = threading.Thread(target=first_worker)
    thread.start()
    assert busy.wait(60)
    ProductionRun.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run(delivery.pk) is True
    go_on.set()
    thread.join(60)
    assert results == [False]
    delivered_once(course)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt, delivery.delivered["enrolments"]) == ("done", 2, 5)


def _fall_silent_between_chunks(monkeypatch, fall_silent, platform: FarPlatform) -> None:
    """The first worker stops after its first commit: a local platform is told within the transaction."""
    hold = session._Work._hold
    calls: list[int] = []

    def stop_before_the_second(work) -> None:
        calls.append(1)
        hold(work)

    def wait_outside(work, line):
        done = next_here(work, line)
        if len(calls) == 1:
            transaction.on_commit(fall_silent)
        return done

    next_here = session._Work._next_here
    monkeypatch.setattr(session._Work, "_hold", stop_before_the_second)
    monkeypatch.setattr(session._Work, "_next_here", wait_outside)


def test_one_person_in_two_customers_sessions_at_the_same_moment_has_one_seat_and_both_groups(course):
    first = Customer(make_account(slug="one"), make_person(), make_person())
    second = Customer(make_account(slug="two"), make_person(), make_person())
    make_person(email="both@x.example")
    runs = [
        bought("a@x.example", "both@x.example", customer=first),
        bought("both@x.example", "b@x.example", customer=second),
    ]
    assert together([partial(run, delivery.pk) for delivery in runs]) == [True, True]
    assert Enrolment.objects.filter(person__email="both@x.example").count() == 1
    assert Assignment.objects.filter(email="both@x.example").count() == 1
    seats = sorted(
        delivery.delivered["enrolments"] for delivery in ProductionRun.objects.filter(phase="deliver")
    )
    assert seats == [1, 2]
    for delivery, other in zip(runs, ("a@x.example", "b@x.example"), strict=True):
        assert members(course, delivery.line.bill.number) == sorted(["both@x.example", other])


def test_many_customers_with_the_same_people_neither_wait_in_a_circle_nor_lose_anybody(course):
    names = [f"s{number}@x.example" for number in range(6)]
    runs = []
    for place in range(4):
        customer = Customer(make_account(slug=f"c{place}"), make_person(), make_person())
        people = names if place % 2 else names[::-1]
        runs.append(bought(*people, customer=customer))
    assert together([partial(run, delivery.pk) for delivery in runs]) == [True] * 4
    assert Assignment.objects.filter(ended_at=None).count() == 6
    assert Seat.objects.count() == 24
    for delivery in runs:
        assert members(course, delivery.line.bill.number) == names
