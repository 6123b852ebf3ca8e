"""Which runs there are, and which may start."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from billing.models import Bill, ProductionRun
from common import leases
from common.wake import wake

TASK = "billing.run"
UNFINISHED = (ProductionRun.State.QUEUED, ProductionRun.State.RUNNING, ProductionRun.State.WAITING)


def queue_runs(bill: Bill, phase: str, *, at: datetime) -> int:
    """Queue one run per line that has a handler, in the current transaction; wakes workers after the commit.

    A run that is there already stays as it is. Returns how many runs the order has in this phase.
    """
    lines = bill.lines.exclude(handler="").values_list("id", "handler")
    # Not later than now, so that an instant in the future does not keep a run waiting.
    not_before = min(at, timezone.now())
    ProductionRun.objects.bulk_create(
        [
            ProductionRun(line_id=line_id, phase=phase, handler=handler, not_before=not_before)
            for line_id, handler in lines
        ],
        ignore_conflicts=True,
    )
    runs = list(
        ProductionRun.objects.filter(line__bill=bill, phase=phase).order_by("id").values_list("id", flat=True)
    )
    for run_id in runs:
        wake(TASK, run_id)
    return len(runs)


def wake_followers(run: ProductionRun) -> None:
    """Wake what waited for this run: the delivery of its line."""
    if run.phase != ProductionRun.Phase.PREPARE:
        return
    followers = ProductionRun.objects.filter(line_id=run.line_id, phase=ProductionRun.Phase.DELIVER)
    for run_id in followers.filter(state__in=ProductionRun.CLAIMABLE).values_list("id", flat=True):
        wake(TASK, run_id)


def startable() -> QuerySet[ProductionRun]:
    """Runs that nothing holds back: a delivery waits until the preparation of its line is done or has failed.

    It does not wait for a preparation that failed for good: what is paid is delivered, and the failure stays
    visible and can be retried on its own.
    """
    preparing = ProductionRun.objects.filter(
        line_id=OuterRef("line_id"), phase=ProductionRun.Phase.PREPARE, state__in=UNFINISHED
    )
    return ProductionRun.objects.exclude(Q(phase=ProductionRun.Phase.DELIVER) & Q(Exists(preparing)))


def due_runs(*, now: datetime, takeover: bool = False) -> QuerySet[ProductionRun]:
    """What may be claimed at `now`, preparations first; with `takeover` also what somebody still holds."""
    due = leases.due(ProductionRun, now=now)
    if takeover:
        due |= Q(state=ProductionRun.State.RUNNING)
    order = Case(
        When(phase=ProductionRun.Phase.PREPARE, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return startable().filter(due).order_by(order, "id")


def drop_unstarted_runs(bill: Bill) -> int:
    """Forget the runs of an order that is cancelled, unless they have started; returns how many."""
    waiting = ProductionRun.objects.filter(line__bill=bill, state__in=ProductionRun.CLAIMABLE)
    return waiting.delete()[0]
