"""Is anything stuck? What `status` tells an operator or a monitor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q
from django.utils import timezone

from billing.models import ProductionRun
from common import leases
from common.models import Job, OutboxMail


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds for which the oldest due row has waited (None: nothing waits), and how many rows have failed."""

    oldest_run: int | None
    oldest_job: int | None
    oldest_mail: int | None
    failed_runs: int
    failed_jobs: int
    failed_mails: int


def watch(*, now: datetime | None = None) -> Watch:
    """What waits although it is due, and what has failed: six queries."""
    now = now or timezone.now()
    return Watch(
        oldest_run=_oldest(ProductionRun, now),
        oldest_job=_oldest(Job, now),
        oldest_mail=_oldest(OutboxMail, now),
        # What was given up needs nobody any more.
        failed_runs=ProductionRun.objects.filter(state=ProductionRun.State.FAILED, abandoned_at=None).count(),
        failed_jobs=Job.objects.filter(state=Job.State.FAILED).count(),
        failed_mails=OutboxMail.objects.filter(state=OutboxMail.State.FAILED).count(),
    )


def _oldest(model: type[leases.LeasedRow], now: datetime) -> int | None:
    """A row that nobody holds counts from when it was due, one whose holder is gone from the end of its lease."""
    waiting: Q = leases.due(model, now=now)
    since = model._default_manager.filter(waiting).aggregate(since=Min("not_before"))["since"]
    return None if since is None else max(int((now - since).total_seconds()), 0)
