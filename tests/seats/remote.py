"""A course platform that behaves as if it were far away: the built-in one behind a line that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from itertools import count
from typing import Any, TypeVar

import pytest
from django.db import connection

from accounts.models import Person
from common.emailkey import email_key
from courses import platforms
from courses.builtin.platform import BuiltinPlatform
from courses.models import PlatformLogin
from courses.platform import (
    OK,
    UNKNOWN,
    EnrolmentRow,
    Outcome,
    Oversight,
    PlatformAway,
    Stranger,
)

_numbers = count(1)

READS = ("active_enrolments", "known_ends", "enrolments", "strangers", "opened", "progress")
WRITES = (
    "ensure_logins", "ensure_enrolments", "end_enrolments", "ensure_group_members", "remove_group_members", "oversee",
)  # fmt: skip


class FarPlatform(BuiltinPlatform):
    """`is_away`: nothing can be asked. `silent_about`: enrolments of these people happen, but no answer comes.

    `cut_at`: the call of this number (counted from 1) is not answered, nor is any after it, until it is 0 again.
    `lost_at`: the call of this number happens, and its answer is lost. With `checks_transactions` a call inside a
    database transaction is an error (tests that run in one leave it off).

    Whoever is in `elsewhere` (by address, and whether he is enrolled) has a login there that we did not make.
    """

    is_remote = True

    def __init__(self, name: str = "far") -> None:
        self.name = name
        self.is_away = False
        self.silent_about: set[int] = set()
        self.checks_transactions = False
        self.on_enrolling: Callable[[], object] = lambda: None
        self.before: Callable[[str], object] = lambda _name: None
        self.calls: list[str] = []
        self.cut_at = self.lost_at = 0
        self.elsewhere: dict[str, bool] = {}
        self.overseen: list[Oversight] = []
        for call in (*READS, *WRITES):
            setattr(self, call, self._over_the_line(call, getattr(self, call)))

    def _over_the_line(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def called(items: Any, *args: Any, **options: Any) -> Any:
            self._called(name)
            number = len(self.calls)
            if 0 < self.cut_at <= number:
                raise PlatformAway("no route to host")
            self.before(name)
            told = call(items, *args, **options)
            if number != self.lost_at:
                return told
            if name in READS:
                raise PlatformAway("the answer was lost")
            return [UNKNOWN] * len(told)

        return called

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.checks_transactions and connection.in_atomic_block:
            raise AssertionError(f"{name} is called inside a transaction")
        if self.is_away:
            raise PlatformAway("no route to host")

    def check(self) -> None:
        self._called("check")

    def strangers(
        self, course_id: int, emails: Sequence[str], *, now: datetime | None = None
    ) -> list[Stranger | None]:
        there = {email_key(email): enrolled for email, enrolled in self.elsewhere.items()}
        known = set(Person.objects.filter(email_key__in=there).values_list("email_key", flat=True))
        keys = [email_key(email) for email in emails]
        return [Stranger(there[key]) if key in there and key not in known else None for key in keys]

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        told = super().ensure_logins(person_ids)
        self._make_logins(person_ids)
        return told

    def _make_logins(self, person_ids: Sequence[int]) -> None:
        there = {email_key(email) for email in self.elsewhere}
        PlatformLogin.objects.bulk_create(
            [
                PlatformLogin(
                    person_id=pk,
                    platform=self.name,
                    username=key,
                    remote_id=pk,
                    is_ours=key not in there,
                )
                for pk, key in Person.objects.filter(pk__in=person_ids).values_list("pk", "email_key")
            ],
            ignore_conflicts=True,
        )

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        self.on_enrolling()
        told = super().ensure_enrolments(rows)
        return [
            UNKNOWN if row.person_id in self.silent_about else it for row, it in zip(rows, told, strict=True)
        ]

    def oversee(self, rows: Sequence[Oversight]) -> list[Outcome]:
        self.overseen += rows
        return [OK] * len(rows)


Far = TypeVar("Far", bound=FarPlatform)


def install(monkeypatch: pytest.MonkeyPatch, settings) -> FarPlatform:
    """Make a far platform the one of this installation."""
    return install_as(FarPlatform(), monkeypatch, settings)


def install_as(platform: Far, monkeypatch: pytest.MonkeyPatch, settings) -> Far:
    """The same for one that a test has made."""
    name = f"far-{next(_numbers)}"
    platform.name = name
    monkeypatch.setitem(platforms.PLATFORMS, name, lambda: platform)
    settings.COURSE_PLATFORM = name
    return platform
