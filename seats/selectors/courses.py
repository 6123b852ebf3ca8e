"""Who sits in which course, in numbers: computed from rows, cached as long as they cannot have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, FilteredRelation, Min, Q
from django.utils import timezone

from accounts.models import CustomerAccount
from seats.models import Assignment
from seats.selectors.pools import KEPT
from seats.selectors.states import seats_with_state


@dataclass(frozen=True, slots=True)
class CourseSeats:
    """The seats of one pool in which somebody sits (or sat until they ended) in one course, by state."""

    course_id: int
    shortname: str
    fullname: str
    pool_id: int
    states: Mapping[str, int]  # only the states that occur


def course_counts(account: CustomerAccount) -> list[CourseSeats]:
    """The account's seats that somebody has, by course and pool; the same seats as `seat_list` finds by course.

    No query while the figures are cached, one when they are not. They are cached under the stamp of the account as it
    was read, and until the next date at which a state changes by itself.
    """
    key = f"seats:courses:{account.pk}:{account.stamp}"
    now = timezone.now()
    cached: tuple[datetime, datetime | None, list[CourseSeats]] | None = cache.get(key)
    if cached is not None:
        since, until, counts = cached
        if since <= now and (until is None or now < until):
            return counts
    until, counts = _count(account.pk, now)
    if not connection.in_atomic_block:
        cache.set(key, (now, until, counts), timeout=KEPT)
    return counts


def _count(account_id: int, now: datetime) -> tuple[datetime | None, list[CourseSeats]]:
    ended = [Assignment.EndReason.EXPIRED.value, Assignment.EndReason.WITHDRAWN.value]
    shown = Q(assignments__ended_at=None) | Q(assignments__end_reason__in=ended)
    groups = (
        seats_with_state(now)
        .filter(account=account_id)
        .annotate(shown=FilteredRelation("assignments", condition=shown))
        .filter(shown__isnull=False)
        .order_by()
        .values("shown__course_id", "shown__course__shortname", "shown__course__fullname", "pool_id", "state")
        .annotate(
            number=Count("id", distinct=True), change=Min("live__ends_at", filter=Q(live__ends_at__gt=now))
        )
    )
    states: dict[tuple[int, str, str, int], dict[str, int]] = {}
    changes = []
    for group in groups:
        course = (
            group["shown__course_id"],
            group["shown__course__shortname"],
            group["shown__course__fullname"],
            group["pool_id"],
        )
        states.setdefault(course, {})[group["state"]] = group["number"]
        changes.append(group["change"])
    counts = [CourseSeats(*course, numbers) for course, numbers in states.items()]
    counts.sort(key=lambda one: (one.fullname.casefold(), one.course_id, one.pool_id))
    return min((change for change in changes if change is not None), default=None), counts
