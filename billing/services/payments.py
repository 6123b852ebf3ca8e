"""The payment ledger: what came in for an order, and what it opens."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import mails
from billing.gateways import GATEWAYS
from billing.models import Bill, Payment
from billing.services.errors import refuse
from billing.services.locking import lock_bill
from billing.services.opening import open_locked
from common import audit, outbox
from common.audit import Actor
from common.money import LARGEST_MINOR

LONGEST_REFERENCE = 120


def record_payment(
    *,
    number: str,
    amount: int | None = None,
    reference: str | None = None,
    gateway: str = Bill.Paymode.TRANSFER.value,
    at: datetime | None = None,
    actor: Actor,
) -> Bill:
    """Record a payment; when all is paid the order is opened in the same transaction.

    `amount` is in minor units of the order's currency and more than 0; None is what is still due, and when nothing
    is due nothing changes. `reference` is unique per gateway: the same reference and amount on the same order is
    the same payment and changes nothing; without one a reference is made up, so that each call is another payment.
    `at` is when the money came (now by default) and, for the payment that completes the order, the instant of
    purchase. Raises Refused(bill, amount, reference or gateway); nothing is changed then.
    """
    if gateway not in GATEWAYS or not GATEWAYS[gateway].takes_money:
        raise refuse("gateway", _("This way of paying is not known."))
    if amount is not None and not 0 < amount <= LARGEST_MINOR:
        raise refuse("amount", _("A payment is more than 0."))
    reference = (reference or "").strip()
    if len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        raise refuse("reference", _("A reference has at most 120 characters, all of them printable."))
    with transaction.atomic():
        bill = lock_bill(number)
        due = bill.gross - received(bill)
        if amount is None:
            amount = due
        if amount <= 0 or _is_known(bill, gateway, reference, amount):
            return bill
        if bill.state != Bill.State.PLACED:
            raise refuse("bill", _("This order is cancelled: no payment can be recorded for it."))
        at = at or timezone.now()
        payment = _insert(bill, gateway, reference, amount, at, actor)
        audit.record(
            actor=actor,
            verb="payment.recorded",
            object=f"bill:{bill.number}",
            scope=f"account:{bill.account_id}",
            counts={"amount": amount},
            why=payment.reference,
        )
        outbox.queue(mails.payment_received(payment, bill))
        if amount >= due:
            open_locked(bill, how="payment", actor=actor, at=at)
        return bill


def pay_by_test_card(*, number: str, actor: Actor, at: datetime | None = None) -> Bill:
    """Pay what is due with the test card. Pressing twice pays once. Raises Refused where it is not allowed."""
    if not settings.SHOPSEATS_TEST_CARD:
        raise refuse("paymode", _("The test card is not accepted in this shop."))
    bill = Bill.objects.filter(number=number).first()
    if bill is None or bill.paymode != Bill.Paymode.TESTCARD:
        raise refuse("paymode", _("This order is not to be paid by the test card."))
    return record_payment(number=number, gateway=Bill.Paymode.TESTCARD.value, at=at, actor=actor)


def received(bill: Bill) -> int:
    """What came in for an order less what went out, in minor units."""
    total: int | None = bill.payments.aggregate(total=Sum("amount"))["total"]
    return total or 0


def _is_known(bill: Bill, gateway: str, reference: str, amount: int) -> bool:
    """Whether this very payment is recorded. Raises Refused(reference) when the reference is another's."""
    if not reference:
        return False
    known = Payment.objects.filter(gateway=gateway, reference=reference).select_related("bill").first()
    if known is None:
        return False
    if (known.bill_id, known.amount) != (bill.pk, amount):
        raise _taken(known)
    return True


def _insert(bill: Bill, gateway: str, reference: str, amount: int, at: datetime, actor: Actor) -> Payment:
    reference = reference or _made_up(bill, gateway)
    row = Payment(
        bill=bill,
        amount=amount,
        gateway=gateway,
        reference=reference,
        received_at=at,
        recorded_by=actor.label,
    )
    Payment.objects.bulk_create([row], ignore_conflicts=True)
    payment = Payment.objects.select_related("bill").get(gateway=gateway, reference=reference)
    # Our order is locked, so whoever was quicker with this reference used it for another one.
    if payment.bill_id != bill.pk:
        raise _taken(payment)
    return payment


def _made_up(bill: Bill, gateway: str) -> str:
    """A reference nobody gave: the order's number and the first free ordinal."""
    taken = set(
        Payment.objects.filter(gateway=gateway, reference__startswith=f"{bill.number}/").values_list(
            "reference", flat=True
        )
    )
    ordinal = 1
    while f"{bill.number}/{ordinal}" in taken:
        ordinal += 1
    return f"{bill.number}/{ordinal}"


def _taken(known: Payment) -> Exception:
    message = _("This reference is already that of another payment, for %(number)s.")
    return refuse("reference", message % {"number": known.bill.number})
