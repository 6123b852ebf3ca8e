"""The built-in platform: courses, enrolments and groups in our own tables, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Person
from common.cutting import cut
from courses.builtin import copying, places
from courses.builtin.roles import ROLES
from courses.builtin.state import NOTHING_DONE, enrolment_state, progress_of
from courses.models import Course, CourseCategory, Enrolment, Group, GroupMember
from courses.platform import (
    OK,
    ActiveEnrolment,
    Copied,
    CourseCopy,
    CourseProgress,
    CourseRestore,
    Enrolled,
    EnrolmentRow,
    GroupRow,
    KnownEnd,
    Outcome,
    Oversight,
    Pair,
    PlatformCategory,
    PlatformCourse,
    Refusal,
    Role,
    Stranger,
    TemplateProblem,
    refused,
)

BATCH = 500  # items per statement; SQLite refuses an OR of more than 1,000 terms
GROUP_NAME_LENGTH = 200


class BuiltinPlatform:
    """Courses in our own tables; every call is quick and may be made inside a transaction."""

    name = "builtin"
    is_remote = False
    keeps_passwords = False

    def check(self) -> None:
        """It is here as long as the database is."""

    def roles(self) -> list[Role]:
        return list(ROLES.values())

    def enrol_methods(self) -> list[str]:
        return ["manual"]

    def all_categories(self) -> list[PlatformCategory]:
        return []

    def all_courses(self) -> list[PlatformCourse]:
        return [_told(course) for course in Course.objects.select_related("category").order_by("shortname")]

    def courses(self, shortnames: Sequence[str]) -> list[PlatformCourse | None]:
        found: dict[str, PlatformCourse] = {}
        for part in cut(shortnames, BATCH):
            for course in Course.objects.select_related("category").filter(shortname__in=set(part)):
                found[course.shortname] = _told(course)
        return [found.get(name) for name in shortnames]

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        """The login of a person here is the person: nothing to make."""
        known = _known_people(person_ids)
        return [OK if pk in known else refused(Refusal.UNKNOWN_PERSON) for pk in person_ids]

    def set_password(
        self, person_id: int, password: str, *, first_name: str = "", last_name: str = ""
    ) -> Outcome:
        """Passwords are those of the shop."""
        return refused(Refusal.NOT_OURS)

    def course_urls(self, course_ids: Sequence[int]) -> list[str]:
        return [""] * len(course_ids)

    def addresses(self, person_ids: Sequence[int]) -> list[str | None]:
        found = dict(Person.objects.filter(pk__in=set(person_ids)).values_list("pk", "email"))
        return [found.get(pk) for pk in person_ids]

    def strangers(
        self, course_id: int, emails: Sequence[str], *, now: datetime | None = None
    ) -> list[Stranger | None]:
        return [None] * len(emails)

    def oversee(self, rows: Sequence[Oversight]) -> list[Outcome]:
        """Whoever answers for somebody sees here what he needs."""
        return [OK] * len(rows)

    def active_enrolments(
        self, pairs: Sequence[Pair], *, now: datetime | None = None
    ) -> list[ActiveEnrolment | None]:
        now = now or timezone.now()
        found: dict[Pair, ActiveEnrolment] = {}
        for part in cut(pairs, BATCH):
            for row in Enrolment.objects.among(part).holding(now=now):
                found[row.course_id, row.person_id] = ActiveEnrolment(
                    row.course_id, row.person_id, row.role, row.starts_at, row.ends_at
                )
        return [found.get(pair) for pair in pairs]

    def known_ends(self, pairs: Sequence[Pair]) -> list[KnownEnd | None]:
        found: dict[Pair, KnownEnd] = {}
        for part in cut(pairs, BATCH):
            rows = Enrolment.objects.among(part).values_list("course_id", "person_id", "ends_at")
            for course_id, person_id, ends_at in rows:
                found[course_id, person_id] = KnownEnd(ends_at)
        return [found.get(pair) for pair in pairs]

    def enrolments(self, course_ids: Sequence[int], *, now: datetime | None = None) -> list[list[Enrolled]]:
        now = now or timezone.now()
        wanted = set(course_ids)
        groups: dict[Pair, list[str]] = {}
        members = GroupMember.objects.filter(group__course__in=wanted).order_by("group__name")
        for course_id, person_id, name in members.values_list("group__course_id", "person_id", "group__name"):
            groups.setdefault((course_id, person_id), []).append(name)
        told: dict[int, list[Enrolled]] = {}
        rows = Enrolment.objects.filter(course__in=wanted).select_related("course", "person")
        for row in rows.order_by("person__email_key"):
            status, reason = enrolment_state(row, now=now)
            told.setdefault(row.course_id, []).append(
                Enrolled(
                    course_id=row.course_id,
                    person_id=row.person_id,
                    email=row.person.email,
                    role=row.role,
                    status=status,
                    reason=reason,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    groups=tuple(groups.get((row.course_id, row.person_id), ())),
                )
            )
        return [told.get(pk, []) for pk in course_ids]

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for part in cut(rows, BATCH):
            limits = places.limits_of([row.course_id for row in part])
            people = _known_people([row.person_id for row in part])
            judged = [_judge(row, limits.keys(), people) for row in part]
            limited = {pk: limit for pk, limit in limits.items() if limit is not None}
            if limited:
                with transaction.atomic(savepoint=False):
                    outcomes += _enrol(part, places.admit(part, judged, limited, now=timezone.now()))
            else:
                outcomes += _enrol(part, judged)
        return outcomes

    def end_enrolments(self, pairs: Sequence[Pair]) -> list[Outcome]:
        for part in cut(pairs, BATCH):
            Enrolment.objects.among(part).update(status=Enrolment.Status.SUSPENDED)
        return [OK for _ in pairs]

    def ensure_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for part in cut(rows, BATCH):
            with transaction.atomic(savepoint=False):
                outcomes += _put_into_groups(part)
        return outcomes

    def remove_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        for part in cut(rows, BATCH):
            people: dict[tuple[int, str], set[int]] = {}
            for row in part:
                people.setdefault((row.course_id, row.group_name), set()).add(row.person_id)
            named = Q()
            for (course_id, name), persons in people.items():
                named |= Q(group__course=course_id, group__name=name, person__in=persons)
            GroupMember.objects.filter(named).delete()
        return [OK for _ in rows]

    def opened(self, pairs: Sequence[Pair]) -> list[datetime | None]:
        found: dict[Pair, datetime | None] = {}
        for part in cut(pairs, BATCH):
            rows = Enrolment.objects.among(part).filter(opened_at__gte=F("starts_at"))
            for course_id, person_id, opened_at in rows.values_list("course_id", "person_id", "opened_at"):
                found[course_id, person_id] = opened_at
        return [found.get(pair) for pair in pairs]

    def progress(self, pairs: Sequence[Pair]) -> list[CourseProgress]:
        told: list[CourseProgress] = []
        for part in cut(pairs, BATCH):
            enrolments = {
                (row.course_id, row.person_id): row for row in Enrolment.objects.among(part).with_progress()
            }
            told += [progress_of(enrolments[pair]) if pair in enrolments else NOTHING_DONE for pair in part]
        return told

    def categories(self, category_ids: Sequence[int]) -> list[str | None]:
        names = dict(CourseCategory.objects.filter(pk__in=set(category_ids)).values_list("pk", "name"))
        return [names.get(pk) for pk in category_ids]

    def template_problems(self, shortnames: Sequence[str]) -> list[tuple[TemplateProblem, ...]]:
        return [copying.problems_of(shortname) for shortname in shortnames]

    def copy_courses(self, copies: Sequence[CourseCopy]) -> list[Copied]:
        return [copied for part in cut(copies, BATCH) for copied in copying.copy(part)]

    def close_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        Course.objects.filter(pk__in=set(course_ids), closed_at=None).update(closed_at=timezone.now())
        return _known_courses(course_ids)

    def reopen_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        Course.objects.filter(pk__in=set(course_ids)).update(closed_at=None)
        return _known_courses(course_ids)

    def restore_courses(self, restores: Sequence[CourseRestore]) -> list[Outcome]:
        return [
            copying.restore(one, enrol=self.ensure_enrolments, put=self.ensure_group_members)
            for one in restores
        ]


# --- helpers --------------------------------------------------------------------------------------


def _known_people(person_ids: Sequence[int]) -> set[int]:
    known: set[int] = set()
    for part in cut(person_ids, BATCH):
        known |= set(get_user_model().objects.filter(pk__in=set(part)).values_list("pk", flat=True))
    return known


def _known_courses(course_ids: Sequence[int]) -> list[Outcome]:
    known = set(Course.objects.filter(pk__in=set(course_ids)).values_list("pk", flat=True))
    return [OK if pk in known else refused(Refusal.UNKNOWN_COURSE) for pk in course_ids]


def _told(course: Course) -> PlatformCourse:
    return PlatformCourse(
        shortname=course.shortname,
        fullname=course.fullname,
        category=course.category.name,
        visible=course.visible,
        groups_mode=course.groups_mode,
        course_id=course.pk,
        remote_id=course.remote_id,
    )


def _judge(row: EnrolmentRow, courses: Collection[int], people: set[int]) -> Outcome:
    if row.course_id not in courses:
        return refused(Refusal.UNKNOWN_COURSE)
    if row.person_id not in people:
        return refused(Refusal.UNKNOWN_PERSON)
    if row.role not in ROLES:
        return refused(Refusal.UNKNOWN_ROLE)
    if row.ends_at is not None and row.ends_at <= row.starts_at:
        return refused(Refusal.BAD_DATES)
    return OK


def _enrol(rows: Sequence[EnrolmentRow], judged: list[Outcome]) -> list[Outcome]:
    """Write what may be written."""
    Enrolment.objects.put(row for row, it in zip(rows, judged, strict=True) if it.ok)
    return judged


def _put_into_groups(rows: Sequence[GroupRow]) -> list[Outcome]:
    pairs = [(row.course_id, row.person_id) for row in rows]
    enrolled = set(Enrolment.objects.among(pairs).values_list("course_id", "person_id"))
    outcomes = []
    for row in rows:
        if not 0 < len(row.group_name) <= GROUP_NAME_LENGTH:
            outcomes.append(refused(Refusal.BAD_GROUP))
        elif (row.course_id, row.person_id) not in enrolled:
            outcomes.append(refused(Refusal.NOT_ENROLLED))
        else:
            outcomes.append(OK)
    accepted = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.ok]
    groups = _ensure_groups({(row.course_id, row.group_name) for row in accepted})
    members = sorted({(groups[row.course_id, row.group_name], row.person_id) for row in accepted})
    GroupMember.objects.bulk_create(
        [GroupMember(group_id=group_id, person_id=person_id) for group_id, person_id in members],
        ignore_conflicts=True,
    )
    return outcomes


def _ensure_groups(keys: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The ids of groups by course and name; missing ones are made."""
    groups = _groups(keys)
    missing = sorted(keys - groups.keys())
    if missing:
        Group.objects.bulk_create(
            [Group(course_id=course_id, name=name) for course_id, name in missing], ignore_conflicts=True
        )
        groups = _groups(keys)
    return groups


def _groups(keys: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    rows = Group.objects.filter(
        course__in={course_id for course_id, _ in keys}, name__in={name for _, name in keys}
    )
    return {(group.course_id, group.name): group.pk for group in rows}
