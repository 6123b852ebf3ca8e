"""`manage.py expire`: end what has ended."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import JsonCommand
from seats.services import run_expire


class Command(JsonCommand):
    help = "End what has ended: seats, and course spaces. May be run as often as you like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", metavar="ISO", help="The instant at which it is judged; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = run_expire(now=self.instant("at", options["at"]))
        document = {"seats": ended.seats, "spaces": ended.spaces}
        self.emit(document, f"{ended.seats} seats and {ended.spaces} course spaces have ended.")
        if not ended.is_complete:
            self.fail("the course platform did not answer for everything: run it again later.")
