"""`manage.py cancelmail`: mails that must not leave."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from common import audit, outbox
from common.audit import OPERATOR
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Cancel mails that have not left: those to one address, or all of them on a copy for rehearsals."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--to", default="", metavar="EMAIL", help="Those to this address.")
        which.add_argument("--all", action="store_true", help="Every mail that waits or was given up.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["all"] and not options["to"].strip():
            self.refuse("to", "name an address, or use --all.")
        with transaction.atomic():
            cancelled = outbox.cancel_waiting(to=options["to"].strip())
            if cancelled:
                audit.record(
                    actor=OPERATOR, verb="mail.cancelled", object="outbox", counts={"mails": cancelled}
                )
        self.emit({"cancelled": cancelled}, f"{cancelled} cancelled")
