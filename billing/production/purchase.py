"""An order line as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from billing.models import BillParticipant, ProductionRun
from handlers.base import Handler
from handlers.contract import ParticipantEntry, ParticipantRole, Purchase


def purchase_of(run: ProductionRun, handler: Handler, *, beat: Callable[[], None] | None = None) -> Purchase:
    """The purchase of a run's line, with its parameters typed.

    Before the order is opened (`prepare`) the purchase is the placing. Raises a permanent HandlerError when the
    frozen parameters are no longer sound for this handler.
    """
    line = run.line
    bill = line.bill
    return Purchase(
        line_key=line.key,
        account_id=bill.account_id,
        buyer_id=bill.buyer_id,
        bill_number=bill.number,
        item_code=line.item_code,
        item_name=line.item_name,
        quantity=line.quantity,
        params=handler.typed(line.params),
        purchased_at=bill.opened_at or bill.placed_at or timezone.now(),
        renewable=line.renewable,
        unassigned_end=line.unassigned_end,
        customer_data=tuple(line.customer_data),
        participants=tuple(map(_entry, line.participants.all())),
        run_heartbeat=beat,
    )


def _entry(row: BillParticipant) -> ParticipantEntry:
    role: ParticipantRole = "tutor" if row.role == "tutor" else "learner"
    return ParticipantEntry(row.email, row.first_name, row.last_name, role)
