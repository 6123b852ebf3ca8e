"""`manage.py extendproduct`: give products a later end."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from django.core.management.base import CommandParser

from common.zone import DateRangeError, day_end
from seats.management.productdocs import ProductsCommand
from seats.services import extend_until


class Command(ProductsCommand):
    help = "Extend seats, sessions and course spaces to a day; whoever manages them is mailed the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_products(parser)
        parser.add_argument("--until", required=True, metavar="DAY", help="The last day, such as 2027-07-31.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            until = day_end(date.fromisoformat(options["until"]))
        except (ValueError, DateRangeError):
            self.refuse("until", f"“{options['until']}” is not a day such as 2027-07-31.")
        self.operate(options, partial(extend_until, until=until))
