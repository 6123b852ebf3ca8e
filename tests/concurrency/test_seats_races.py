"""Several managers, operators and workers at the same second, on the same seats and the same people."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from common import jobs
from common.audit import OPERATOR
from common.models import Job, OutboxMail
from courses.models import Course, Enrolment
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool
from seats.selectors import pool_counts
from seats.services import Refused, generate_seats, release, replace, reserving, start_apply
from tests.accounts.factories import make_account
from tests.concurrency.racing import together
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, plan_list, states

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3
needs_row_locks = pytest.mark.needs_postgresql


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings) -> Iterator[None]:
    """The tests say who runs what, and no mail leaves."""
    settings.SHOPSEATS_MAIL = "hold"
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


def started(account: CustomerAccount, course: Course, *emails: str) -> Callable[[], Any]:
    """A list that was said yes to; the function is the worker that applies it."""
    batch = plan_list(account, course, *emails)
    AssignmentBatch.objects.filter(pk=batch.pk).update(state="applying", applied_by="operator")
    job = Job.objects.create(kind="seats.apply", object_id=batch.pk, total=batch.size)
    return partial(jobs.run, job.pk)


def outcomes() -> Counter[tuple[str, str]]:
    return Counter(AssignmentRow.objects.values_list("verdict", "outcome"))


def invariant(account: CustomerAccount) -> None:
    """What must hold whatever happened."""
    assert sum(states(account).values()) == Seat.objects.filter(account=account).count()
    live = Assignment.objects.filter(account=account, ended_at=None)
    assert live.values("seat").distinct().count() == live.count()
    enrolled = set(Enrolment.objects.filter(status="active").values_list("course", "person"))
    assert set(Assignment.objects.filter(ended_at=None).values_list("course", "person")) == enrolled
    told: Counter[str] = Counter()
    for pool in pool_counts(account.pk):
        told.update(pool.states)
    assert told == states(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_managers_apply_lists_for_the_last_five_seats(_round):
    account, course = make_account(), make_course()
    make_pool(account, 5)
    first = started(account, course, *(f"a{n}@x.org" for n in range(4)))
    second = started(account, course, *(f"b{n}@x.org" for n in range(4)))

    assert together([first, second]) == [True, True]

    assert outcomes() == {("new_account", "assigned"): 5, ("no_seat", "refused"): 3}
    assert states(account) == {"assigned": 5}
    assert Person.objects.count() == Delegation.objects.count() == OutboxMail.objects.count() == 5
    invariant(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_the_same_list_by_two_managers_of_one_organisation(_round):
    account, course = make_account(), make_course()
    make_pool(account, 10)
    emails = [f"p{n}@x.org" for n in range(5)]
    first = started(account, course, *emails)
    second = started(account, course, *reversed(emails))

    assert together([first, second]) == [True, True]

    assert outcomes() == {("new_account", "assigned"): 5, ("already_enrolled", "unchanged"): 5}
    assert states(account) == {"free": 5, "assigned": 5}
    invariant(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_the_same_people_and_course_by_two_organisations(_round):
    course = make_course()
    accounts = [make_account(), make_account()]
    emails = [f"p{n}@x.org" for n in range(6)]
    for account in accounts:
        make_pool(account, 6)
    workers = [
        started(accounts[0], course, *emails),
        started(accounts[1], course, *reversed(emails)),
    ]

    assert together(workers) == [True, True]

    # Who comes second finds them enrolled, and keeps his seats.
    assert sum(number for (verdict, _), number in outcomes().items() if verdict == "already_enrolled") == 6
    assert Assignment.objects.filter(ended_at=None).count() == 6
    assert sum(states(account).get("free", 0) for account in accounts) == 6
    assert OutboxMail.objects.count() == 6
    for account in accounts:
        invariant(account)


@needs_row_locks
def test_who_loses_the_race_for_a_person_is_told_already_enrolled_and_his_seat_serves_the_next(monkeypatch):
    """The other organisation commits between our look and our insert: the database is the judge."""
    course = make_course()
    ours, theirs = make_account(), make_account()
    make_pool(ours, 1)
    make_pool(theirs, 1)
    Person.objects.create_user("shared@x.org")
    worker = started(ours, course, "shared@x.org", "next@x.org")
    insert = reserving._make_people

    def quicker(batch, going) -> None:
        monkeypatch.setattr(reserving, "_make_people", insert)
        together([partial(give, theirs, course, "shared@x.org")])
        insert(batch, going)

    monkeypatch.setattr(reserving, "_make_people", quicker)

    assert worker()

    rows = AssignmentRow.objects.filter(batch__account=ours).order_by("position")
    assert [(row.planned_verdict, row.verdict, row.outcome) for row in rows] == [
        ("existing_account", "already_enrolled", "unchanged"),
        ("no_seat", "new_account", "assigned"),
    ]
    assert rows[0].detail == {"ends": None}
    assert states(ours) == {"assigned": 1}
    assert not Assignment.objects.filter(account=ours, person__email="shared@x.org").exists()


@needs_row_locks
def test_without_the_lock_on_the_account_seats_would_be_lost(monkeypatch):
    """The lock is what makes it right: without it both lists see the same free seats."""
    account, course = make_account(), make_course()
    make_pool(account, 5)
    workers = [
        started(account, course, *(f"a{n}@x.org" for n in range(5))),
        started(account, course, *(f"b{n}@x.org" for n in range(5))),
    ]
    barrier = threading.Barrier(2)
    take = reserving._make_people

    def late(batch, going) -> None:
        barrier.wait(10)
        take(batch, going)

    monkeypatch.setattr(reserving, "_make_people", late)
    monkeypatch.setattr("seats.services.apply.lock_account", lambda pk: CustomerAccount.objects.get(pk=pk))

    together(workers)

    # Both were promised the same seats: whoever lost is told something untrue.
    assert outcomes()[("already_enrolled", "unchanged")] > 0


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_one_seat_is_taken_back_by_two(_round):
    account, course = make_account(), make_course()
    make_pool(account, 1)
    given = give(account, course, "a@x.org")
    take_back = partial(release, reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

    results = together([take_back, take_back])

    assert results.count(None) == 1
    [refusal] = [result for result in results if result is not None]
    assert isinstance(refusal, Refused)
    assert refusal.code == "free"
    assert states(account) == {"free": 1}
    invariant(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_one_seat_is_given_to_two_others(_round):
    account, course = make_account(), make_course()
    make_pool(account, 1)
    given = give(account, course, "a@x.org")

    def give_to(email: str) -> Assignment:
        return replace(reference=given.seat.reference, account_id=account.pk, email=email, actor=OPERATOR)

    results = together([partial(give_to, "b@x.org"), partial(give_to, "c@x.org")])

    # One after the other: the second replaces the first.
    assert not [result for result in results if isinstance(result, Exception)]
    assert states(account) == {"assigned": 1}
    assert Assignment.objects.filter(ended_at=None).count() == 1
    invariant(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_seat_is_taken_back_while_a_list_waits_for_it(_round):
    account, course = make_account(), make_course()
    make_pool(account, 1)
    given = give(account, course, "a@x.org")
    worker = started(account, course, "b@x.org")

    take_back = partial(release, reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)
    actions: list[Callable[[], Any]] = [take_back, worker]

    results = together(actions)

    assert results == [None, True]
    row = AssignmentRow.objects.get(email="b@x.org")
    assert (row.outcome, states(account)) in [("assigned", {"assigned": 1}), ("refused", {"free": 1})]
    invariant(account)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_list_is_said_yes_to_by_two_at_once(_round):
    account, course = make_account(), make_course()
    make_pool(account, 3)
    batch = plan_list(account, course, "a@x.org", "b@x.org")

    first, second = together([lambda: start_apply(batch_id=batch.pk, actor=OPERATOR)] * 2)

    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert first.pk == second.pk
    assert together([lambda: jobs.run(first.pk)] * 2).count(True) == 1
    assert outcomes() == {("new_account", "assigned"): 2}


@needs_row_locks
def test_a_worker_that_was_taken_over_does_nothing_more(monkeypatch):
    """It is slow in the middle of its second transaction, its lease ends, and another takes the job."""
    monkeypatch.setattr("seats.services.apply.CHUNK", 1)
    account, course = make_account(), make_course()
    make_pool(account, 5)
    worker = started(account, course, "a@x.org", "b@x.org", "c@x.org")
    report = jobs.Progress.report
    others: list[threading.Thread] = []

    def take_over() -> None:
        Job.objects.update(lease_until=timezone.now())
        jobs.run(Job.objects.get().pk)
        connection.close()

    def overslept(self, done: int, total: int) -> None:
        if done == 2 and not others:
            others.append(threading.Thread(target=take_over))
            others[0].start()
            pause = threading.Event()
            while Job.objects.get().attempt == 1:
                pause.wait(0.01)
        report(self, done, total)

    monkeypatch.setattr(jobs.Progress, "report", overslept)

    assert worker() is False
    others[0].join(30)

    assert outcomes() == {("new_account", "assigned"): 3}
    assert OutboxMail.objects.count() == 3
    assert states(account) == {"free": 2, "assigned": 3}
    assert Job.objects.get().state == "done"


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_seats_of_one_line_made_by_two_workers(_round):
    account = make_account()
    key = uuid.uuid4()

    def make() -> int:
        return generate_seats(
            line_key=key,
            account_id=account.pk,
            item_code="SEATS",
            item_name="Seats",
            bill_number="CMD-1",
            count=50,
            purchased_at=timezone.now(),
        )

    assert together([make, make, make]) == [50, 50, 50]

    assert SeatPool.objects.count() == 1
    assert sorted(Seat.objects.values_list("ordinal", flat=True)) == list(range(1, 51))
