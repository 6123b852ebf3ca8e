"""Order opened → seats ready, through the ledger and the real run: at most 3 times the bare INSERT of the same rows.

The clock starts when the payment is recorded and stops when the delivery of the order is done; without a broker that
is one call. The bare INSERT makes the same seats by plain multi-row statements in the same run.
"""

from __future__ import annotations

import uuid
from statistics import median

from django.utils import timezone

from accounts.models import CustomerAccount, Member, Person, Role
from bench.measuring import bare_insert, number, seconds, statements
from billing.models import Bill
from billing.selectors import bill_document
from billing.services import OrderLine, identity_of, place, record_payment
from catalog.models import CatalogItem, Shop
from common.audit import OPERATOR
from common.references import new_references
from courses.models import Course, CourseCategory
from seats.models import Seat, SeatPool

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
COLUMNS = ("pool_id", "account_id", "ordinal", "reference")


def run() -> list[str]:
    """One line for each size."""
    shop = Shopping()
    shop.open(shop.order(100))  # what only happens once in a process is over
    lines = []
    for size in SIZES:
        ratios, times = [], []
        for _round in range(ROUNDS):
            bare = shop.insert_bare(size)
            ours = shop.open(shop.order(size))
            ratios.append(ours / bare)
            times.append(ours)
        bill = shop.order(size)
        with statements() as sent:
            shop.open(bill)
        lines.append(
            f"{size:>7} seats: {median(ratios):.2f} × the bare INSERT (at most 3), {median(times):.3f} s, "
            f"{1e6 * median(times) / size:.0f} µs each, {len(sent)} statements"
        )
        Seat.objects.all().delete()
    return lines


class Shopping:
    """A shop, what it sells, and who buys."""

    def __init__(self) -> None:
        self.shop = Shop.objects.create(
            slug=f"bench-{number()}",
            name="Bench",
            legal_name="Bench SAS",
            siren="732829320",
            address="1 rue du Banc",
            postcode="75001",
            city="Paris",
            iban="FR7630006000011234567890189",
            terms_fr="Conditions",
            terms_version="1",
            mail_sender="shop@bench.example",
            help_email="help@bench.example",
        )
        category, _made = CourseCategory.objects.get_or_create(name="Bench")
        Course.objects.create(shortname=f"OPEN{number()}", fullname="Bench", category=category)
        self.item = CatalogItem.objects.create(
            shop=self.shop, code="SEATS", name_fr="Sièges", price=1000, handler="generateseats"
        )
        self.account = CustomerAccount.objects.create(slug=f"bench-{number()}", name="Bench")
        self.buyer = Person.objects.create_user(email=f"buyer{number()}@bench.example")
        Member.objects.create(account=self.account, person=self.buyer, role=Role.OWNER)

    def order(self, size: int) -> Bill:
        """An order of so many seats, placed and prepared."""
        return place(
            account=self.account,
            buyer=self.buyer,
            lines=[OrderLine(self.item, size)],
            identity=identity_of(self.account, self.buyer),
            paymode=Bill.Paymode.TRANSFER.value,
            terms_version="1",
            actor=OPERATOR,
        )

    def open(self, bill: Bill) -> float:
        """Seconds from the payment until every seat is ready."""
        taken = seconds(lambda: record_payment(number=bill.number, actor=OPERATOR))
        document = bill_document(bill.number)
        made = Seat.objects.filter(pool__bill_number=bill.number).count()
        if not document["complete"] or made != document["lines"][0]["quantity"]:
            raise RuntimeError(f"{made} seats, {document['production']}")
        return taken

    def insert_bare(self, size: int) -> float:
        """Seconds it takes to insert the same rows by hand."""
        pool = SeatPool.objects.create(
            line_key=uuid.uuid4(),
            account=self.account,
            item_code="SEATS",
            item_name="Seats",
            bill_number=f"BARE-{number()}",
            size=size,
            purchased_at=timezone.now(),
        )
        rows = [
            (pool.pk, self.account.pk, ordinal, reference)
            for ordinal, reference in enumerate(new_references(size), start=1)
        ]
        return seconds(lambda: bare_insert("seats_seat", COLUMNS, rows))
