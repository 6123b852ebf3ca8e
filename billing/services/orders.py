"""Placing an order, and cancelling one that nobody has paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount, Person
from billing import mails
from billing.gateways import GATEWAYS
from billing.models import Bill, BillLine, BillParticipant, BillParty, ProductionRun
from billing.production import drop_unstarted_runs, queue_runs
from billing.services import checks
from billing.services.errors import Problem, Refused, refuse
from billing.services.locking import lock_bill
from billing.services.opening import open_locked
from billing.services.shapes import Identity, OrderLine
from catalog.models import Shop
from catalog.selectors import get_shop
from common import audit, outbox
from common.audit import Actor
from common.counters import next_number
from common.money import LARGEST_MINOR, LineTotal, TaxedLine, allocate_lines
from common.zone import seller_zone


def place(
    *,
    account: CustomerAccount,
    buyer: Person,
    lines: Sequence[OrderLine],
    identity: Identity,
    paymode: str,
    terms_version: str,
    at: datetime | None = None,
    checkout_key: str | None = None,
    expected_gross: int | None = None,
    actor: Actor,
) -> Bill:
    """Place an order: everything is checked again, frozen, and the `prepare` runs are queued, in one transaction.

    `at` is when it is placed (now by default). `checkout_key` names one checkout of this buyer: a doubled submit
    returns the first order. `expected_gross` is the total (minor units) the buyer agreed to. An order that comes
    to nothing is opened at once. Raises Refused with every reason; nothing is changed then.
    """
    key = _checkout_key(account, buyer, checkout_key)
    placed = _placed_before(key)
    if placed is not None:
        return placed
    try:
        with transaction.atomic():
            order = _Order(account, buyer, lines, identity, paymode, terms_version, at or timezone.now())
            return order.place(key, expected_gross, actor)
    except IntegrityError:
        # The other half of a doubled submit was quicker; it is committed by now.
        placed = _placed_before(key)
        if placed is None:
            raise
        return placed


def cancel(*, number: str, actor: Actor, why: str = "") -> Bill:
    """Cancel an order that is neither paid nor opened; one that is cancelled already stays so. Raises Refused."""
    with transaction.atomic():
        bill = lock_bill(number)
        if bill.state == Bill.State.CANCELLED:
            return bill
        if bill.opened_at is not None:
            raise refuse("bill", _("This order is open: it can no longer be cancelled."))
        if bill.payments.exists():
            raise refuse("bill", _("There is a payment for this order: it can no longer be cancelled."))
        bill.state = Bill.State.CANCELLED
        bill.save(update_fields=["state"])
        dropped = drop_unstarted_runs(bill)
        outbox.cancel(event_keys=[mails.received_key(bill)])
        audit.record(
            actor=actor,
            verb="order.cancelled",
            object=f"bill:{bill.number}",
            scope=f"account:{bill.account_id}",
            counts={"runs_dropped": dropped},
            why=why,
        )
        return bill


def placed_with(*, account: CustomerAccount, buyer: Person, checkout_key: str) -> Bill | None:
    """The order that this checkout has placed, if it has."""
    return _placed_before(_checkout_key(account, buyer, checkout_key))


def _checkout_key(account: CustomerAccount, buyer: Person, key: str | None) -> str | None:
    """The key as it is stored: nobody else's checkout can have the same one."""
    if not key:
        return None
    return hashlib.sha256(f"{account.pk}:{buyer.pk}:{key}".encode()).hexdigest()


def _placed_before(key: str | None) -> Bill | None:
    return Bill.objects.filter(checkout_key=key).first() if key else None


class _Order:
    """One call of `place`, inside its transaction."""

    def __init__(
        self,
        account: CustomerAccount,
        buyer: Person,
        lines: Sequence[OrderLine],
        identity: Identity,
        paymode: str,
        terms_version: str,
        at: datetime,
    ) -> None:
        self.account = account
        self.buyer = buyer
        self.wanted = lines
        self.identity = identity
        self.paymode = paymode
        self.terms_version = terms_version
        self.at = at
        # Nobody ordered what the shop gives: no terms are agreed to, and nobody is thanked for the order.
        self.is_gift = bool(lines) and all(line.is_gift for line in lines)
        self.language = self._language()
        self.lines: list[checks.CheckedLine] = []
        self.totals: list[LineTotal] = []

    def place(self, key: str | None, expected_gross: int | None, actor: Actor) -> Bill:
        shop = self.wanted[0].item.shop if self.wanted else get_shop()
        self._check(shop, expected_gross)
        bill = self._save(shop, key)
        audit.record(
            actor=actor,
            verb="order.placed",
            object=f"bill:{bill.number}",
            scope=f"account:{self.account.pk}",
            counts={"lines": len(self.lines), "gross": bill.gross},
        )
        if not self.is_gift:
            outbox.queue(mails.order_received(bill, self.buyer))
        queue_runs(bill, ProductionRun.Phase.PREPARE, at=self.at)
        if bill.gross == 0:
            open_locked(bill, how="free", actor=actor, at=self.at)
        return bill

    # --- checks -----------------------------------------------------------------------------------

    def _check(self, shop: Shop, expected_gross: int | None) -> None:
        # Reasons are read by whoever orders, frozen names by whoever receives the order's documents.
        self.lines, problems = checks.check_lines(
            self.wanted, shop=shop, account=self.account, buyer=self.buyer
        )
        problems += checks.check_buyer(self.account, self.buyer)
        if not self.is_gift:
            problems += checks.check_seller(shop, self.terms_version)
        problems += checks.check_identity(self.identity)
        if not problems:
            self.totals = self._totals()
            problems += self._check_total(expected_gross)
        if problems:
            raise Refused(problems)

    def _totals(self) -> list[LineTotal]:
        return allocate_lines(
            [
                TaxedLine(line.quantity, line.unit_price, line.item.price_includes_tax, line.item.tax_rate)
                for line in self.lines
            ]
        )

    def _check_total(self, expected_gross: int | None) -> list[Problem]:
        gross = sum(total.gross for total in self.totals)
        gateway = GATEWAYS.get(self.paymode)
        if gross > LARGEST_MINOR:
            return [Problem("total", _("The total is too large."))]
        if expected_gross not in (None, gross):
            return [Problem("total", _("The price has changed: look at the order again."))]
        if gateway is None:
            return [Problem("paymode", _("This way of paying is not known."))]
        refusal = gateway.refusal(gross)
        return [Problem("paymode", refusal)] if refusal else []

    def _language(self) -> str:
        wanted = self.identity.language or self.buyer.language
        return wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    # --- rows -------------------------------------------------------------------------------------

    def _save(self, shop: Shop, key: str | None) -> Bill:
        # The number comes late: its counter is locked until the commit.
        year = self.at.astimezone(seller_zone()).year
        number = f"CMD-{year}-{next_number(f'order:{year}'):06d}"
        bill = Bill.objects.create(
            number=number,
            shop=shop,
            account=self.account,
            buyer=self.buyer,
            state=Bill.State.PLACED,
            currency=shop.currency,
            language=self.language,
            paymode=self.paymode,
            purchase_order=self.identity.purchase_order.strip(),
            net=sum(total.net for total in self.totals),
            tax=sum(total.tax for total in self.totals),
            gross=sum(total.gross for total in self.totals),
            terms_version=self.terms_version,
            terms_agreed_at=None if self.is_gift else self.at,
            placed_at=self.at,
            checkout_key=key,
        )
        parties = [checks.party_row(kind, party) for kind, party in checks.parties_of(self.identity)]
        for party in parties:
            party.bill = bill
        BillParty.objects.bulk_create(parties)
        self._save_lines(bill)
        return bill

    def _save_lines(self, bill: Bill) -> None:
        with translation.override(self.language):
            rows = [
                self._line_row(bill, position, line, total)
                for position, (line, total) in enumerate(zip(self.lines, self.totals, strict=True), start=1)
            ]
        BillLine.objects.bulk_create(rows)
        # Not every database hands out the ids of rows inserted together.
        ids = dict(BillLine.objects.filter(bill=bill).values_list("position", "id"))
        BillParticipant.objects.bulk_create(
            BillParticipant(
                line_id=ids[row.position],
                position=position,
                email=person.email,
                first_name=person.firstname,
                last_name=person.lastname,
                role=person.role,
            )
            for row, line in zip(rows, self.lines, strict=True)
            for position, person in enumerate(line.participants, start=1)
        )

    def _line_row(self, bill: Bill, position: int, line: checks.CheckedLine, total: LineTotal) -> BillLine:
        item = line.item
        return BillLine(
            bill=bill,
            position=position,
            item=item,
            item_code=item.code,
            item_name=item.name,
            quantity=line.quantity,
            unit_price=line.unit_price,
            price_includes_tax=item.price_includes_tax,
            tax_rate=item.tax_rate,
            net=total.net,
            tax=total.tax,
            gross=total.gross,
            handler=item.handler,
            params=line.params,
            seat_mode=item.seat_mode,
            renewable=item.renewable,
            unassigned_end=item.unassigned_end,
            customer_data=line.customer_data,
            answers=line.answers,
        )
