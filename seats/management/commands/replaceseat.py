"""Give a seat to somebody else."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.audit import OPERATOR
from common.emailkey import check_email
from seats.management.seatdocs import SeatCommand
from seats.services import NotTold, Refused, replace


class Command(SeatCommand):
    help = "Give a seat to somebody else, as long as the course was not opened. Exit 1 when it may not be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REF")
        parser.add_argument("--email", required=True, metavar="EMAIL")
        parser.add_argument("--firstname", default="")
        parser.add_argument("--lastname", default="")
        parser.add_argument("--why", default="", help="Kept in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        reference = self.seat(options["reference"]).reference
        problem = check_email(options["email"])
        if problem is not None:
            self.refuse("email", str(problem.message))
        try:
            replace(
                reference=reference,
                account_id=None,
                email=options["email"],
                first_name=options["firstname"],
                last_name=options["lastname"],
                actor=OPERATOR,
                why=options["why"],
            )
        except Refused as refusal:
            self.decline(reference, refusal)
        except NotTold as why:
            self.wait(reference, why)
        else:
            self.emit_seat(reference)
