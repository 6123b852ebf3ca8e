"""Running what is due here and now: for operators, and for the sweeper."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from billing.models import ProductionRun
from billing.production.queue import TASK, due_runs
from billing.production.runs import run
from common import audit, leases
from common.audit import Actor
from common.wake import wake


def produce(
    *,
    numbers: Collection[str] | None = None,
    retry_failed: bool = False,
    takeover: bool = False,
    now: datetime | None = None,
    actor: Actor,
) -> list[str]:
    """Run what is due of the orders named (None: of all); returns the numbers of the orders concerned.

    `retry_failed` queues their failed runs again first. `takeover` also takes what another worker still holds.
    `now` is the instant at which "due" is judged, the present one by default.
    """
    if retry_failed:
        for run_id in _of(ProductionRun.objects.filter(state=ProductionRun.State.FAILED), numbers):
            retry(run_id=run_id, actor=actor, at=now, wake_up=False)
    touched = _run_all(numbers=numbers, now=now, takeover=takeover)
    if numbers is not None:
        return list(numbers)
    bills = ProductionRun.objects.filter(pk__in=touched).values_list("line__bill__number", flat=True)
    return sorted(set(bills))


def run_due(*, now: datetime | None = None, limit: int = 200) -> int:
    """Run what is due of all orders, preparations first; returns how many were tried. The sweeper calls this."""
    return len(_run_all(numbers=None, now=now, takeover=False, limit=limit))


def retry(*, run_id: int, actor: Actor, at: datetime | None = None, wake_up: bool = True) -> bool:
    """Queue a failed run again, its attempts counted anew.

    Returns False when it is not failed (any more), or was given up for good.
    """
    with transaction.atomic():
        failed = ProductionRun.objects.filter(pk=run_id, state=ProductionRun.State.FAILED, abandoned_at=None)
        queued = failed.update(
            state=ProductionRun.State.QUEUED,
            not_before=min(at or timezone.now(), timezone.now()),
            attempts_before=F("attempt"),
            waiting_since=None,
            finished_at=None,
        )
        if not queued:
            return False
        bill = ProductionRun.objects.select_related("line__bill").get(pk=run_id).line.bill
        audit.record(
            actor=actor,
            verb="run.retried",
            object=f"bill:{bill.number}",
            scope=f"account:{bill.account_id}",
            counts={"run": run_id},
        )
        if wake_up:
            wake(TASK, run_id)
    return True


def call_waiting() -> int:
    """Make the runs that wait for the course platform due at once, and wake workers; returns how many were not due."""
    with transaction.atomic():
        called = leases.call_waiting(ProductionRun)
        for run_id in called:
            wake(TASK, run_id)
    return len(called)


def _run_all(
    *, numbers: Collection[str] | None, now: datetime | None, takeover: bool, limit: int | None = None
) -> set[int]:
    """Run until nothing new is due: a finished preparation makes its delivery due. Each run is tried once."""
    tried: set[int] = set()
    while limit is None or len(tried) < limit:
        moment = now or timezone.now()
        fresh = [pk for pk in _of(due_runs(now=moment, takeover=takeover), numbers) if pk not in tried]
        if not fresh:
            break
        for pk in fresh[: None if limit is None else limit - len(tried)]:
            tried.add(pk)
            run(pk, takeover=takeover, now=moment)
    return tried


def _of(runs: QuerySet[ProductionRun], numbers: Collection[str] | None) -> list[int]:
    if numbers is not None:
        runs = runs.filter(line__bill__number__in=numbers)
    return list(runs.values_list("id", flat=True))
