"""`manage.py sweep`: do what the queue lost."""

from __future__ import annotations

from typing import Any

from billing.sweeper import sweep
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Run the deliveries and jobs that are due and send the mails that are."

    def handle(self, *args: Any, **options: Any) -> None:
        document = sweep()
        self.emit(document, ", ".join(f"{count} {name}" for name, count in document.items()))
