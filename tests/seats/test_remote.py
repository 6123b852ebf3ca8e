"""With a remote platform: planned by a job, told between two transactions, resumed from rows alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from common import jobs
from common.audit import OPERATOR
from common.leases import LeaseLost
from common.models import Job, OutboxMail
from courses.models import Course, Enrolment
from seats.models import Assignment, AssignmentBatch
from seats.services import run_apply, start_apply
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import Silent, make_pool, plan_list, planned, states, told
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account()
    make_pool(account, 5)
    return account


@pytest.fixture
def course() -> Course:
    return make_course()


def started(account, course, *emails: str) -> AssignmentBatch:
    batch = plan_list(account, course, *emails)
    jobs.run(job_of(batch))
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    return AssignmentBatch.objects.select_related("job").get(pk=batch.pk)


def job_of(batch: AssignmentBatch) -> int:
    assert batch.job is not None
    return batch.job.pk


def rows(batch: AssignmentBatch):
    return told(list(batch.rows.order_by("position")))


def test_planning_is_a_job(far, account, course):
    batch = plan_list(account, course, "a@x.org", "bad")
    assert (batch.state, planned(batch), far.calls) == ("planning", ["", "invalid"], [])

    assert jobs.run(job_of(batch))

    batch.refresh_from_db()
    assert (batch.state, planned(batch)) == ("planned", ["new_account", "invalid"])


def test_a_plan_made_while_the_platform_is_away_is_made_later(far, account, course):
    Person.objects.create_user("a@x.org")
    far.is_away = True
    batch = plan_list(account, course, "a@x.org")
    assert not jobs.run(job_of(batch))
    assert AssignmentBatch.objects.get().state == "planning"

    far.is_away = False
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert jobs.run_due() == 1

    assert AssignmentBatch.objects.get().state == "planned"


def test_the_end_is_the_same_as_with_a_local_platform(far, account, course):
    batch = started(account, course, "a@x.org", "b@x.org", "a@x.org")

    assert jobs.run(job_of(batch))

    assert rows(batch) == [
        ("new_account", "assigned"),
        ("new_account", "assigned"),
        ("duplicate", "unchanged"),
    ]
    assert states(account) == {"free": 3, "assigned": 2}
    assert OutboxMail.objects.count() == 2
    assert AssignmentBatch.objects.get().state == "applied"


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_never_called_inside_a_transaction(far, account, course, monkeypatch):
    Person.objects.create_user("known@x.org")
    far.checks_transactions = True
    batch = started(account, course, "a@x.org", "known@x.org")

    jobs.run(job_of(batch))  # where it was not eager

    assert rows(batch) == [("new_account", "assigned"), ("existing_account", "assigned")]
    assert set(far.calls) == {
        "active_enrolments",
        "strangers",
        "ensure_logins",
        "known_ends",
        "ensure_enrolments",
        "ensure_group_members",
    }


def test_while_it_is_told_the_seats_are_reserved(far, account, course):
    batch = started(account, course, "a@x.org", "b@x.org")
    seen: list[dict[str, int]] = []
    far.on_enrolling = lambda: seen.append(states(account))

    jobs.run(job_of(batch))

    assert seen == [{"free": 3, "reserved": 2}]


def test_what_an_interrupted_worker_had_reserved_is_told_again_and_confirmed_once(far, account, course):
    batch = started(account, course, "a@x.org", "b@x.org")

    def killed() -> None:
        raise KeyboardInterrupt

    far.on_enrolling = killed
    with pytest.raises(KeyboardInterrupt):
        run_apply(batch.pk, Silent())
    assert states(account) == {"free": 3, "reserved": 2}
    assert not OutboxMail.objects.exists()

    far.on_enrolling = lambda: None
    run_apply(batch.pk, Silent())

    assert rows(batch) == [("new_account", "assigned")] * 2
    assert states(account) == {"free": 3, "assigned": 2}
    assert OutboxMail.objects.filter(kind="invitation").count() == 2
    assert Assignment.objects.count() == 2


def test_people_nobody_answered_for_stay_pending_until_they_are_asked_again(far, account, course):
    batch = started(account, course, "a@x.org", "b@x.org")
    far.on_enrolling = lambda: far.silent_about.update(
        Person.objects.filter(email="b@x.org").values_list("pk", flat=True)
    )

    assert not jobs.run(job_of(batch))

    assert rows(batch) == [("new_account", "assigned"), ("new_account", "pending")]
    assert states(account) == {"free": 3, "assigned": 1, "reserved": 1}
    assert Job.objects.get(pk=job_of(batch)).state == "queued"
    assert AssignmentBatch.objects.get().state == "applying"

    far.on_enrolling = lambda: None
    far.silent_about.clear()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert jobs.run_due() == 1

    assert rows(batch) == [("new_account", "assigned")] * 2
    assert states(account) == {"free": 3, "assigned": 2}
    assert OutboxMail.objects.count() == 2
    assert Enrolment.objects.count() == 2


def test_a_platform_that_is_away_costs_nothing_but_time(far, account, course):
    batch = started(account, course, "a@x.org")
    far.is_away = True

    assert not jobs.run(job_of(batch))
    assert states(account) == {"free": 5}

    far.is_away = False
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert jobs.run_due() == 1
    assert states(account) == {"free": 4, "assigned": 1}


def test_a_list_whose_job_was_given_up_goes_on_when_somebody_says_yes_again(far, account, course):
    def broken() -> None:
        raise ValueError

    batch = started(account, course, "a@x.org")
    far.on_enrolling = broken
    Job.objects.filter(kind="seats.apply").update(attempt=jobs.MAX_ATTEMPTS)
    assert not jobs.run(job_of(batch))
    assert Job.objects.get(pk=job_of(batch)).state == "failed"

    far.on_enrolling = lambda: None
    job = start_apply(batch_id=batch.pk, actor=OPERATOR)

    assert (job.pk, job.state) == (job_of(batch), "queued")
    assert jobs.run(job.pk)
    assert states(account) == {"free": 4, "assigned": 1}
    assert OutboxMail.objects.count() == 1


def test_whoever_has_lost_the_job_reserves_nothing(far, account, course):
    batch = started(account, course, "a@x.org")

    class TakenOver(Silent):
        def report(self, done: int, total: int) -> None:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        run_apply(batch.pk, TakenOver())

    assert states(account) == {"free": 5}
    assert not Person.objects.exists()
