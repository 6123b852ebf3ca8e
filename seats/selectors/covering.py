"""Which seats cover which courses, and in what order seats are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from courses.models import Course
from courses.selectors import matching_any, names_match
from seats.selectors.pools import PoolCounts, access_end, pool_counts

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AssignableCourse:
    """A course that free seats of an account cover, and how many of them."""

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
    free: dict[str, int] = {}
    for pool in pool_counts(account_id) if pools is None else pools:
        if pool.free:
            free[pool.courselist] = free.get(pool.courselist, 0) + pool.free
    return [
        AssignableCourse(
            course.pk,
            course.shortname,
            course.fullname,
            sum(seats for courselist, seats in free.items() if names_match(courselist, course.shortname)),
        )
        for course in matching_any(free).only("id", "shortname", "fullname")
    ]


def covering_pools(
    account_id: int, course: Course, *, pool_id: int | None = None, now: datetime | None = None
) -> list[PoolCounts]:
    """The account's pools whose seats may be given for this course, in the order in which seats are taken.

    Most restricted first (a course list before none, then the fewest courses it matches today), then the earliest
    end (the seats that would be lost first, then those that give access for the shortest time), then the oldest.
    Pools without a free seat are among them. Nothing covers a course that is not open: a course space, a template,
    a support course. With `pool_id` only that pool.
    """
    now = now or timezone.now()
    pools = [
        pool
        for pool in pool_counts(account_id)
        if pool_id in (None, pool.pool_id) and names_match(pool.courselist, course.shortname)
    ]
    if not pools:
        return []
    shortnames = dict(Course.objects.open(now=now).values_list("id", "shortname"))
    if course.pk not in shortnames:
        return []
    return _ranked(pools, shortnames.values(), now)


def _ranked(pools: Sequence[PoolCounts], shortnames: Iterable[str], now: datetime) -> list[PoolCounts]:
    names = list(shortnames)
    breadth = {
        courselist: sum(names_match(courselist, name) for name in names)
        for courselist in {pool.courselist for pool in pools if pool.courselist.strip()}
    }

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
