"""`manage.py status`: is anything stuck?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from billing.selectors import PlatformHealth, Watch, platform_health, watch
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
            "--threshold",
            type=int,
            default=THRESHOLD,
            help="Seconds that due work may wait, and the course platform be away (900).",
        )
        parser.add_argument(
            "--max-failed", type=int, default=0, help="Failed deliveries that are tolerated (0)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        reason = _platform_problem()
        # Read afterwards: asking has told the rows how the platform is.
        seen, health = watch(), platform_health()
        threshold = options["threshold"]
        problems = _problems(seen, threshold=threshold, max_failed=options["max_failed"])
        problems += _of_platform(reason, health, seen, threshold)
        document = {
            **asdict(seen),
            "platform": {
                "name": health.name,
                "reachable": not reason,
                "reason": reason,
                "away_since": health.away_since if reason else None,
                "needs_admin": health.needs_admin,
            },
            "problems": problems,
        }
        self.emit(document, problems or [_quiet(reason)])
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


def _of_platform(reason: str, health: PlatformHealth, seen: Watch, threshold: int) -> Iterator[str]:
    """A platform that somebody must repair at once; one that is away, or work that waits for it, after a while."""
    if health.needs_admin:
        yield f"the course platform refuses us until somebody changes it: {reason or health.reason}"
    elif reason and _is_long(health.away_since, threshold):
        yield f"the course platform is away: {reason}"
    if seen.waited is not None and seen.waited > threshold:
        waiting = f"{seen.waiting_runs} deliveries and {seen.waiting_jobs} jobs"
        yield f"{waiting} wait for the course platform, the first for {seen.waited} s"


def _is_long(away_since: datetime | None, threshold: int) -> bool:
    """Whether it has been away for longer than that; since when is not always known, and then it is."""
    return away_since is None or (timezone.now() - away_since).total_seconds() > threshold


def _quiet(reason: str) -> str:
    if reason:
        return (
            f"Nothing is stuck. The course platform is away for the moment, and what needs it waits: {reason}"
        )
    return "Nothing is stuck."


def _platform_problem() -> str:
    """Why the course platform does not answer, or nothing."""
    try:
        get_platform().check()
    except PlatformAway as error:
        return str(error) or type(error).__name__
    return ""
