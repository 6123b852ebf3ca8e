"""The places the port is tested against: each is a platform and a hand that does there what people do.

A further platform is a further class, named in SITES; on those AT_HAND tests also do what no web service does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import pytest

from common.audit import OPERATOR
from courses.builtin.platform import BuiltinPlatform
from courses.models import Backup, Course, CourseCategory, Page
from courses.platform import CoursePlatform
from courses.services import make_backup, mark_page, open_course
from tests.contract import live
from tests.courses.factories import make_category, make_course
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, peer_course, peer_user, use_peer


class Site(Protocol):
    platform: CoursePlatform
    found_there: frozenset[str]  # short names of courses that no test has made
    longer_than_batches: int

    def make_course(self, shortname: str, *, pages: int = 0) -> Course:
        """A visible course of the site that we know, with so many pages."""

    def hide_course(self, course: Course) -> None:
        """Somebody of the site hides the course."""

    def visit(self, course: Course, person_id: int, *, now: datetime | None = None) -> None:
        """The participant opens the course."""

    def make_category(self, name: str) -> int:
        """A category of the site that we know; returns the number that handler parameters name."""

    def ready_for_copies(self, course: Course) -> None:
        """Somebody of the site makes the course a template, as it is now."""


class SiteAtHand(Site, Protocol):
    """A place where a test can also be a teacher and a participant at work."""

    def read(self, course: Course, person_id: int, *, pages: int) -> None:
        """The participant does the first so many pages."""

    def rename_pages(self, course: Course, title: str) -> None:
        """A teacher gives every page of the course this title."""

    def pages(self, course_id: int) -> list[str]:
        """The titles of the pages of a course, in their order."""


class BuiltinSite:
    """Our own platform, the only one whose backups can be read."""

    found_there: frozenset[str] = frozenset()
    longer_than_batches = 1201

    def __init__(self, request: pytest.FixtureRequest) -> None:
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

    def make_category(self, name: str) -> int:
        return make_category(name).pk

    def mark_as_template(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(is_template=True)

    def ready_for_copies(self, course: Course) -> None:
        self.mark_as_template(course)
        self.back_up(course)

    def back_up(self, course: Course, *, with_users: bool = False) -> Backup:
        """Somebody of the site makes a backup of the course."""
        return make_backup(course_id=course.pk, with_users=with_users, actor=OPERATOR)

    def rename_pages(self, course: Course, title: str) -> None:
        Page.objects.filter(course=course).update(title=title)

    def pages(self, course_id: int) -> list[str]:
        return list(Page.objects.filter(course=course_id).values_list("title", flat=True))


class MoodleSite:
    """The loopback peer; courses are known to us as a synchronisation would have them known."""

    found_there: frozenset[str] = frozenset()
    longer_than_batches = 301

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.peer: MoodlePeer = request.getfixturevalue("moodle_peer")
        self.platform: CoursePlatform = use_peer(request.getfixturevalue("settings"), self.peer)

    def make_course(self, shortname: str, *, pages: int = 0) -> Course:
        titles = [f"Page {position}" for position in range(1, pages + 1)]
        return mirror(self.peer.site.add_course(shortname, pages=titles))

    def hide_course(self, course: Course) -> None:
        self.peer.site.hide(peer_course(self.peer, course))
        Course.objects.filter(pk=course.pk).update(visible=False)

    def visit(self, course: Course, person_id: int, *, now: datetime | None = None) -> None:
        at = now.timestamp() if now else None
        self.peer.site.visit(peer_user(self.peer, person_id), peer_course(self.peer, course), at)

    def read(self, course: Course, person_id: int, *, pages: int) -> None:
        there = peer_course(self.peer, course)
        self.peer.site.complete(peer_user(self.peer, person_id), there, 100 * pages / len(there.pages))

    def make_category(self, name: str) -> int:
        known = CourseCategory.objects.filter(name=name, remote_id__isnull=False).first()
        if known is not None:
            return known.number
        there = self.peer.site.add_category(name)
        return CourseCategory.objects.create(name=name, remote_id=there.id).number

    def ready_for_copies(self, course: Course) -> None:
        """There are no backups to be read: the template counts as it is at the moment of the copy."""
        Course.objects.filter(pk=course.pk).update(is_template=True)

    def rename_pages(self, course: Course, title: str) -> None:
        there = peer_course(self.peer, course)
        there.pages = [title] * len(there.pages)

    def pages(self, course_id: int) -> list[str]:
        return list(peer_course(self.peer, Course.objects.get(pk=course_id)).pages)


AT_HAND: dict[str, Callable[[pytest.FixtureRequest], SiteAtHand]] = {
    "builtin": BuiltinSite,
    "moodle": MoodleSite,
}
SITES: dict[str, Callable[[pytest.FixtureRequest], Site]] = {**AT_HAND}
if live.URL and live.TOKEN:
    SITES["live"] = live.LiveSite
