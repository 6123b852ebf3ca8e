"""Our rows of a remote platform's courses and categories follow what it has.

What the platform knows is overwritten at each time: names, category, visibility, dates, group mode. Our own marks are
never touched: template, support course, not for seats, course space, closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from common import audit, jobs
from common.models import Job
from courses.models import Course, CourseCategory, CourseSpace, PlatformSite, validate_shortname
from courses.platform import (
    CoursePlatform,
    EnrolmentStatus,
    PlatformAway,
    PlatformCategory,
    PlatformCourse,
)
from courses.platforms import get_platform

SYNC_JOB = "courses.sync"
THE_SITE = 1  # what the one job of this kind is about

SHORTNAME_LENGTH, FULLNAME_LENGTH, CATEGORY_LENGTH = 255, 254, 200
TOLD = (
    "shortname", "fullname", "category_id", "visible", "groups_mode", "starts_at", "ends_at", "takes_enrolments",
    "groups_found", "missing_since",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SyncFinding:
    """What somebody should know of a course.

    `code`: `missing`, `name_twice`, `no_name`, `name_too_long` (of these we have no course that can be used),
    `name_not_in_lists`, `fullname_cut`, `no_enrolments`, `over_limit` (a course space has more learners than places).
    """

    code: str
    shortname: str
    message: str
    remote_id: int | None = None


@dataclass(slots=True)
class Synced:
    """What a synchronisation did; `course_ids` are our rows of the courses that are there."""

    course_ids: list[int] = field(default_factory=list)
    created: int = 0
    changed: int = 0
    missing: int = 0
    findings: list[SyncFinding] = field(default_factory=list)


def run_sync_courses() -> Synced:
    """Ask the platform for all its courses, and have our rows follow. May be repeated at any time.

    A local platform has nothing to fetch. A course that is gone keeps its row, marked, and is itself again when it is
    back; its short name is given up when another course has it. Raises PlatformAway, also when a platform that had
    courses tells of none: then it rather hides them from us.
    """
    platform = get_platform()
    if not platform.is_remote:
        told = platform.all_courses()
        return Synced([course.course_id for course in told if course.course_id is not None])
    # Rows that are made while we ask are not missing because the answer does not know them yet.
    newest: int = Course.objects.aggregate(newest=Max("pk"))["newest"] or 0
    categories = platform.all_categories()
    courses = platform.all_courses()
    if not courses and Course.objects.filter(remote_id__isnull=False, missing_since=None).exists():
        raise PlatformAway(
            "The course platform tells of no course at all: look at the rights of its service user."
        )
    with transaction.atomic():
        _stand_in_line(platform.name)
        done = _write(categories, courses, newest=newest, now=timezone.now())
    _count_learners(platform, done)
    return done


@transaction.atomic
def request_sync(*, actor: audit.Actor) -> Job:
    """Have a worker synchronise as soon as possible."""
    audit.record(actor=actor, verb="courses.sync_requested", object="courses")
    return jobs.restart(kind=SYNC_JOB, object_id=THE_SITE)


def _stand_in_line(platform: str) -> None:
    """One synchronisation writes at a time."""
    PlatformSite.objects.bulk_create([PlatformSite(platform=platform)], ignore_conflicts=True)
    PlatformSite.objects.select_for_update(no_key=True).get(platform=platform)


# --- courses --------------------------------------------------------------------------------------


def _write(
    categories: Sequence[PlatformCategory], courses: Sequence[PlatformCourse], *, newest: int, now: datetime
) -> Synced:
    done = Synced()
    category_ids = _follow_categories(categories, courses, now=now)
    rows = list(Course.objects.defer("summary").order_by("pk"))
    usable = _usable(courses, done.findings)
    _free_names(rows, usable)

    known: dict[int | None, Course] = {row.remote_id: row for row in rows if row.remote_id is not None}
    there = {told.remote_id for told in usable} | {None}
    own = {told.course_id for told in courses if told.remote_id is None}
    changed = []
    for told in usable:
        row = known.get(told.remote_id)
        fields = _fields(told, category_ids, row)
        if row is None:
            done.created += 1
        elif any(getattr(row, name) != value for name, value in fields.items()):
            done.changed += 1
        else:
            continue
        changed.append(Course(remote_id=told.remote_id, **fields))
    Course.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["remote_id"],
        update_fields=["category" if name == "category_id" else name for name in TOLD],
    )
    lost = [
        row
        for row in rows
        if row.missing_since is None and row.pk <= newest
        if (row.remote_id not in there if row.remote_id is not None else row.pk not in own)
    ]
    _lose(lost, done, now=now)
    if changed or lost:
        counts = {"created": done.created, "changed": done.changed, "missing": done.missing}
        audit.record(actor=audit.SYSTEM, verb="courses.sync", object="courses", counts=counts)
    done.course_ids = list(Course.objects.filter(missing_since=None).values_list("pk", flat=True))
    return done


def _usable(courses: Iterable[PlatformCourse], findings: list[SyncFinding]) -> list[PlatformCourse]:
    """The courses that can have a row; of several with one short name the oldest."""
    usable: dict[str, PlatformCourse] = {}
    for told in sorted(
        (one for one in courses if one.remote_id is not None), key=lambda one: one.remote_id or 0
    ):
        code, message = _judge(told, usable)
        if code:
            findings.append(SyncFinding(code, told.shortname, message, told.remote_id))
        if code in {"", *HARMLESS}:
            usable[told.shortname] = told
    return list(usable.values())


HARMLESS = ("name_not_in_lists", "fullname_cut", "no_enrolments")


def _judge(told: PlatformCourse, usable: Mapping[str, PlatformCourse]) -> tuple[str, str]:
    if not told.shortname:
        return "no_name", f"Course {told.remote_id} has no short name: it cannot be sold."
    if told.shortname in usable:
        first = usable[told.shortname].remote_id
        return (
            "name_twice",
            f"Course {told.remote_id} has the short name of course {first}: rename one of them.",
        )
    if len(told.shortname) > SHORTNAME_LENGTH:
        return "name_too_long", f"Its short name has more than {SHORTNAME_LENGTH} signs: it cannot be sold."
    try:
        validate_shortname(told.shortname)
    except ValidationError:
        return "name_not_in_lists", "Its short name cannot be written in a list of courses."
    if len(told.fullname) > FULLNAME_LENGTH:
        return "fullname_cut", f"Of its full name the first {FULLNAME_LENGTH} signs are shown."
    if not told.takes_enrolments:
        return "no_enrolments", "It has no manual enrolment: nobody can be put into it."
    return "", ""


def _fields(told: PlatformCourse, category_ids: Mapping[int, int], row: Course | None) -> dict[str, Any]:
    # What we closed is hidden there. Whether it was visible before is remembered for the day it opens again.
    visible = row.visible if row is not None and row.closed_at is not None else told.visible
    groups_found = told.groups_found
    if groups_found is None:
        groups_found = 0 if row is None else row.groups_found
    return {
        "shortname": told.shortname,
        "fullname": told.fullname[:FULLNAME_LENGTH] or told.shortname[:FULLNAME_LENGTH],
        "category_id": category_ids[told.category_id or 0],
        "visible": visible,
        "groups_mode": told.groups_mode,
        "starts_at": told.starts_at,
        "ends_at": told.ends_at,
        "takes_enrolments": told.takes_enrolments,
        "groups_found": groups_found,
        "missing_since": None,
    }


def _free_names(rows: Iterable[Course], usable: Iterable[PlatformCourse]) -> None:
    """Whoever has a short name that is another course's now gives it up first, so that two can change theirs over."""
    owners = {told.shortname: told.remote_id for told in usable}
    giving = [row for row in rows if row.shortname in owners and owners[row.shortname] != row.remote_id]
    if not giving:
        return
    Course.objects.filter(pk__in=[row.pk for row in giving]).give_up_names()
    for row in giving:
        row.shortname = ""  # so that it is written anew


def _lose(lost: Collection[Course], done: Synced, *, now: datetime) -> None:
    if not lost:
        return
    pks = [row.pk for row in lost]
    Course.objects.filter(pk__in=pks).update(missing_since=now)
    done.missing = len(pks)
    for row in Course.objects.filter(pk__in=pks).order_by("shortname"):
        message = "The platform no longer has it: no seat can be given in it."
        done.findings.append(SyncFinding("missing", row.shortname, message, row.remote_id))


# --- places in course spaces --------------------------------------------------------------------------


def _count_learners(platform: CoursePlatform, done: Synced) -> None:
    """How many learn in each space with a limit: the platform lets others enrol people, whatever we have sold."""
    spaces = CourseSpace.objects.filter(
        max_participants__isnull=False, closed_at=None, withdrawn_at=None, course__missing_since=None
    ).select_related("course")
    learning = {role.name for role in platform.roles() if role.learns}
    changed = []
    for space in spaces.order_by("pk"):
        (people,) = platform.enrolments([space.course_id])
        found = sum(one.role in learning and one.status is EnrolmentStatus.ACTIVE for one in people)
        if found != space.learners_found:
            space.learners_found = found
            changed.append(space)
        if found > (space.max_participants or 0):
            message = f"{found} learn in it, and {space.max_participants} places were sold: some were enrolled there."
            done.findings.append(
                SyncFinding("over_limit", space.course.shortname, message, space.course.remote_id)
            )
    CourseSpace.objects.bulk_update(changed, ["learners_found"])


# --- categories -----------------------------------------------------------------------------------


def _follow_categories(
    categories: Sequence[PlatformCategory], courses: Iterable[PlatformCourse], *, now: datetime
) -> dict[int, int]:
    """Our rows by the platform's numbers; one that only its courses tell of is known by its name."""
    told = {one.remote_id: one for one in categories}
    for course in courses:
        number = course.category_id or 0
        if number not in told:
            told[number] = PlatformCategory(number, None, course.category or f"Category {number}", 0)
    rows = {row.remote_id: row for row in CourseCategory.objects.filter(remote_id__isnull=False)}
    changed = []
    for number, one in told.items():
        row = rows.get(number)
        values = (one.name[:CATEGORY_LENGTH], max(one.position, 0))
        if row is None or (row.name, row.position) != values or row.missing_since is not None:
            changed.append(CourseCategory(remote_id=number, name=values[0], position=values[1]))
    CourseCategory.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["remote_id"],
        update_fields=["name", "position", "missing_since"],
    )
    if changed:
        rows = {row.remote_id: row for row in CourseCategory.objects.filter(remote_id__isnull=False)}
    _follow_parents(told, rows)
    gone = [row.pk for number, row in rows.items() if number not in told and row.missing_since is None]
    if gone and categories:
        CourseCategory.objects.filter(pk__in=gone).update(missing_since=now)
    return {number: rows[number].pk for number in told}


def _follow_parents(told: Mapping[int, PlatformCategory], rows: Mapping[int | None, CourseCategory]) -> None:
    moved = []
    for number, one in told.items():
        parent = rows.get(one.parent_id) if one.parent_id is not None else None
        if rows[number].parent_id != (parent and parent.pk):
            rows[number].parent = parent
            moved.append(rows[number])
    CourseCategory.objects.bulk_update(moved, ["parent"])
