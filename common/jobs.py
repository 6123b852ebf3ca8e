"""Jobs: long work as rows, with progress that a page can show and a crash cannot lose."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from common import leases
from common.models import Job
from common.wake import wake

logger = logging.getLogger(__name__)

LEASE = 120  # seconds; renewed at every report of progress
MAX_ATTEMPTS = 10


class Waiting(OSError):
    """Raised by a job's function: something outside is absent, for the reason given. The job waits, and is never given up."""


class Progress:
    """Handed to a job's function: it reports, and thereby keeps the lease."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def report(self, done: int, total: int) -> None:
        """Say how far the work is; raises LeaseLost when another worker has taken over."""
        fields: dict[str, Any] = {"lease_until": timezone.now() + timedelta(seconds=LEASE)}
        if done > self._job.done:
            fields["waiting_since"] = (
                None  # what it waited for has come: another absence counts from its own start
            )
        leases.record(self._job, done=done, total=total, **fields)


Runner = Callable[[int, Progress], None]
_runners: dict[str, Runner] = {}


def register(kind: str, runner: Runner) -> None:
    """Say what does jobs of this kind: a function of the object's id, resumable from rows alone."""
    _runners[kind] = runner


def start(*, kind: str, object_id: int, total: int = 0) -> Job:
    """Queue a job in the current transaction (once per kind and object); wakes a worker after the commit."""
    Job.objects.bulk_create([Job(kind=kind, object_id=object_id, total=total)], ignore_conflicts=True)
    job = Job.objects.get(kind=kind, object_id=object_id)
    wake("common.run_job", job.pk)
    return job


def restart(*, kind: str, object_id: int, total: int = 0) -> Job:
    """Queue a job anew in the current transaction, whatever has become of it; who works on it now loses it.

    Its attempts count from here. Wakes a worker after the commit.
    """
    Job.objects.bulk_create([Job(kind=kind, object_id=object_id, total=total)], ignore_conflicts=True)
    Job.objects.filter(kind=kind, object_id=object_id).update(
        **_anew(), done=0, total=total, created_at=timezone.now()
    )
    job = Job.objects.get(kind=kind, object_id=object_id)
    wake("common.run_job", job.pk)
    return job


def run(pk: int) -> bool:
    """Run one job here and now if it is due; returns whether it ended well."""
    job = leases.claim(Job, pk, seconds=LEASE)
    if job is None:
        return False
    try:
        return _attempt(job)
    except leases.LeaseLost:
        logger.warning("job %s, attempt %s: another worker has taken over", job.pk, job.attempt)
        return False


def _attempt(job: Job) -> bool:
    """Work on a claimed job. Raises LeaseLost."""
    try:
        _runners[job.kind](job.object_id, Progress(job))
        leases.record(
            job, state=Job.State.DONE, finished_at=timezone.now(), waiting_since=None, last_error=""
        )
    except leases.LeaseLost:
        raise
    except Waiting as error:
        logger.warning("job %s (%s) waits: %s", job.pk, job.kind, error)
        leases.wait(job, str(error) or type(error).__name__, state=Job.State.QUEUED)
        return False
    except (DatabaseError, OSError) as error:
        logger.warning("job %s (%s) attempt %s: %s", job.pk, job.kind, job.attempt, error)
        _put_back(job, str(error))
        return False
    except Exception as error:  # a runner may raise anything, and the work after this one must go on
        logger.exception("job %s (%s) attempt %s", job.pk, job.kind, job.attempt)
        _put_back(job, type(error).__name__)
        return False
    return True


def _put_back(job: Job, why: str) -> None:
    final = job.tries >= MAX_ATTEMPTS
    leases.record(
        job,
        state=Job.State.FAILED if final else Job.State.QUEUED,
        not_before=timezone.now() + leases.back_off(job.tries),
        waiting_since=None,
        last_error=why,
    )


def retry(pk: int, *, wake_up: bool = True) -> bool:
    """Queue a failed job again, its attempts counted anew; it goes on from its rows. False when it is not failed."""
    queued = Job.objects.filter(pk=pk, state=Job.State.FAILED).update(**_anew())
    if queued and wake_up:
        wake("common.run_job", pk)
    return bool(queued)


def retry_failed() -> int:
    """As `retry`, all that have failed, due at once but not woken; returns how many."""
    return Job.objects.filter(state=Job.State.FAILED).update(**_anew())


def _anew() -> dict[str, Any]:
    return {
        "state": Job.State.QUEUED,
        "not_before": timezone.now(),
        "lease_until": None,
        "attempts_before": F("attempt"),
        "waiting_since": None,
        "finished_at": None,
        "last_error": "",
    }


def call_waiting() -> int:
    """Make the jobs that wait for something outside due at once, and wake workers; returns how many were not due."""
    with transaction.atomic():
        called = leases.call_waiting(Job)
        for pk in called:
            wake("common.run_job", pk)
    return len(called)


def run_due(*, limit: int = 50) -> int:
    """Run what is due, oldest first; returns how many ended well. The sweeper calls this."""
    due = leases.due(Job, now=timezone.now())
    return sum(
        run(pk) for pk in list(Job.objects.filter(due).order_by("id").values_list("pk", flat=True)[:limit])
    )
