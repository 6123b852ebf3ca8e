"""What Moodle tells of people in courses, put together with the dates that only we know."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Person
from common.cutting import cut
from common.emailkey import email_key
from courses.builtin.state import NOTHING_DONE, enrolment_state
from courses.models import Course, Enrolment
from courses.moodle import logins
from courses.moodle.connection import OnSite
from courses.moodle.errors import MoodleMisconfigured, MoodleRefused
from courses.moodle.lookup import by_emails, by_ids
from courses.moodle.participants import ids_of, participants
from courses.moodle.records import is_running
from courses.moodle.roles import present_role
from courses.platform import (
    ActiveEnrolment,
    CourseProgress,
    Enrolled,
    EnrolmentReason,
    EnrolmentStatus,
    KnownEnd,
    Pair,
    PlatformAway,
    ProgressState,
    Stranger,
)

log = logging.getLogger(__name__)

AT_ONCE = 500
WHOLE = 100  # of a progress, which is told in per cent
# Moodle rounds its clock to 100 seconds when it says who is active, and it need not be right to the second.
SLACK = timedelta(minutes=5)


class Reading(OnSite):
    """The part of the platform that tells who is in courses and what they did."""

    def check(self) -> None:
        """Look the service user up as a user: a site policy or a forced password hits that, and not the site info."""
        info = self.connection.read("core_webservice_get_site_info", {})
        try:
            found = by_ids(self.connection, [int(info["userid"])])
        except MoodleRefused as error:
            raise PlatformAway(
                _("Moodle refuses its service user: %(code)s.") % {"code": error.code}
            ) from error
        if not found:
            raise MoodleMisconfigured(
                _("The service user may not look people up: give his role moodle/user:viewdetails."),
                code="nopermissions",
                whole_site=True,
            )

    def active_enrolments(
        self, pairs: Sequence[Pair], *, now: datetime | None = None
    ) -> list[ActiveEnrolment | None]:
        """At most three calls per course, and one to look up people whose login was not ensured yet.

        What our row says counts where Moodle cannot know better: before the start of an enrolment, and in a course
        that we closed.
        """
        now = now or timezone.now()
        found: dict[Pair, ActiveEnrolment] = {}
        users = self._users(person_id for _course, person_id in pairs)
        rows = {pair: row for part in cut(pairs, AT_ONCE) for pair, row in _rows(part).items()}
        courses = Course.objects.in_bulk(list({course_id for course_id, _person in pairs}))
        for course in courses.values():
            people = {person for course_id, person in set(pairs) if course_id == course.pk}
            mine = {person: row for (pk, person), row in rows.items() if pk == course.pk}
            if course.closed_at is not None or course.remote_id is None or course.missing_since is not None:
                told = _from_rows(mine.values(), now) if course.closed_at is not None else {}
            else:
                known = {person: users[person] for person in people if person in users}
                told = self._active(course.remote_id, course.pk, known, mine, now) if known else {}
            found |= {(course.pk, person): active for person, active in told.items()}
        return [found.get(pair) for pair in pairs]

    def known_ends(self, pairs: Sequence[Pair]) -> list[KnownEnd | None]:
        """What our rows know; asks nobody."""
        found: dict[Pair, KnownEnd] = {}
        for part in cut(pairs, AT_ONCE):
            found |= {pair: KnownEnd(row.ends_at) for pair, row in _rows(part).items()}
        return [found.get(pair) for pair in pairs]

    def strangers(
        self, course_id: int, emails: Sequence[str], *, now: datetime | None = None
    ) -> list[Stranger | None]:
        """One call, and one more for the course when somebody is found.

        An address that Moodle keeps in another case than typed or lower is only found when a login is made.
        """
        users = {key: found[0].id for key, found in by_emails(self.connection, emails).items()}
        course = Course.objects.filter(pk=course_id, missing_since=None, closed_at=None).first()
        enrolled: set[int] = set()
        if users and course is not None and course.remote_id is not None:
            enrolled = ids_of(self.connection, course.remote_id, only_active=True)
        keys = [email_key(email) for email in emails]
        return [Stranger(users[key] in enrolled) if key in users else None for key in keys]

    def enrolments(self, course_ids: Sequence[int], *, now: datetime | None = None) -> list[list[Enrolled]]:
        """Two calls per course. Suspended, not started and ended are one heap to Moodle: of people without a row of
        ours all are told as suspended.
        """
        now = now or timezone.now()
        courses = Course.objects.in_bulk(list(set(course_ids)))
        told = {
            course.pk: self._enrolled(course, course.remote_id, now)
            for course in courses.values()
            if course.remote_id is not None and course.missing_since is None
        }
        return [told.get(pk, []) for pk in course_ids]

    def opened(self, pairs: Sequence[Pair]) -> list[datetime | None]:
        """One call per course: the last time, in whole seconds."""
        found: dict[Pair, datetime] = {}
        for course_id, users in self._by_course(pairs):
            for person_id, visited in self._visits(course_id, users).items():
                found[course_id, person_id] = visited
        rows = {pair: row for part in cut(pairs, AT_ONCE) for pair, row in _rows(part).items()}
        return [_since(found.get(pair), rows.get(pair)) for pair in pairs]

    def progress(self, pairs: Sequence[Pair]) -> list[CourseProgress]:
        """One call per person, of 100 per cent. Nothing is told of hidden courses and of who is not active in them."""
        courses = _remote_courses({course_id for course_id, _person in pairs})
        users = logins.confirmed_ids(person_id for _course, person_id in pairs)
        rows = {pair: row for part in cut(pairs, AT_ONCE) for pair, row in _rows(part).items()}
        told: dict[Pair, CourseProgress] = {}
        for person_id in {person for course_id, person in pairs if course_id in courses and person in users}:
            mine = self._courses_of(users[person_id])
            for course_id, remote_id in courses.items():
                if remote_id in mine:
                    pair = (course_id, person_id)
                    told[pair] = _progress(mine[remote_id], rows.get(pair))
        return [told.get(pair, NOTHING_DONE) for pair in pairs]

    # --- who is active ------------------------------------------------------------------------------

    def _users(self, person_ids: Iterable[int]) -> dict[int, int]:
        """Moodle's number of each person who has a login there; those that we do not know are looked up."""
        people = set(person_ids)
        users = logins.confirmed_ids(people)
        unknown = [
            person
            for part in cut(sorted(people - users.keys()), AT_ONCE)
            for person in Person.objects.filter(pk__in=part)
        ]
        if unknown:
            found = by_emails(self.connection, [person.email for person in unknown])
            taken = logins.people_of(user.id for same in found.values() for user in same)
            for person in unknown:
                for user in reversed(found.get(person.email_key, [])):
                    if user.problem is None and user.id not in taken:
                        users[person.pk] = user.id
        return users

    def _active(
        self,
        remote_id: int,
        course_id: int,
        users: Mapping[int, int],
        rows: Mapping[int, Enrolment],
        now: datetime,
    ) -> dict[int, ActiveEnrolment]:
        active = ids_of(self.connection, remote_id, only_active=True)
        told = {
            person: _active_row(row)
            for person, row in rows.items()
            if users.get(person) in active and is_running(row, now)
        }
        ahead = [
            person
            for person, row in rows.items()
            if users.get(person) not in active and _lies_ahead(row, now)
        ]
        if ahead:
            enrolled = ids_of(self.connection, remote_id)
            told |= {person: _active_row(rows[person]) for person in ahead if users.get(person) in enrolled}
        others = [
            person
            for person, user in users.items()
            if user in active and person not in told and not _is_ours(rows.get(person))
        ]
        if others:
            there = {
                int(one["id"]): one
                for one in participants(self.connection, remote_id, "roles", only_active=True)
            }
            for person in others:
                if (one := there.get(users[person])) is not None:
                    role = present_role(one.get("roles", ()))[0]
                    told[person] = ActiveEnrolment(course_id, person, role, None, None, dates_known=False)
        return told

    def _enrolled(self, course: Course, remote_id: int, now: datetime) -> list[Enrolled]:
        everybody = participants(self.connection, remote_id, "email", "roles", "groups")
        active = ids_of(self.connection, remote_id, only_active=True)
        people = logins.people_of(int(one["id"]) for one in everybody)
        emails = dict(Person.objects.filter(pk__in=people.values()).values_list("pk", "email"))
        rows = {row.person_id: row for row in Enrolment.objects.filter(course=course)}
        told = []
        for one in everybody:
            person = people.get(int(one["id"]))
            row = rows.get(person) if person is not None else None
            told.append(
                _tell(
                    course,
                    one,
                    person,
                    emails.get(person or 0),
                    row,
                    is_active=int(one["id"]) in active,
                    now=now,
                )
            )
        return sorted(told, key=lambda one: email_key(one.email))

    # --- what they did ------------------------------------------------------------------------------

    def _by_course(self, pairs: Sequence[Pair]) -> list[tuple[int, dict[int, int]]]:
        """Each course with its people by Moodle's numbers."""
        users = logins.confirmed_ids(person_id for _course, person_id in pairs)
        courses: dict[int, dict[int, int]] = {}
        for course_id, person_id in pairs:
            if person_id in users:
                courses.setdefault(course_id, {})[users[person_id]] = person_id
        return sorted(courses.items())

    def _visits(self, course_id: int, users: Mapping[int, int]) -> dict[int, datetime]:
        remote_id = _remote_courses([course_id]).get(course_id)
        if remote_id is None:
            return {}
        return {
            users[int(one["id"])]: datetime.fromtimestamp(int(one["lastcourseaccess"]), UTC)
            for one in participants(self.connection, remote_id, "lastcourseaccess")
            if int(one["id"]) in users and int(one.get("lastcourseaccess") or 0) > 0
        }

    def _courses_of(self, user: int) -> dict[int, dict[str, Any]]:
        """The courses in which a user is active, by their numbers."""
        try:
            told = self.connection.read(
                "core_enrol_get_users_courses", {"userid": user, "returnusercount": 0}
            )
        except MoodleRefused as error:
            raise PlatformAway(
                _("The courses of a user of Moodle cannot be read: %(code)s.") % {"code": error.code}
            ) from error
        return {int(one["id"]): one for one in told}


# --- our rows ---------------------------------------------------------------------------------------


def _rows(pairs: Collection[Pair]) -> dict[Pair, Enrolment]:
    return {(row.course_id, row.person_id): row for row in Enrolment.objects.among(pairs)}


def _remote_courses(course_ids: Iterable[int]) -> dict[int, int]:
    """Moodle's numbers of these courses, as far as they are there."""
    found = Course.objects.filter(pk__in=set(course_ids), remote_id__isnull=False, missing_since=None)
    return {pk: remote_id for pk, remote_id in found.values_list("pk", "remote_id") if remote_id is not None}


def _lies_ahead(row: Enrolment, now: datetime) -> bool:
    """Whether it holds and Moodle cannot call it active yet."""
    return is_running(row, now) and row.starts_at > timezone.now() - SLACK


def _is_ours(row: Enrolment | None) -> bool:
    """Whether somebody who is active there is so by us, though our record does not say so (yet, or any more)."""
    return _just_ended(row) or (row is not None and row.waits)


def _just_ended(row: Enrolment | None) -> bool:
    """Whether Moodle may not have noticed the end yet."""
    if row is None or row.status != Enrolment.Status.ACTIVE or row.ends_at is None:
        return False
    return row.ends_at > timezone.now() - SLACK


def _from_rows(rows: Iterable[Enrolment], now: datetime) -> dict[int, ActiveEnrolment]:
    return {row.person_id: _active_row(row) for row in rows if is_running(row, now)}


def _active_row(row: Enrolment) -> ActiveEnrolment:
    return ActiveEnrolment(row.course_id, row.person_id, row.role, row.starts_at, row.ends_at)


def _tell(
    course: Course,
    told: Mapping[str, Any],
    person_id: int | None,
    email: str | None,
    row: Enrolment | None,
    *,
    is_active: bool,
    now: datetime,
) -> Enrolled:
    status, reason = _state(course, row, is_active=is_active, now=now)
    knows_dates = row is not None and not (is_active and not is_running(row, now) and not _just_ended(row))
    return Enrolled(
        course_id=course.pk,
        person_id=person_id,
        email=email or str(told.get("email", "")),
        role=row.role if row is not None else present_role(told.get("roles", ()))[0],
        status=status,
        reason=reason,
        starts_at=row.starts_at if row is not None and knows_dates else None,
        ends_at=row.ends_at if row is not None and knows_dates else None,
        groups=tuple(sorted(str(group["name"]) for group in told.get("groups", ()))),
    )


def _state(
    course: Course, row: Enrolment | None, *, is_active: bool, now: datetime
) -> tuple[EnrolmentStatus, EnrolmentReason]:
    """What Moodle says counts, but for what it cannot know: starts that lie ahead, ends, and courses we closed."""
    is_over = row is not None and row.status == Enrolment.Status.ACTIVE and not is_running(row, now)
    if is_active and course.closed_at is not None:
        return EnrolmentStatus.SUSPENDED, EnrolmentReason.COURSE_CLOSED
    if is_active and not (is_over and _just_ended(row)):
        hidden = EnrolmentReason.NONE if course.visible else EnrolmentReason.COURSE_HIDDEN
        return EnrolmentStatus.ACTIVE, hidden
    if row is not None and (course.closed_at is not None or _lies_ahead(row, now)):
        row.course = course
        return enrolment_state(row, now=now)
    reason = EnrolmentReason.ENDED if is_over else EnrolmentReason.SUSPENDED
    return EnrolmentStatus.SUSPENDED, reason


def _since(visited: datetime | None, row: Enrolment | None) -> datetime | None:
    """The visit, unless it belongs to an earlier enrolment."""
    if visited is None or row is None:
        return visited
    return visited if visited >= row.starts_at.replace(microsecond=0) else None


def _progress(told: Mapping[str, Any], row: Enrolment | None) -> CourseProgress:
    done = int(told.get("progress") or 0)
    if told.get("completed") or done >= WHOLE:
        return CourseProgress(ProgressState.FINISHED, WHOLE, WHOLE)
    last = int(told.get("lastaccess") or 0)
    visited = _since(datetime.fromtimestamp(last, UTC) if last else None, row)
    state = ProgressState.UNDER_WAY if done or visited else ProgressState.NOT_STARTED
    return CourseProgress(state, done, WHOLE)
