"""Look the course platform over: what is right, what is not, and what to change there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from common.commands import JsonCommand
from courses.moodle.checking import check_site
from courses.moodle.connection import NAME
from courses.moodle.findings import CheckFinding, Level
from courses.platforms import get_platform


class Command(JsonCommand):
    """`[{"check", "level": "ok|info|warning|error", "message", "remedy"}]`; `info` cannot be tried without a change."""

    help = (
        "Look the course platform over, and say what to change there. Only reads: safe on a live site. Exit 1 when "
        "something must be changed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if get_platform().name != NAME:
            self.emit([], "There is nothing to check: courses live in this installation.")
            return
        findings = check_site()
        self.emit([asdict(finding) for finding in findings], [_line(finding) for finding in findings])
        errors = sum(finding.level is Level.ERROR for finding in findings)
        if errors:
            self.fail(f"{errors} to be repaired.")


def _line(finding: CheckFinding) -> str:
    remedy = f"\n         {finding.remedy}" if finding.remedy else ""
    return f"{finding.level.upper():8} {finding.check}: {finding.message}{remedy}"
