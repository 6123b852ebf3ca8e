"""Opening an order: the instant of purchase, from which everything is delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Bill, ProductionRun
from billing.production import queue_runs
from billing.services.errors import refuse
from billing.services.locking import lock_bill
from common import audit
from common.audit import Actor

How = Literal["payment", "free", "credit"]


def open_bill(*, number: str, how: How, actor: Actor, at: datetime | None = None) -> Bill:
    """Open an order once: stores when, how and by whom, and queues its `deliver` runs.

    `at` is the instant of purchase, now by default. An order that is open already stays as it is: payment and
    opening are two facts, and whichever comes second queues nothing. Raises Refused(bill).
    """
    with transaction.atomic():
        bill = lock_bill(number)
        open_locked(bill, how=how, actor=actor, at=at or timezone.now())
        return bill


def open_locked(bill: Bill, *, how: How, actor: Actor, at: datetime) -> None:
    """As `open_bill`, for an order that this transaction has locked or made."""
    if bill.opened_at is not None:
        return
    if bill.state != Bill.State.PLACED:
        raise refuse("bill", _("This order is cancelled: it cannot be opened."))
    bill.opened_at = at
    bill.opened_how = how
    bill.opened_by = actor.label
    bill.save(update_fields=["opened_at", "opened_how", "opened_by"])
    runs = queue_runs(bill, ProductionRun.Phase.DELIVER, at=at)
    audit.record(
        actor=actor,
        verb="order.opened",
        object=f"bill:{bill.number}",
        scope=f"account:{bill.account_id}",
        counts={"runs": runs},
        why=how,
    )
