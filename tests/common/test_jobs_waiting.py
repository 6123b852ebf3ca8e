"""Jobs that meet something absent wait, and are never given up; others are after MAX_ATTEMPTS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from common import jobs
from common.jobs import MAX_ATTEMPTS, Waiting
from common.leases import LeaseLost
from common.models import Job

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Outside:
    """What the job needs: away until it is said to be there."""

    def __init__(self) -> None:
        self.error: BaseException | None = Waiting("no route to host")
        self.seen: list[int] = []
        self.before: Callable[[jobs.Progress], object] = lambda progress: None

    def __call__(self, number: int, progress: jobs.Progress) -> None:
        self.seen.append(number)
        self.before(progress)
        if self.error is not None:
            raise self.error


@pytest.fixture
def outside(monkeypatch) -> Outside:
    outside = Outside()
    monkeypatch.setitem(jobs._runners, "call", outside)
    return outside


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def the_job() -> Job:
    return Job.objects.get(kind="call", object_id=7)


def started() -> Job:
    jobs.start(kind="call", object_id=7, total=9)
    return the_job()


def test_ten_hours_of_absence_end_well_without_anybody(outside, clock):
    started()
    looks: list[float] = []
    for minute in range(600):
        clock.move_to(NOON + timedelta(minutes=minute))
        before = len(outside.seen)
        jobs.run_due()
        if len(outside.seen) > before:
            looks.append(minute)
    job = the_job()
    assert (job.state, job.waiting_since, job.last_error) == ("queued", NOON, "no route to host")
    assert (job.attempt, job.tries) == (len(looks), 0)
    assert len(looks) > MAX_ATTEMPTS
    # A look every five minutes in the end.
    assert looks[:4] == [0, 1, 2, 4]
    assert {after - before for before, after in zip(looks[-50:], looks[-49:], strict=False)} == {5}

    outside.error = None
    clock.move_to(NOON + timedelta(hours=10, minutes=5))
    assert jobs.run_due() == 1
    job = the_job()
    assert (job.state, job.waiting_since, job.last_error) == ("done", None, "")


@pytest.mark.parametrize(
    ("waited", "pause"), [(0, 10), (3, 10), (25, 25), (200, 200), (301, 300), (36_000, 300)]
)
def test_it_is_due_again_after_as_long_as_it_has_waited(outside, clock, waited, pause):
    started()
    Job.objects.update(waiting_since=NOON - timedelta(seconds=waited), attempt=4, attempts_before=4)
    assert not jobs.run(the_job().pk)
    job = the_job()
    assert job.not_before == NOON + timedelta(seconds=pause)
    assert (job.attempt, job.attempts_before, job.lease_until) == (5, 5, None)


def test_other_errors_are_given_up_and_absences_in_between_do_not_count(outside, clock):
    started()
    moment = NOON
    for number in range(MAX_ATTEMPTS):
        for error in (Waiting("away"), ValueError("broken")):
            assert the_job().state == "queued", number
            outside.error = error
            moment += timedelta(hours=2)
            clock.move_to(moment)
            assert not jobs.run(the_job().pk)
    job = the_job()
    assert (job.state, job.attempt, job.tries) == ("failed", 2 * MAX_ATTEMPTS, MAX_ATTEMPTS)
    assert (job.last_error, job.waiting_since) == ("ValueError", None)
    clock.move_to(moment + timedelta(days=1))
    assert jobs.call_waiting() == 0
    assert jobs.run_due() == 0


def test_after_progress_an_absence_counts_from_its_own_start(outside, clock):
    started()
    jobs.run(the_job().pk)
    outside.before = lambda progress: progress.report(5, 9)
    clock.move_to(NOON + timedelta(hours=3))
    jobs.run(the_job().pk)
    job = the_job()
    assert (job.done, job.waiting_since) == (5, NOON + timedelta(hours=3))
    assert job.not_before == NOON + timedelta(hours=3, seconds=10)
    # The same place again is no progress.
    clock.move_to(NOON + timedelta(hours=3, minutes=2))
    jobs.run(the_job().pk)
    assert the_job().waiting_since == NOON + timedelta(hours=3)


def test_what_waits_is_called_at_once_and_nothing_else(outside, clock):
    started()
    Job.objects.update(waiting_since=NOON - timedelta(hours=1))
    jobs.run(the_job().pk)
    Job.objects.create(kind="call", object_id=8, not_before=NOON + timedelta(hours=1))
    later = NOON + timedelta(hours=1)
    Job.objects.create(kind="call", object_id=9, state="failed", waiting_since=NOON, not_before=later)
    assert the_job().not_before == NOON + timedelta(minutes=5)
    assert jobs.call_waiting() == 1
    assert jobs.call_waiting() == 0
    outside.error = None
    assert jobs.run_due() == 1
    assert list(Job.objects.order_by("object_id").values_list("state", flat=True)) == [
        "done",
        "queued",
        "failed",
    ]


def test_whoever_was_overtaken_does_not_put_the_job_back(outside, clock):
    started()
    outside.before = lambda progress: Job.objects.update(attempt=50)
    assert not jobs.run(the_job().pk)
    job = the_job()
    assert (job.state, job.attempt, job.waiting_since) == ("running", 50, None)


# --- anew -----------------------------------------------------------------------------------------


def test_a_failed_job_tried_again_has_all_its_attempts(outside, clock):
    job = started()
    Job.objects.update(state="failed", attempt=MAX_ATTEMPTS, last_error="ValueError")
    assert jobs.retry(job.pk)
    assert not jobs.retry(job.pk)
    outside.error = ValueError()
    jobs.run(job.pk)
    assert (the_job().state, the_job().tries) == ("queued", 1)
    Job.objects.update(state="failed")
    assert jobs.retry_failed() == 1
    assert (the_job().state, the_job().tries, the_job().last_error) == ("queued", 0, "")


@pytest.mark.parametrize("state", ["queued", "running", "done", "failed"])
def test_a_job_is_begun_again_whatever_has_become_of_it(outside, clock, state):
    started()
    Job.objects.update(
        state=state,
        attempt=6,
        done=9,
        last_error="x",
        waiting_since=NOON,
        finished_at=NOON,
        lease_until=NOON,
        not_before=NOON + timedelta(hours=1),
    )
    job = jobs.restart(kind="call", object_id=7, total=4)
    assert (job.state, job.tries, job.done, job.total, job.last_error) == ("queued", 0, 0, 4, "")
    assert (job.waiting_since, job.finished_at, job.lease_until, job.not_before) == (None, None, None, NOON)
    outside.error = None
    assert jobs.run(job.pk)
    assert Job.objects.count() == 1


def test_who_works_on_a_job_that_is_begun_again_loses_it(outside, clock):
    def begin_again(progress: jobs.Progress) -> None:
        jobs.restart(kind="call", object_id=7)
        with pytest.raises(LeaseLost):
            progress.report(1, 9)

    job = started()
    outside.before = begin_again
    assert not jobs.run(job.pk)
    assert (the_job().state, the_job().attempt) == ("queued", 1)


def test_a_job_that_is_not_there_is_begun():
    assert jobs.restart(kind="call", object_id=7, total=4).state == "queued"
