"""The places the port is tested against: each is a platform and a hand that does there what people do.

A further platform is a further class, named in SITES.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from common.audit import OPERATOR
from courses.builtin.platform import BuiltinPlatform
from courses.models import Backup, Course, Page
from courses.platform import CoursePlatform
from courses.services import make_backup, mark_page, open_course
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

    def mark_as_template(self, course: Course) -> None:
        """Somebody of the site makes the course a template."""

    def back_up(self, course: Course, *, with_users: bool = False) -> Backup:
        """Somebody of the site makes a backup of the course."""

    def rename_pages(self, course: Course, title: str) -> None:
        """A teacher gives every page of the course this title."""

    def pages(self, course_id: int) -> list[str]:
        """The titles of the pages of a course, in their order."""


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

    def mark_as_template(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(is_template=True)

    def back_up(self, course: Course, *, with_users: bool = False) -> Backup:
        return make_backup(course_id=course.pk, with_users=with_users, actor=OPERATOR)

    def rename_pages(self, course: Course, title: str) -> None:
        Page.objects.filter(course=course).update(title=title)

    def pages(self, course_id: int) -> list[str]:
        return list(Page.objects.filter(course=course_id).values_list("title", flat=True))


SITES: dict[str, Callable[[], Site]] = {"builtin": BuiltinSite}
