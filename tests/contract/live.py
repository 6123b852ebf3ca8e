"""A real Moodle that somebody lends for tests: a third place for the contract.

MOODLE_TEST_URL and MOODLE_TEST_TOKEN name it, MOODLE_TEST_ROLES the numbers of its roles. Besides what docs/moodle.md
asks for, the site has two categories, Trainings and Spaces, and its service user may make courses, and delete the
courses and users that a test has made.
"""

from __future__ import annotations

import contextlib
import os
import re
from datetime import datetime
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from common.cutting import cut
from courses.models import Course, CourseCategory, PlatformLogin
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.moodle.platform import MoodlePlatform
from courses.platform import CoursePlatform, PlatformAway
from tests.courses.factories import make_category

URL = os.environ.get("MOODLE_TEST_URL", "").rstrip("/")
TOKEN = os.environ.get("MOODLE_TEST_TOKEN", "")
ROLES = os.environ.get("MOODLE_TEST_ROLES", "student:5,teacher:4,courseowner:3")
PASSWORD = "Visitor-8-for-a-moment"


class LiveSite:
    """People and courses of the tests are made there by web services, and deleted when a test is over."""

    longer_than_batches = 301

    def __init__(self, request: pytest.FixtureRequest) -> None:
        settings = request.getfixturevalue("settings")
        settings.COURSE_PLATFORM = "moodle"
        settings.MOODLE_URL, settings.MOODLE_TOKEN, settings.MOODLE_ROLES = URL, TOKEN, ROLES
        settings.SHOPSEATS_PRIVATE_HOSTS = [urlsplit(URL).hostname]
        self._moodle = MoodlePlatform()
        self.platform: CoursePlatform = self._moodle
        self.found_there = frozenset(course.shortname for course in self.platform.all_courses())
        request.addfinalizer(self._leave)

    def make_course(self, shortname: str, *, pages: int = 0) -> Course:
        """Without pages: no web service makes one."""
        assert shortname not in self.found_there, f"{shortname} is on the site already: delete it there"
        category = self._read("core_course_get_categories", {})[0]["id"]
        wanted = {"fullname": shortname, "shortname": shortname, "categoryid": category}
        (there,) = self._write("core_course_create_courses", {"courses": [wanted]})
        return Course.objects.create(
            shortname=shortname, fullname=shortname, category=make_category(), remote_id=there["id"]
        )

    def hide_course(self, course: Course) -> None:
        self._write("core_course_update_courses", {"courses": [{"visible": 0, "id": course.remote_id}]})
        Course.objects.filter(pk=course.pk).update(visible=False)

    def visit(self, course: Course, person_id: int, *, now: datetime | None = None) -> None:
        """With a password, through the site's own pages, at this moment."""
        assert now is None
        login = PlatformLogin.objects.get(person=person_id)
        user = {"password": PASSWORD, "id": login.remote_id}
        self._write("core_user_update_users", {"users": [user]})
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        form = browser.open(f"{URL}/login/index.php", timeout=60).read().decode()
        token = re.search(r"""name=["']logintoken["'][^>]*value=["']([^"']+)""", form)
        fields = {"username": login.username, "password": PASSWORD, "logintoken": token[1] if token else ""}
        browser.open(f"{URL}/login/index.php", urlencode(fields).encode(), timeout=60).read()
        browser.open(f"{URL}/course/view.php?id={course.remote_id}", timeout=60).read()

    def make_category(self, name: str) -> int:
        known = CourseCategory.objects.filter(name=name, remote_id__isnull=False).first()
        if known is not None:
            return known.number
        told = self._read("core_course_get_categories", {})
        there = next((one for one in told if one["name"] == name), None)
        assert there is not None, f"make a category {name} on the site, by hand"
        return CourseCategory.objects.create(name=name, remote_id=there["id"]).number

    def ready_for_copies(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(is_template=True)

    # --- in between ---------------------------------------------------------------------------------

    def _read(self, function: str, params: dict[str, Any]) -> Any:
        return self._moodle.connection.read(function, params)

    def _write(self, function: str, params: dict[str, Any]) -> Any:
        with self._moodle.connection.writing():
            return self._moodle.connection.write(function, params)

    def _leave(self) -> None:
        """What is not allowed to be deleted stays."""
        courses = Course.objects.filter(remote_id__isnull=False).values_list("remote_id", flat=True)
        users = PlatformLogin.objects.filter(is_ours=True, remote_id__isnull=False)
        wanted = (
            ("core_course_delete_courses", "courseids", list(courses)),
            ("core_user_delete_users", "userids", list(users.values_list("remote_id", flat=True))),
        )
        for function, name, numbers in wanted:
            for part in cut(numbers, 50):
                with contextlib.suppress(PlatformAway, MoodleRefused, OutcomeUnknown):
                    self._write(function, {name: list(part)})
