"""`manage.py retryjobs`: let long work go on that was given up."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from common import audit, jobs
from common.audit import OPERATOR
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Go on, here and now, with the jobs that were given up and whatever else is due."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            queued = jobs.retry_failed()
            if queued:
                audit.record(actor=OPERATOR, verb="job.retried", object="jobs", counts={"jobs": queued})
        done = jobs.run_due()
        self.emit({"queued": queued, "done": done}, f"{queued} queued again, {done} done")
