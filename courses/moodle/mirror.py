"""What Moodle tells of courses and categories, in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from typing import Any

from courses.models import TEMPORARY, Course, GroupMode
from courses.moodle.connection import Connection
from courses.moodle.errors import MoodleMisconfigured, MoodleRefused
from courses.platform import PlatformCategory, PlatformCourse

MARK = "shopseats:"
"""What the id numbers of courses begin with that we have made; a course has it once it is complete."""

LIST_SECONDS = 300.0  # of a site with ten thousand courses; eighty take half a second
SITE_COURSE = 1  # the front page of the site is a course too
MANUAL = "manual"

_GROUPS = {1: GroupMode.SEPARATE, 2: GroupMode.VISIBLE}

Told = Mapping[str, Any]


def find_courses(connection: Connection, field: str = "", value: object = "") -> list[Told]:
    """Courses with a value in a field (`id`, `shortname`, `idnumber`), or all of them, the oldest first.

    One that is hidden from the service user looks as if it was not there.
    """
    params = {"field": field, "value": str(value)} if field else {}
    patience = None if field else LIST_SECONDS
    answer = connection.read("core_course_get_courses_by_field", params, timeout=patience)
    found = [course for course in answer["courses"] if int(course["id"]) != SITE_COURSE]
    return sorted(found, key=lambda course: int(course["id"]))


def find_course(connection: Connection, field: str, value: object) -> Told | None:
    """The course with exactly this value; of several the oldest."""
    # A number may be kept from us: then Moodle's word counts.
    found = find_courses(connection, field, value)
    return next((course for course in found if _plain(course.get(field, value)) == str(value)), None)


def is_ours(told: Told) -> bool:
    """Whether it was made by us, complete or not."""
    return str(told.get("idnumber", "")).startswith(MARK) or str(told["shortname"]).startswith(TEMPORARY)


def course_of(told: Told, *, row: Course | None = None, groups_found: int | None = None) -> PlatformCourse:
    """The course; `row` is ours of it. To who may not update it Moodle tells no dates, group mode or visibility."""
    return PlatformCourse(
        shortname=_plain(told["shortname"]),
        fullname=_plain(told["fullname"]),
        category=_plain(told.get("categoryname", "")),
        visible=bool(int(told.get("visible", 1))),
        groups_mode=_GROUPS.get(int(told.get("groupmode", 0)), GroupMode.NONE),
        course_id=None if row is None else row.pk,
        remote_id=int(told["id"]),
        category_id=int(told["categoryid"]),
        starts_at=_instant(told.get("startdate", 0)),
        ends_at=_instant(told.get("enddate", 0)),
        takes_enrolments=MANUAL in told.get("enrollmentmethods", [MANUAL]),
        groups_found=groups_found,
    )


def groups_in(connection: Connection, course: int) -> int | None:
    """How many groups the course of this number has; none when it cannot be asked."""
    try:
        return len(connection.read("core_group_get_course_groups", {"courseid": course}))
    except (MoodleRefused, MoodleMisconfigured):
        return None


# --- everything -----------------------------------------------------------------------------------


def all_categories(connection: Connection) -> list[PlatformCategory]:
    """Every category, parents first."""
    told = {int(one["id"]): one for one in connection.read("core_course_get_categories", {})}
    return [
        PlatformCategory(
            remote_id=number,
            parent_id=parent if (parent := int(one.get("parent", 0))) in told else None,
            name=_plain(one["name"]),
            position=int(one.get("sortorder", 0)),
        )
        for number, one in sorted(told.items(), key=lambda pair: (_depth(pair[0], told), _order(pair[1])))
    ]


def all_courses(connection: Connection) -> list[PlatformCourse]:
    """Every course but the site's own and those that we are making. The groups of templates are counted."""
    told = find_courses(connection)
    rows = {row.remote_id: row for row in Course.objects.filter(remote_id__isnull=False).defer("summary")}
    found = []
    for one in told:
        row = rows.get(int(one["id"]))
        if row is None and is_ours(one):
            continue
        groups = groups_in(connection, int(one["id"])) if row is not None and row.is_template else None
        found.append(course_of(one, row=row, groups_found=groups))
    return found


def courses_named(connection: Connection, shortnames: Sequence[str]) -> list[PlatformCourse | None]:
    """One call for each name: Moodle takes only one."""
    told = {name: find_course(connection, "shortname", name) for name in set(shortnames) if name}
    numbers = {int(one["id"]) for one in told.values() if one is not None}
    rows = {row.remote_id: row for row in Course.objects.filter(remote_id__in=numbers)}
    courses = {
        name: course_of(one, row=rows.get(int(one["id"]))) for name, one in told.items() if one is not None
    }
    return [courses.get(name) for name in shortnames]


# --- helpers --------------------------------------------------------------------------------------


def _plain(text: object) -> str:
    """Moodle tells names as HTML: of `R&D` it makes `R&amp;D`."""
    return unescape(str(text))


def _instant(seconds: object) -> datetime | None:
    """0 is no date."""
    return datetime.fromtimestamp(int(str(seconds)), UTC) if int(str(seconds or 0)) else None


def _depth(number: int, told: Mapping[int, Told], seen: int = 0) -> int:
    parent = int(told[number].get("parent", 0))
    return seen if parent not in told or seen > len(told) else _depth(parent, told, seen + 1)


def _order(one: Told) -> tuple[int, int]:
    return int(one.get("sortorder", 0)), int(one["id"])
