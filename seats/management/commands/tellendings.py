"""`manage.py tellendings`: write to managers about what ends soon."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import JsonCommand
from seats.services import tell_endings


class Command(JsonCommand):
    help = "Write to the managers of every organisation of which something ends within 60, 30 or 7 days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", metavar="ISO", help="The instant at which it is judged; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        told = tell_endings(now=self.instant("at", options["at"]))
        document = {"accounts": told.accounts, "mails": told.mails, "endings": told.endings}
        text = f"{told.mails} mails to {told.accounts} organisations, about {told.endings} things that end."
        self.emit(document, text)
