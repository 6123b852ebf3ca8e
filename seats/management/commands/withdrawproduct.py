"""`manage.py withdrawproduct`: withdraw products."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from seats.management.productdocs import ProductsCommand
from seats.services import withdraw


class Command(ProductsCommand):
    help = "Withdraw seats, sessions and course spaces; whoever manages them is mailed the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_products(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.operate(options, withdraw)
