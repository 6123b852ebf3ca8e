"""`manage.py listmail`: the outbox, without secrets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.selectors import mail_documents
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "List the mails that were queued, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", help="Only those to this address.")

    def handle(self, *args: Any, **options: Any) -> None:
        documents = mail_documents(to=options["to"])
        self.emit(documents, [f"{mail['kind']} to {mail['to']}: {mail['state']}" for mail in documents])
