"""The seats of an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from seats.management.seatdocs import SeatCommand, seat_document, seat_line
from seats.selectors import SeatFilter, SeatState, every_seat


class Command(SeatCommand):
    help = "List the seats of an account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="SLUG")
        parser.add_argument("--course", metavar="SHORTNAME", help="Only those given in this course.")
        parser.add_argument("--state", choices=[state.value for state in SeatState])

    def handle(self, *args: Any, **options: Any) -> None:
        account = self.account(options["account"])
        filters = SeatFilter(
            course_id=self.course(options["course"]).pk if options["course"] else None,
            state=SeatState(options["state"]) if options["state"] else None,
        )
        seats = list(every_seat(account.pk, filters))
        self.emit([seat_document(seat) for seat in seats], map(seat_line, seats))
