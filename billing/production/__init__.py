"""Production: runs as rows, claimed, given to their handler, recorded. docs/production.md tells the rules."""

from billing.production.batch import call_waiting, produce, retry, run_due
from billing.production.holding import abandon, hold, release
from billing.production.queue import drop_unstarted_runs, due_runs, queue_runs
from billing.production.runs import MAX_TRIES, run

__all__ = [
    "MAX_TRIES",
    "abandon",
    "call_waiting",
    "drop_unstarted_runs",
    "due_runs",
    "hold",
    "produce",
    "queue_runs",
    "release",
    "retry",
    "run",
    "run_due",
]
