"""Which seats cover which courses, and in what order seats are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from courses.models import Course
from courses.selectors import matching_any, names_match
from seats.models import SeatPool
from seats.selectors.pools import PoolCounts, access_end, pool_counts

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AssignableCourse:
    """A course that seats of an account cover, and how many of them are free."""

    course_id: int
    shortname: str
    fullname: str
    free: int


def assignable_courses(
    account_id: int, *, pools: Sequence[PoolCounts] | None = None
) -> list[AssignableCourse]:
    """The courses into which the account can put somebody now, by name.

    One query when `pools`, the account's `pool_counts`, are given; two when they are not and are cached.
    """
    found = pool_counts(account_id) if pools is None else pools
    return covered_courses([pool for pool in found if pool.free])


def covered_courses(pools: Sequence[PoolCounts]) -> list[AssignableCourse]:
    """The open courses that these pools cover, by name, free seats or not. One query."""
    free: dict[str, int] = {}
    bound: dict[int, int] = {}
    for pool in pools:
        if pool.course_id is not None:
            bound[pool.course_id] = bound.get(pool.course_id, 0) + pool.free
        else:
            free[pool.courselist] = free.get(pool.courselist, 0) + pool.free
    if not bound:
        # The common case, without reading more than is told.
        return [
            AssignableCourse(
                pk,
                shortname,
                fullname,
                sum(seats for names, seats in free.items() if names_match(names, shortname)),
            )
            for pk, shortname, fullname in matching_any(free).values_list("id", "shortname", "fullname")
        ]
    found = matching_any(free) | Course.objects.sellable().filter(pk__in=bound)
    return [
        AssignableCourse(
            course.pk,
            course.shortname,
            course.fullname,
            bound.get(course.pk, 0)
            + sum(
                seats
                for names, seats in free.items()
                if course.is_open() and names_match(names, course.shortname)
            ),
        )
        for course in found.defer("summary")
    ]


def covers(pool: PoolCounts | SeatPool, course: Course, *, now: datetime | None = None) -> bool:
    """Whether seats of a pool may be given for this course.

    Those for which people were named at the purchase go into that course and no other; it need not be open to others.
    """
    if pool.course_id is not None:
        return pool.course_id == course.pk and course.is_sellable(now=now)
    return course.is_open(now=now) and names_match(pool.courselist, course.shortname)


def covering_pools(
    pools: Iterable[PoolCounts], course: Course, *, pool_id: int | None = None, now: datetime | None = None
) -> list[PoolCounts]:
    """Those of an account's pools (its `pool_counts`) whose seats may be given for this course, in the order in which seats are taken.

    Most restricted first (a course list before none, then the fewest courses it matches today), then the earliest
    end (the seats that would be lost first, then those that give access for the shortest time), then the oldest.
    One query. Pools without a free seat are among them. Nothing covers a course that is not open: a course space, a template,
    a support course. With `pool_id` only that pool.
    """
    now = now or timezone.now()
    covering = [pool for pool in pools if pool_id in (None, pool.pool_id) and covers(pool, course, now=now)]
    if not covering:
        return []
    return _ranked(covering, Course.objects.open(now=now).values_list("shortname", flat=True), now)


def _ranked(pools: Sequence[PoolCounts], shortnames: Iterable[str], now: datetime) -> list[PoolCounts]:
    names = list(shortnames)
    breadth = {
        courselist: sum(names_match(courselist, name) for name in names)
        for courselist in {pool.courselist for pool in pools if pool.courselist.strip()}
    }
    breadth |= {pool.courselist: 1 for pool in pools if pool.course_id is not None}

    def rank(pool: PoolCounts) -> tuple[bool, int, datetime, datetime, datetime, int]:
        lost_at = min((end for end in (pool.assign_before, pool.access_ends_at) if end), default=NEVER)
        return (
            pool.courselist not in breadth,
            breadth.get(pool.courselist, 0),
            lost_at,
            access_end(pool, now) or NEVER,
            pool.purchased_at,
            pool.pool_id,
        )

    return sorted(pools, key=rank)
