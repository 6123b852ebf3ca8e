"""`manage.py markpaid`: record a payment, as the back office does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.management.base import BillCommand
from billing.services import Refused, record_payment
from common.audit import OPERATOR
from common.money import MoneyError, to_minor


class Command(BillCommand):
    help = "Record a payment for an order and print it. An order that is paid in full is opened."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bill", help="Number of the order.")
        parser.add_argument("--amount", help="What came in, e.g. 100.00; by default what is due.")
        parser.add_argument("--reference", help="The bank's reference: the same one is the same payment.")
        parser.add_argument("--at", help="When it came in, ISO 8601; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        bill = self.find_bill(options["bill"])
        at = self.instant("at", options["at"])
        amount = None
        if options["amount"] is not None:
            try:
                amount = to_minor(options["amount"], bill.currency)
            except MoneyError as error:
                self.refuse("amount", str(error))
        try:
            record_payment(
                number=bill.number, amount=amount, reference=options["reference"], at=at, actor=OPERATOR
            )
        except Refused as refused:
            self.refuse_all(refused)
        self.emit_bill(bill.number)
