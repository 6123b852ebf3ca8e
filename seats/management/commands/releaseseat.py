"""Take a seat back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.audit import OPERATOR
from seats.management.seatdocs import SeatCommand
from seats.services import NotTold, Refused, release


class Command(SeatCommand):
    help = "Take a seat back from somebody who has not opened the course yet. Exit 1 when it may not be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF")
        parser.add_argument("--why", default="", help="Kept in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        reference = self.seat(options["reference"]).reference
        try:
            release(reference=reference, account_id=None, actor=OPERATOR, why=options["why"])
        except Refused as refusal:
            self.decline(reference, refusal)
        except NotTold as why:
            self.wait(reference, why)
        else:
            self.emit_seat(reference)
