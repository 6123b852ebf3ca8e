"""My seats: what the organisation has, for which courses, and what waits for the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import AccountRequest, account_required, current
from courses.selectors import names_match
from seats.models import AssignmentBatch
from seats.seatrow import SeatCounts
from seats.selectors import (
    AssignableCourse,
    Change,
    CourseSeats,
    PoolCounts,
    changes_of,
    course_counts,
    covered_courses,
    pool_counts,
    total_counts,
)
from seats.views.changes import told
from seats.views.listing import listing
from seats.views.seat import taken_back_just_now
from seats.views.shared import buyers

COURSES_PER_PAGE = 25
RECENT_LISTS = 5


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A course that the organisation has people in, or may put people into: who sits there, and free seats for it."""

    shortname: str
    fullname: str
    counts: SeatCounts  # without free ones: those are for several courses
    free: int

    @property
    def sitting(self) -> int:
        return self.counts.bought


@dataclass(frozen=True, slots=True)
class RecentList:
    """A list that was entered not long ago."""

    pk: int
    state: str
    created_at: datetime
    course_name: str


@account_required("seats.read")
@require_safe
def my(request: AccountRequest) -> HttpResponse:
    """The condensed state of all seats; with `?course=` the page of one course."""
    pools = pool_counts(request.account.pk, stamp=request.account.stamp)
    sitting = course_counts(request.account)
    courses = covered_courses(pools)
    lines = course_lines(courses, sitting)
    wanted = request.GET.get("course", "").strip()
    line = _find(lines, wanted) if wanted else None
    if line is not None and line.shortname != wanted:
        return redirect(course_url(line.shortname))
    if line is not None:
        return _course(request, line, pools, sitting)
    free = sum(pool.free for pool in pools)
    context = _context(request, pools) | {
        "pools": [pool for pool in pools if pool.bought],
        "covered": covered_names(pools, courses),
        "page": Paginator(lines, COURSES_PER_PAGE).get_page(request.GET.get("page")),
        "free": free,
        "lost_at": _first_lost(pools),
        "not_covered": wanted[:100],
        "assignable": [course for course in courses if course.free],
        "lists": recent_lists(request.account.pk) if pools else [],
        "buyers": [] if free or _may(request, "shop") else buyers(request.account),
    }
    return render(request, "seats/my.html", context)


@account_required("seats.read")
@require_safe
def every(request: AccountRequest) -> HttpResponse:
    """Seat by seat: filters, search, pages."""
    pools = pool_counts(request.account.pk, stamp=request.account.stamp)
    shown = listing(request, request.account, pools, course_counts(request.account))
    free = sum(pool.free for pool in pools)
    context = _context(request, pools) | {
        "list": shown,
        "free": free,
        "undo": taken_back_just_now(request, request.account.pk),
        "buyers": [] if free or _may(request, "shop") else buyers(request.account),
    }
    return render(request, "seats/all.html", context)


def course_url(shortname: str) -> str:
    """The page of a course among one's seats."""
    return f"{reverse('seats:my')}?{urlencode({'course': shortname})}"


def _course(
    request: AccountRequest, line: CourseLine, pools: Sequence[PoolCounts], sitting: Sequence[CourseSeats]
) -> HttpResponse:
    """One course: the seats that may still be given there, and everybody who sits in it."""
    counts = line.counts
    context = _context(request, pools) | {
        "line": line,
        "counts": SeatCounts(counts.in_use, counts.invited, line.free, counts.ended),
        "list": listing(request, request.account, pools, sitting) if line.sitting else None,
        "undo": taken_back_just_now(request, request.account.pk),
        "buyers": [] if line.free or _may(request, "shop") else buyers(request.account),
    }
    return render(request, "seats/course.html", context)


def _context(request: AccountRequest, pools: Sequence[PoolCounts]) -> dict[str, Any]:
    return {
        "totals": total_counts(pools),
        "several": sum(1 for pool in pools if pool.bought) > 1,
        "may_write": _may(request, "seats.write"),
        "may_buy": _may(request, "shop"),
        "newest": pools[-1] if pools else None,
        "changes": _changes(request.account.pk),
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody has changed his mind about: what waits for the platform, and what was refused lately."""

    waiting: list[Change]
    refused: list[Change]
    told: str

    @property
    def waits(self) -> bool:
        return any(change.waits for change in self.waiting)


def _changes(account_id: int) -> Changes | None:
    found = changes_of(account_id)
    if not found:
        return None
    waiting = [change for change in found if change.is_open]
    return Changes(waiting, [change for change in found if change.is_refused], told(found))


def _may(request: AccountRequest, capability: str) -> bool:
    access = current(request)
    return access is not None and capability in access.capabilities


def course_lines(courses: Sequence[AssignableCourse], sitting: Sequence[CourseSeats]) -> list[CourseLine]:
    """Every course that has to do with the organisation's seats, by name: first those it may put people into."""
    free = {course.shortname: course.free for course in courses}
    names = {one.shortname: one.fullname for one in sitting} | {
        one.shortname: one.fullname for one in courses
    }
    states: dict[str, dict[str, int]] = {}
    for one in sitting:
        course = states.setdefault(one.shortname, {})
        for state, number in one.states.items():
            course[state] = course.get(state, 0) + number
    lines = (
        CourseLine(
            shortname, fullname, SeatCounts.from_states(states.get(shortname, {})), free.get(shortname, 0)
        )
        for shortname, fullname in names.items()
    )
    return sorted(
        (line for line in lines if line.free or line.sitting),
        key=lambda line: (not line.free, not line.sitting, line.fullname.casefold()),
    )


def _find(lines: Sequence[CourseLine], shortname: str) -> CourseLine | None:
    """The course of a short name, whatever case it is written in."""
    for line in lines:
        if line.shortname == shortname:
            return line
    return next((line for line in lines if line.shortname.casefold() == shortname.casefold()), None)


def covered_names(pools: Sequence[PoolCounts], courses: Sequence[AssignableCourse]) -> dict[int, list[str]]:
    """The courses that each restricted pool covers today; a pool for every open course is not in it."""
    return {
        pool.pool_id: [one.fullname for one in courses if _is_covered(pool, one)]
        for pool in pools
        if pool.courselist.strip()
    }


def _is_covered(pool: PoolCounts, course: AssignableCourse) -> bool:
    """Of a course that is open to the seats of somebody: a short name of a bound pool is no pattern."""
    if pool.course_id is not None:
        return pool.course_id == course.course_id
    return names_match(pool.courselist, course.shortname)


def _first_lost(pools: Sequence[PoolCounts]) -> datetime | None:
    """When the first free seats can no longer be given."""
    ends = [
        end
        for pool in pools
        if pool.free
        for end in (pool.assign_before, pool.access_ends_at)
        if end is not None
    ]
    return min(ends, default=None)


def recent_lists(account_id: int) -> list[RecentList]:
    """The last lists that were entered, those that were dropped left out. One query."""
    lists = AssignmentBatch.objects.filter(account=account_id).exclude(state=AssignmentBatch.State.DISCARDED)
    rows = lists.order_by("-id").values_list("id", "state", "created_at", "course__fullname")
    return [RecentList(*row) for row in rows[:RECENT_LISTS]]
