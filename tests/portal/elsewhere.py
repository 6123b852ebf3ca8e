"""A course platform far away that keeps the passwords, as a real Moodle does: the built-in one behind a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Person
from courses import platforms
from courses.models import Course, PlatformLogin
from courses.platform import (
    OK,
    UNKNOWN,
    Copied,
    CourseCopy,
    Outcome,
    PlatformCourse,
    Refusal,
    refused,
)
from tests.seats.remote import FarPlatform

_numbers = count(1)
HOME = "https://moodle.example"


class Elsewhere(FarPlatform):
    """`known`: addresses that have a login there already. `passwords`: what each person has chosen.

    `is_silent`: a password is set, but no answer comes. `rule`: a part that every password must have. `refuses`: whom it
    does not enrol, by address, and the code it gives. No call may be made inside a transaction.
    """

    keeps_passwords = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.known: set[str] = set()
        self.passwords: dict[int, tuple[str, str, str]] = {}
        self.is_silent = False
        self.rule = ""
        self.refuses: dict[str, str] = {}
        self.depth = len(connection.savepoint_ids)

    def _make_logins(self, person_ids: Sequence[int]) -> None:
        PlatformLogin.objects.bulk_create(
            [
                PlatformLogin(
                    person=person,
                    platform=self.name,
                    username=f"old-{person.pk}" if person.email_key in self.known else person.email_key,
                    remote_id=1000 + person.pk,
                    is_ours=person.email_key not in self.known,
                )
                for person in Person.objects.filter(pk__in=list(person_ids), platform_login=None)
            ],
            ignore_conflicts=True,
        )

    def ensure_enrolments(self, rows: Sequence[Any]) -> list[Outcome]:
        emails = dict(
            Person.objects.filter(pk__in=[row.person_id for row in rows]).values_list("pk", "email_key")
        )
        going = [row for row in rows if emails[row.person_id] not in self.refuses]
        told = iter(super().ensure_enrolments(going)) if going else iter(())
        return [
            refused(code) if (code := self.refuses.get(emails[row.person_id])) else next(told) for row in rows
        ]

    def _called(self, name: str) -> None:
        assert len(connection.savepoint_ids) == self.depth, f"{name} is called inside a transaction"
        super()._called(name)

    def set_password(
        self, person_id: int, password: str, *, first_name: str = "", last_name: str = ""
    ) -> Outcome:
        self._called("set_password")
        login = PlatformLogin.objects.filter(person=person_id).first()
        if login is None:
            return refused(Refusal.UNKNOWN_PERSON)
        if not login.is_ours:
            return refused(Refusal.NOT_OURS)
        if self.rule not in password:
            return refused(Refusal.BAD_PASSWORD)
        self.passwords[person_id] = (password, first_name, last_name)
        if self.is_silent:
            return UNKNOWN
        PlatformLogin.objects.filter(pk=login.pk).update(password_set_at=timezone.now())
        return OK

    def course_urls(self, course_ids: Sequence[int]) -> list[str]:
        return [f"{HOME}/course/view.php?id={pk}" for pk in course_ids]

    def courses(self, shortnames: Sequence[str]) -> list[PlatformCourse | None]:
        self._called("courses")
        return super().courses(shortnames)

    def copy_courses(self, copies: Sequence[CourseCopy]) -> list[Copied]:
        self._called("copy_courses")
        return super().copy_courses(copies)

    def close_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        self._called("close_courses")
        return super().close_courses(course_ids)

    def reopen_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        self._called("reopen_courses")
        return super().reopen_courses(course_ids)


def install_elsewhere(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Elsewhere:
    """Make it the platform of this installation."""
    platform = Elsewhere(f"elsewhere-{next(_numbers)}")
    monkeypatch.setitem(platforms.PLATFORMS, platform.name, lambda: platform)
    settings.COURSE_PLATFORM = platform.name
    return platform


def address_of(course: Course) -> str:
    """Where the course is opened."""
    return f"{HOME}/course/view.php?id={course.pk}"
