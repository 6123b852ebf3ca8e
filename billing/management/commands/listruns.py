"""`manage.py listruns`: deliveries, by state."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.management.base import run_lines
from billing.models import ProductionRun
from billing.selectors import run_documents
from common.commands import JsonCommand

# Marks beside the state, by the column that says since when.
MARKS = {"held": "held_at", "abandoned": "abandoned_at"}


class Command(JsonCommand):
    help = "List deliveries, of one state or with one mark (held, abandoned)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", choices=[*ProductionRun.State.values, *MARKS])

    def handle(self, *args: Any, **options: Any) -> None:
        runs = ProductionRun.objects.all()
        if options["state"] in MARKS:
            runs = runs.exclude(**{MARKS[options["state"]]: None})
        elif options["state"]:
            runs = runs.filter(state=options["state"])
        documents = run_documents(runs, marks=True)
        self.emit(documents, [text for document in documents for text in run_lines(document)])
