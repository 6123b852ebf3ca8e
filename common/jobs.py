"""Jobs: long work as rows, with progress that a page can show and a crash cannot lose."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone

from common import leases
from common.models import Job
from common.wake import wake

logger = logging.getLogger(__name__)

LEASE = 120  # seconds; renewed at every report of progress
MAX_ATTEMPTS = 10


class Progress:
    """Handed to a job's function: it reports, and thereby keeps the lease."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def report(self, done: int, total: int) -> None:
        """Say how far the work is; raises LeaseLost when another worker has taken over."""
        lease_until = timezone.now() + timedelta(seconds=LEASE)
        leases.record(self._job, done=done, total=total, lease_until=lease_until)


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
        leases.record(job, state=Job.State.DONE, finished_at=timezone.now(), last_error="")
    except leases.LeaseLost:
        raise
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
    final = job.attempt >= MAX_ATTEMPTS
    leases.record(
        job,
        state=Job.State.FAILED if final else Job.State.QUEUED,
        not_before=timezone.now() + leases.back_off(job.attempt),
        last_error=why,
    )


def retry_failed() -> int:
    """Queue failed jobs for one more attempt, due at once; returns how many. They go on from their rows."""
    failed = Job.objects.filter(state=Job.State.FAILED)
    return failed.update(state=Job.State.QUEUED, not_before=timezone.now())


def run_due(*, limit: int = 50) -> int:
    """Run what is due, oldest first; returns how many ended well. The sweeper calls this."""
    due = leases.due(Job, now=timezone.now())
    return sum(
        run(pk) for pk in list(Job.objects.filter(due).order_by("id").values_list("pk", flat=True)[:limit])
    )
