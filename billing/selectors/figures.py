"""The states of an order that are not stored but derived from its rows (docs/states.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django_stubs_ext import WithAnnotations

from billing.models import Bill, Payment, ProductionRun

PaymentState = Literal["unpaid", "partial", "paid", "overpaid", "refunded"]
ProductionState = Literal["none", "queued", "running", "failed", "done"]


class FigureColumns(TypedDict):
    """What `with_figures` adds to an order."""

    sum_paid: int
    any_refund: bool
    any_failed: bool
    any_abandoned: bool
    any_running: bool
    any_waiting: bool


if TYPE_CHECKING:
    BillWithFigures = WithAnnotations[Bill, FigureColumns]
else:  # only a type checker can read that
    BillWithFigures = Bill


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rows of an order say. Amounts are minor units; `paid` is in less out, `due` never negative."""

    paid: int
    due: int
    overpaid: int
    payment: PaymentState
    opened: datetime | None
    production: ProductionState
    abandoned: bool = False  # a delivery was given up, and no failed one is being looked after

    @property
    def complete(self) -> bool:
        """Paid, and all of it delivered."""
        return self.payment in ("paid", "overpaid") and self.production == "done"


def with_figures(bills: QuerySet[Bill]) -> QuerySet[BillWithFigures]:
    """The orders with what `figures` needs, in the same query."""
    payments = Payment.objects.filter(bill=OuterRef("pk")).order_by()
    runs = ProductionRun.objects.filter(line__bill=OuterRef("pk"))
    state = ProductionRun.State
    return bills.annotate(
        sum_paid=Coalesce(
            Subquery(payments.values("bill").annotate(total=Sum("amount")).values("total")),
            0,
            output_field=BigIntegerField(),
        ),
        any_refund=Exists(payments.filter(amount__lt=0)),
        any_failed=Exists(runs.filter(state=state.FAILED, abandoned_at=None)),
        any_abandoned=Exists(runs.filter(phase=ProductionRun.Phase.DELIVER, abandoned_at__isnull=False)),
        any_running=Exists(runs.filter(state=state.RUNNING)),
        any_waiting=Exists(runs.filter(state__in=[state.QUEUED, state.WAITING])),
    )


def figures(bill: BillWithFigures) -> Figures:
    """The derived states of an order that came through `with_figures`."""
    failed = bill.any_failed or bill.any_abandoned
    found = {"failed": failed, "running": bill.any_running, "queued": bill.any_waiting}
    return Figures(
        paid=bill.sum_paid,
        due=max(bill.gross - bill.sum_paid, 0),
        overpaid=max(bill.sum_paid - bill.gross, 0),
        payment=payment_state(gross=bill.gross, paid=bill.sum_paid, refunded=bill.any_refund),
        opened=bill.opened_at,
        production=production_state(
            opened=bill.opened_at is not None, found=[state for state, there in found.items() if there]
        ),
        abandoned=bill.any_abandoned and not bill.any_failed,
    )


def payment_state(*, gross: int, paid: int, refunded: bool) -> PaymentState:
    """`paid` is what came in less what went out; `refunded` whether anything went out."""
    if refunded and paid <= 0:
        return "refunded"
    if paid > gross:
        return "overpaid"
    if paid == gross:
        return "paid"
    return "partial" if paid > 0 else "unpaid"


def production_state(*, opened: bool, found: Collection[str]) -> ProductionState:
    """From the states that occur among the runs of both phases (a waiting run counts as queued).

    Nothing is produced before the order is opened, but a preparation that failed shows at once. A delivery that was
    given up counts as failed, a preparation that was given up is over. Lines without automation have nothing to
    produce: an opened order of such lines is done.
    """
    if "failed" in found:
        return "failed"
    if not opened:
        return "none"
    if "running" in found:
        return "running"
    return "queued" if "queued" in found else "done"
