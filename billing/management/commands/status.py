"""`manage.py status`: is anything stuck?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from billing.selectors import Watch, watch
from common.commands import JsonCommand
from courses.platform import PlatformAway
from courses.platforms import get_platform

THRESHOLD = 900


class Command(JsonCommand):
    help = (
        "Print how long the oldest due work has waited, what has failed and whether the course platform answers; "
        "exit 1 when something needs a person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--threshold", type=int, default=THRESHOLD, help="Seconds that due work may wait (900)."
        )
        parser.add_argument(
            "--max-failed", type=int, default=0, help="Failed deliveries that are tolerated (0)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seen = watch()
        reason = _platform_problem()
        problems = _problems(seen, threshold=options["threshold"], max_failed=options["max_failed"])
        if reason:
            problems.append(f"the course platform is away: {reason}")
        document = {
            **asdict(seen),
            "platform": {"name": get_platform().name, "reachable": not reason, "reason": reason},
            "problems": problems,
        }
        self.emit(document, problems or ["Nothing is stuck."])
        if problems:
            self.fail(f"{len(problems)} to look at.")


def _problems(seen: Watch, *, threshold: int, max_failed: int) -> list[str]:
    waits = {"run": seen.oldest_run, "job": seen.oldest_job, "mail": seen.oldest_mail}
    problems = [
        f"the oldest {name} has been due for {seconds} s"
        for name, seconds in waits.items()
        if seconds is not None and seconds > threshold
    ]
    if seen.failed_runs > max_failed:
        problems.append(f"{seen.failed_runs} deliveries have failed")
    if seen.failed_mails:
        problems.append(f"{seen.failed_mails} mails were given up: retrymail sends them again")
    if seen.failed_jobs:
        problems.append(f"{seen.failed_jobs} jobs were given up: retryjobs goes on with them")
    return problems


def _platform_problem() -> str:
    """Why the course platform does not answer, or nothing."""
    try:
        get_platform().check()
    except PlatformAway as error:
        return str(error) or type(error).__name__
    return ""
