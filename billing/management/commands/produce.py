"""`manage.py produce`: run what is due, here and now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.management.base import BillCommand, run_lines
from billing.models import ProductionRun
from billing.production import produce
from billing.selectors import run_documents
from common.audit import OPERATOR


class Command(BillCommand):
    help = "Run the deliveries that are due and print all those of the orders concerned; exit 1 if one has failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "bill", nargs="*", help="Numbers of orders; none means all that have something due."
        )
        parser.add_argument("--retry-failed", action="store_true", help="Try failed deliveries again.")
        parser.add_argument("--takeover", action="store_true", help="Do not wait for workers that hold one.")
        parser.add_argument("--at", help="The instant at which “due” is judged, ISO 8601; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = [self.find_bill(number).number for number in options["bill"]]
        at = self.instant("at", options["at"]) if options["at"] else None
        touched = produce(
            numbers=numbers or None,
            retry_failed=options["retry_failed"],
            takeover=options["takeover"],
            now=at,
            actor=OPERATOR,
        )
        documents = run_documents(ProductionRun.objects.filter(line__bill__number__in=touched))
        self.emit(documents, [text for document in documents for text in run_lines(document)])
        failed = sum(document["state"] == ProductionRun.State.FAILED for document in documents)
        if failed:
            self.fail(f"{failed} failed.")
