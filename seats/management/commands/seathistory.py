"""Every step in the life of a seat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from seats.management.seatdocs import SeatCommand
from seats.selectors import HistoryEntry, seat_history


class Command(SeatCommand):
    help = "Tell what happened to a seat, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF")

    def handle(self, *args: Any, **options: Any) -> None:
        steps = seat_history(self.seat(options["reference"]).reference)
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
    }


def _line(step: HistoryEntry) -> str:
    words = [f"{step.at:%Y-%m-%d %H:%M}", step.step.value, step.email, step.course, step.reason]
    return "  ".join(word for word in words if word)
