"""Enrolments: the whole row at every call, because a date that is left out is set to none by Moodle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from common.cutting import cut
from courses.builtin import places
from courses.models import Course, Enrolment
from courses.moodle import logins
from courses.moodle.errors import LOST_RACE, MoodleMisconfigured, MoodleRefused, OutcomeUnknown
from courses.moodle.lookup import by_ids
from courses.moodle.participants import ids_of, participants
from courses.moodle.people import People
from courses.moodle.records import release, reserve
from courses.moodle.roles import present_role, role_ids
from courses.platform import (
    OK,
    UNKNOWN,
    EnrolmentRow,
    Outcome,
    OutcomeState,
    Pair,
    Refusal,
    refused,
)

AT_ONCE = 140  # enrolments per call: 840 variables

# Refusals that are the same for everybody with this role in this course.
_SHARED = {"wsnoinstance": Refusal.NO_ENROLMENTS, "wsusercannotassign": Refusal.UNKNOWN_ROLE}


@dataclass(frozen=True, slots=True)
class Telling:
    """An enrolment as Moodle is told of it. `row` is what we keep of it then; none: nothing.

    `dropped`: roles, by Moodle's numbers, that are taken from the person once this one is given.
    """

    pair: Pair
    course: int
    user: int
    role: int
    timestart: int
    timeend: int
    suspended: bool
    row: EnrolmentRow | None = None
    dropped: frozenset[int] = frozenset()

    def params(self) -> dict[str, object]:
        """The required number of the course last: an item that was cut off fails."""
        return {
            "roleid": self.role,
            "userid": self.user,
            "timestart": self.timestart,
            "timeend": self.timeend,
            "suspend": int(self.suspended),
            "courseid": self.course,
        }


class Enrolling(People):
    """The part of the platform that puts people into courses and suspends them there."""

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        """Also refuses `no_enrolments`, and people whose login was not ensured.

        Roles that somebody else gave the person stay, what our row had given and is another one now is taken.
        In a closed course our row is kept as asked for, and Moodle is told that it is suspended.
        """
        outcomes: list[Outcome] = []
        for part in cut(rows, AT_ONCE):
            with self.connection.writing():
                outcomes += self._ensure_rows(part)
        return outcomes

    def end_enrolments(self, pairs: Sequence[Pair]) -> list[Outcome]:
        """With the dates and the role of our row. Of who was enrolled by others Moodle tells no dates: they are lost,
        he keeps his role and is suspended. Who is not enrolled there is not enrolled by this either.
        """
        outcomes: list[Outcome] = []
        for part in cut(pairs, AT_ONCE):
            with self.connection.writing():
                outcomes += self._end_pairs(part)
        return outcomes

    def tell_again(self, enrolments: Sequence[Enrolment], *, suspended: bool) -> list[Outcome]:
        """Tell Moodle of rows of ours with another status than they keep; nothing of them changes here.

        A row whose person or course is no longer known there has nothing to be told: ok. Raises PlatformAway.
        """
        outcomes: list[Outcome] = []
        for part in cut(enrolments, AT_ONCE):
            users = logins.confirmed_ids(row.person_id for row in part)
            courses = Course.objects.in_bulk([row.course_id for row in part])
            tellings = {}
            for row in part:
                course, user, role = (
                    courses[row.course_id],
                    users.get(row.person_id),
                    role_ids().get(row.role),
                )
                if course.remote_id is not None and user is not None and role is not None:
                    asked = replace(row_of(row), suspended=suspended)
                    telling = telling_of(asked, course.remote_id, user, role)
                    tellings[telling.pair] = replace(telling, row=None)
            with self.connection.writing():
                told = self._tell_enrolments(list(tellings.values()))
            outcomes += [told.get((row.course_id, row.person_id), OK) for row in part]
        return outcomes

    # --- ensuring -----------------------------------------------------------------------------------

    def _ensure_rows(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        courses = Course.objects.in_bulk(list({row.course_id for row in rows}))
        users = logins.confirmed_ids(row.person_id for row in rows)
        judged = _admit(rows, [_judge(row, courses, users) for row in rows], courses)
        # Of two rows for one pair the later holds.
        last = {(row.course_id, row.person_id): row for row, it in zip(rows, judged, strict=True) if it.ok}
        before = {(row.course_id, row.person_id): row for row in Enrolment.objects.among(last)}
        tellings = []
        for pair in sorted(last):
            row, course = last[pair], courses[pair[0]]
            telling = telling_of(row, course.remote_id or 0, users[pair[1]], role_ids()[row.role])
            given = frozenset(_ids_of_roles([before[pair].role] if pair in before else []))
            is_suspended = row.suspended or course.closed_at is not None
            tellings.append(replace(telling, suspended=is_suspended, dropped=given - {telling.role}))
        reserve(list(last.values()), before, now=timezone.now())
        told = self._tell_enrolments(tellings)
        Enrolment.objects.put([telling.row for telling in tellings if telling.row and told[telling.pair].ok])
        release([pair for pair, it in told.items() if it.state is OutcomeState.REFUSED], before)
        return [
            told[row.course_id, row.person_id] if it.ok else it for row, it in zip(rows, judged, strict=True)
        ]

    # --- ending -------------------------------------------------------------------------------------

    def _end_pairs(self, pairs: Sequence[Pair]) -> list[Outcome]:
        wanted = set(pairs)
        courses = Course.objects.in_bulk(list({course_id for course_id, _person in wanted}))
        users = logins.confirmed_ids(person_id for _course, person_id in wanted)
        rows = {(row.course_id, row.person_id): row for row in Enrolment.objects.among(wanted)}
        tellings: list[Telling] = []
        for course in courses.values():
            if course.remote_id is None or course.missing_since is not None:
                continue
            people = {users[person]: person for pk, person in wanted if pk == course.pk and person in users}
            if people:
                tellings += self._endings(course, course.remote_id, people, rows)
        told = self._tell_enrolments(tellings)
        unsaid = [row for pair, row in rows.items() if pair not in told]
        Enrolment.objects.put(
            [telling.row for telling in tellings if telling.row and told[telling.pair].ok]
            + [replace(row_of(row), suspended=True) for row in unsaid]
        )
        return [told.get(pair, OK) for pair in pairs]

    def _endings(
        self, course: Course, remote_id: int, people: Mapping[int, int], rows: Mapping[Pair, Enrolment]
    ) -> list[Telling]:
        """What is told of the people, by Moodle's numbers, who are enrolled in the course."""
        enrolled = ids_of(self.connection, remote_id) & people.keys()
        if not enrolled:
            return []
        active = {
            int(one["id"]): present_role(one.get("roles", ()))[1]
            for one in (
                participants(self.connection, remote_id, "roles", only_active=True)
                if any(_role_of(rows.get((course.pk, people[user]))) is None for user in enrolled)
                else ()
            )
        }
        tellings = []
        for user in sorted(enrolled):
            pair = (course.pk, people[user])
            row = rows.get(pair)
            if row is None and user not in active:
                continue
            role = _role_of(row) or active.get(user) or next(iter(role_ids().values()))
            if row is None:
                tellings.append(Telling(pair, remote_id, user, role, 0, 0, suspended=True))
            else:
                tellings.append(telling_of(replace(row_of(row), suspended=True), remote_id, user, role))
        return tellings

    # --- telling, and looking what became of it -------------------------------------------------------

    def _tell_enrolments(self, tellings: Sequence[Telling]) -> dict[Pair, Outcome]:
        """Tell Moodle, and count afterwards: who is not in the list of the course is told once more."""
        outcomes = self._send_enrolments(tellings)
        outcomes |= self._drop_roles([one for one in tellings if one.dropped and outcomes[one.pair].ok])
        missing = self._missing_people([one for one in tellings if outcomes[one.pair].ok])
        if missing:
            outcomes |= self._send_enrolments(missing)
            again = self._missing_people([one for one in missing if outcomes[one.pair].ok])
            outcomes |= {one.pair: UNKNOWN for one in again}
        return outcomes

    def _send_enrolments(self, tellings: Sequence[Telling]) -> dict[Pair, Outcome]:
        """All of them or none; a refused list is halved until what is bad stands alone."""
        if not tellings:
            return {}
        try:
            self.connection.write(
                "enrol_manual_enrol_users", {"enrolments": [one.params() for one in tellings]}
            )
        except OutcomeUnknown:
            return dict.fromkeys((one.pair for one in tellings), UNKNOWN)
        except (MoodleRefused, MoodleMisconfigured) as error:
            if isinstance(error, MoodleMisconfigured) and error.code not in _SHARED:
                raise
            if error.code in _SHARED and len({(one.course, one.role) for one in tellings}) == 1:
                return dict.fromkeys((one.pair for one in tellings), refused(_SHARED[error.code]))
            if len(tellings) == 1:
                return {
                    tellings[0].pair: self._refused_enrolment(tellings[0], lost_race=error.code == LOST_RACE)
                }
            half = len(tellings) // 2
            return self._send_enrolments(tellings[:half]) | self._send_enrolments(tellings[half:])
        return dict.fromkeys((one.pair for one in tellings), OK)

    def _refused_enrolment(self, telling: Telling, *, lost_race: bool) -> Outcome:
        """Moodle seldom says why: the course and the person are looked up."""
        if lost_race:
            return UNKNOWN  # somebody else writes the same row; whoever repeats finds it
        if telling.user not in by_ids(self.connection, [telling.user]):
            return self._with_new_login(telling)
        if not self._course_is_there(telling.course):
            return refused(Refusal.UNKNOWN_COURSE)
        return refused(Refusal.NOT_ACCEPTED)

    def _with_new_login(self, telling: Telling) -> Outcome:
        """The login was deleted there: the person gets another, and is enrolled with it."""
        logins.forget([telling.user])
        person_id = telling.pair[1]
        if telling.suspended:
            return OK  # who is gone is not enrolled
        outcome = self.ensure_logins([person_id])[0]
        user = logins.confirmed_ids([person_id]).get(person_id)
        if not outcome.ok or user is None:
            return outcome if not outcome.ok else refused(Refusal.UNKNOWN_PERSON)
        return self._send_enrolments([replace(telling, user=user, dropped=frozenset())])[telling.pair]

    def _course_is_there(self, number: int) -> bool:
        told = self.connection.read("core_course_get_courses_by_field", {"field": "id", "value": str(number)})
        return bool(told["courses"])

    def _drop_roles(self, tellings: Sequence[Telling]) -> dict[Pair, Outcome]:
        """Take the roles that the person had from us before; to enrol with another role only adds one."""
        if not tellings:
            return {}
        unassignments = [
            {"roleid": role, "userid": one.user, "contextlevel": "course", "instanceid": one.course}
            for one in tellings
            for role in sorted(one.dropped)
        ]
        try:
            for part in cut(unassignments, AT_ONCE):
                self.connection.write("core_role_unassign_roles", {"unassignments": list(part)})
        except OutcomeUnknown:
            return dict.fromkeys((one.pair for one in tellings), UNKNOWN)
        except MoodleRefused:
            return dict.fromkeys((one.pair for one in tellings), refused(Refusal.UNKNOWN_ROLE))
        return {}

    def _missing_people(self, tellings: Sequence[Telling]) -> list[Telling]:
        """Who is not in the list of the course although Moodle has said yes: it may have read a part of a request."""
        # Some may have got another login meanwhile.
        users = logins.confirmed_ids(one.pair[1] for one in tellings)
        asked = [replace(one, user=users[one.pair[1]]) for one in tellings if one.pair[1] in users]
        missing = []
        for course in sorted({one.course for one in asked}):
            there = ids_of(self.connection, course)
            missing += [one for one in asked if one.course == course and one.user not in there]
        return missing


def telling_of(row: EnrolmentRow, course: int, user: int, role: int) -> Telling:
    """The row in Moodle's numbers and whole seconds; the end is never earlier than asked for."""
    timeend = 0 if row.ends_at is None else math.ceil(row.ends_at.timestamp())
    timestart = math.floor(row.starts_at.timestamp())
    pair = (row.course_id, row.person_id)
    return Telling(pair, course, user, role, timestart, timeend, row.suspended, row)


def row_of(row: Enrolment) -> EnrolmentRow:
    """What our record says."""
    is_suspended = row.status == Enrolment.Status.SUSPENDED
    return EnrolmentRow(row.course_id, row.person_id, row.role, row.starts_at, row.ends_at, is_suspended)


def _judge(row: EnrolmentRow, courses: Mapping[int, Course], users: Mapping[int, int]) -> Outcome:
    course = courses.get(row.course_id)
    if course is None or course.remote_id is None or course.missing_since is not None:
        return refused(Refusal.UNKNOWN_COURSE)
    if row.person_id not in users:
        return refused(Refusal.UNKNOWN_PERSON)
    if row.role not in role_ids():
        return refused(Refusal.UNKNOWN_ROLE)
    if row.ends_at is not None and row.ends_at <= row.starts_at:
        return refused(Refusal.BAD_DATES)
    return OK


def _admit(
    rows: Sequence[EnrolmentRow], judged: Sequence[Outcome], courses: Mapping[int, Course]
) -> list[Outcome]:
    """The outcomes when every place is counted. Whoever enrols holds the site, so nobody else takes one meanwhile."""
    limits = places.limits_of(courses)
    limited = {pk: limit for pk, limit in limits.items() if limit is not None}
    if not limited:
        return list(judged)
    with transaction.atomic():
        return places.admit(rows, judged, limited, now=timezone.now())


def _ids_of_roles(names: Iterable[str]) -> list[int]:
    return [role_ids()[name] for name in names if name in role_ids()]


def _role_of(row: Enrolment | None) -> int | None:
    return None if row is None else role_ids().get(row.role)
