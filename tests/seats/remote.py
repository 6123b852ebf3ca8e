"""A course platform that behaves as if it were far away: the built-in one behind a line that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest
from django.db import connection

from courses import platforms
from courses.builtin.platform import BuiltinPlatform
from courses.platform import UNKNOWN, ActiveEnrolment, EnrolmentRow, Outcome, Pair, PlatformAway

_numbers = count(1)


class FarPlatform(BuiltinPlatform):
    """`is_away`: nothing can be asked. `silent_about`: enrolments of these people happen, but no answer comes.

    With `checks_transactions` a call inside a database transaction is an error (tests that run in one leave it off).
    """

    is_remote = True

    def __init__(self) -> None:
        self.is_away = False
        self.silent_about: set[int] = set()
        self.checks_transactions = False
        self.on_enrolling: Callable[[], object] = lambda: None
        self.calls: list[str] = []

    def check(self) -> None:
        self._called("check")

    def active_enrolments(self, pairs: Sequence[Pair], **options) -> list[ActiveEnrolment | None]:
        self._called("active_enrolments")
        return super().active_enrolments(pairs, **options)

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        self._called("ensure_logins")
        return super().ensure_logins(person_ids)

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        self._called("ensure_enrolments")
        self.on_enrolling()
        told = super().ensure_enrolments(rows)
        return [
            UNKNOWN if row.person_id in self.silent_about else it for row, it in zip(rows, told, strict=True)
        ]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.is_away:
            raise PlatformAway("no route to host")
        if self.checks_transactions and connection.in_atomic_block:
            raise AssertionError(f"{name} is called inside a transaction")


def install(monkeypatch: pytest.MonkeyPatch, settings) -> FarPlatform:
    """Make a far platform the one of this installation."""
    name = f"far-{next(_numbers)}"
    platform = FarPlatform()
    monkeypatch.setitem(platforms.PLATFORMS, name, lambda: platform)
    settings.COURSE_PLATFORM = name
    return platform
