"""`manage.py listruns`: deliveries, by state."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from billing.management.base import run_lines
from billing.models import ProductionRun
from billing.selectors import run_documents
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "List deliveries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", choices=ProductionRun.State.values)

    def handle(self, *args: Any, **options: Any) -> None:
        runs = ProductionRun.objects.all()
        if options["state"]:
            runs = runs.filter(state=options["state"])
        documents = run_documents(runs)
        self.emit(documents, [text for document in documents for text in run_lines(document)])
