"""The places the port is tested against: each is a platform and a hand that does there what people do.

A further platform is a further class, named in SITES.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from courses.builtin.platform import BuiltinPlatform
from courses.models import Course, Page
from courses.platform import CoursePlatform
from courses.services import mark_page, open_course
from tests.courses.factories import make_course


class Site(Protocol):
    platform: CoursePlatform

    def make_course(self, shortname: str, *, pages: int = 0) -> Course:
        """A visible course of the site that we know, with so many pages."""

    def hide_course(self, course: Course) -> None:
        """Somebody of the site hides the course."""

    def visit(self, course: Course, person_id: int, *, now: datetime | None = None) -> None:
        """The participant opens the course."""

    def read(self, course: Course, person_id: int, *, pages: int) -> None:
        """The participant does the first so many pages."""


class BuiltinSite:
    def __init__(self) -> None:
        self.platform: CoursePlatform = BuiltinPlatform()

    def make_course(self, shortname: str, *, pages: int = 0) -> Course:
        return make_course(shortname, pages=pages)

    def hide_course(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(visible=False)

    def visit(self, course: Course, person_id: int, *, now: datetime | None = None) -> None:
        open_course(person_id=person_id, course_id=course.pk, now=now)

    def read(self, course: Course, person_id: int, *, pages: int) -> None:
        for page in Page.objects.filter(course=course)[:pages]:
            mark_page(person_id=person_id, page_id=page.pk)


SITES: dict[str, Callable[[], Site]] = {"builtin": BuiltinSite}
