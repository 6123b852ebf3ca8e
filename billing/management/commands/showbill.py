"""`manage.py showbill`: an order, its states, lines and deliveries."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.management.base import BillCommand


class Command(BillCommand):
    help = "Print an order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bill", help="Number of the order.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.emit_bill(self.find_bill(options["bill"]).number)
