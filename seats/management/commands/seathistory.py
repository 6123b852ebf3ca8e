"""Every step in the life of a product."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from seats.management.seatdocs import SeatCommand
from seats.selectors import HistoryEntry, product_history, seat_history
from seats.selectors.products import ProductKind


class Command(SeatCommand):
    help = "Tell what happened to a seat, a session or a course space, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF")

    def handle(self, *args: Any, **options: Any) -> None:
        product = self.product(options["reference"])
        is_seat = product.kind is ProductKind.SEAT
        steps = seat_history(product.reference) if is_seat else product_history(product.reference)
        self.emit([_document(step) for step in steps], map(_line, steps))


def _document(step: HistoryEntry) -> dict[str, Any]:
    return {
        "at": step.at,
        "step": step.step.value,
        "by": step.by or None,
        "email": step.email or None,
        "course": step.course or None,
        "role": step.role or None,
        "starts": step.starts_at,
        "ends": step.ends_at,
        "reason": step.reason or None,
        "why": step.why or None,
    }


def _line(step: HistoryEntry) -> str:
    words = [
        f"{timezone.localtime(step.at):%Y-%m-%d %H:%M}",
        step.step.value,
        step.email,
        step.course,
        step.reason,
        step.why,
    ]
    return "  ".join(word for word in words if word)
