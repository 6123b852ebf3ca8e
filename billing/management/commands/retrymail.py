"""`manage.py retrymail`: send failed mails again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from common import audit, outbox
from common.audit import OPERATOR
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Try the mails that were given up once more, and send what is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", default="", metavar="EMAIL", help="Only those to this address.")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            queued = outbox.retry_failed(to=options["to"])
            if queued:
                audit.record(actor=OPERATOR, verb="mail.retried", object="outbox", counts={"mails": queued})
        sent = outbox.deliver_due()
        self.emit({"queued": queued, "sent": sent}, f"{queued} queued again, {sent} sent")
