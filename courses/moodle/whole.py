"""Whole courses of the site, and who may see whom."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from common.cutting import cut
from courses.models import Course, CourseCategory, Enrolment
from courses.moodle import closing, copying, logins, mirror
from courses.moodle.enrolling import Enrolling
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.platform import (
    OK,
    UNKNOWN,
    Copied,
    CourseCopy,
    CourseRestore,
    Outcome,
    Oversight,
    PlatformCategory,
    PlatformCourse,
    Refusal,
    TemplateProblem,
    refused,
)

OVERSIGHTS_AT_ONCE = 200  # 800 variables


class Whole(Enrolling):
    """The part of the platform that deals with whole courses.

    Moodle has no web service that restores a backup, so that a course is made from its template as it is now.
    """

    def all_categories(self) -> list[PlatformCategory]:
        return mirror.all_categories(self.connection)

    def all_courses(self) -> list[PlatformCourse]:
        """Without the site's own course, and those that we are making."""
        return mirror.all_courses(self.connection)

    def courses(self, shortnames: Sequence[str]) -> list[PlatformCourse | None]:
        return mirror.courses_named(self.connection, shortnames)

    def course_urls(self, course_ids: Sequence[int]) -> list[str]:
        """The address that leads through Moodle's sign-in straight to the course; one query."""
        rows = Course.objects.filter(pk__in=set(course_ids), remote_id__isnull=False)
        numbers = dict(rows.values_list("pk", "remote_id"))
        urls = {pk: f"{settings.MOODLE_URL}/course/view.php?id={number}" for pk, number in numbers.items()}
        return [urls.get(pk, "") for pk in course_ids]

    def categories(self, category_ids: Sequence[int]) -> list[str | None]:
        """By Moodle's own numbers, as last synchronised."""
        rows = CourseCategory.objects.filter(remote_id__in=set(category_ids), missing_since=None)
        names = dict(rows.values_list("remote_id", "name"))
        return [names.get(number) for number in category_ids]

    def template_problems(self, shortnames: Sequence[str]) -> list[tuple[TemplateProblem, ...]]:
        """As last synchronised; there are no backups to look at."""
        rows = Course.objects.filter(
            shortname__in=set(shortnames), remote_id__isnull=False, missing_since=None
        ).in_bulk(field_name="shortname")
        return [_problems(rows.get(name)) for name in shortnames]

    def copy_courses(self, copies: Sequence[CourseCopy]) -> list[Copied]:
        """From the template as it is now. Also refuses `has_groups`."""
        return copying.copy_courses(self.connection, copies)

    def close_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        """Hidden, and the enrolments we made suspended; our rows of them stay as they are."""
        return [closing.close(self.connection, pk, self._tell_of) for pk in course_ids]

    def reopen_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        """Visible if it was before, and exactly those let in again whom closing has kept out."""
        return [closing.reopen(self.connection, pk, self._tell_of) for pk in course_ids]

    def restore_courses(self, restores: Sequence[CourseRestore]) -> list[Outcome]:
        """Backups of Moodle are restored in Moodle: no web service does it."""
        return [refused(Refusal.UNKNOWN_BACKUP) for _ in restores]

    def oversee(self, rows: Sequence[Oversight]) -> list[Outcome]:
        """The role MOODLE_OVERSIGHT_ROLE in the context of the person; without the setting there is nothing to do.

        Who oversees needs a login too, and gets one. Refuses `unknown_person` and `unknown_role`.
        """
        role = settings.MOODLE_OVERSIGHT_ROLE
        if not role or not rows:
            return [OK] * len(rows)
        self.ensure_logins(sorted({row.overseer_id for row in rows}))
        users = logins.confirmed_ids({row.overseer_id for row in rows} | {row.person_id for row in rows})
        known = [row for row in rows if row.overseer_id in users and row.person_id in users]
        told: dict[Oversight, Outcome] = {}
        for part in cut(known, OVERSIGHTS_AT_ONCE):
            with self.connection.writing():
                told |= self._assign(part, users, int(role))
        return [told.get(row, refused(Refusal.UNKNOWN_PERSON)) for row in rows]

    # --- helpers ------------------------------------------------------------------------------------

    def _tell_of(self, rows: list[Enrolment], suspended: bool) -> list[Outcome]:
        return self.tell_again(rows, suspended=suspended) if rows else []

    def _assign(
        self, rows: Sequence[Oversight], users: dict[int, int], role: int
    ) -> dict[Oversight, Outcome]:
        """All of them or none; a refused list is halved until what is bad stands alone."""
        items = [
            {
                "roleid": role,
                "contextlevel": "user",
                "instanceid": users[row.person_id],
                "userid": users[row.overseer_id],
            }
            for row in rows
        ]
        try:
            self.connection.write("core_role_assign_roles", {"assignments": items})
        except OutcomeUnknown:
            return dict.fromkeys(rows, UNKNOWN)
        except MoodleRefused:
            if len(rows) == 1:
                return {rows[0]: refused(Refusal.UNKNOWN_ROLE)}
            half = len(rows) // 2
            return self._assign(rows[:half], users, role) | self._assign(rows[half:], users, role)
        return dict.fromkeys(rows, OK)


def _problems(course: Course | None) -> tuple[TemplateProblem, ...]:
    if course is None:
        return (TemplateProblem.UNKNOWN,)
    problems = [] if course.is_template else [TemplateProblem.UNMARKED]
    return tuple(problems + ([TemplateProblem.HAS_GROUPS] if course.groups_found else []))
