"""What an account holds, in numbers: computed from rows, cached as long as they cannot have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from accounts.models import CustomerAccount
from seats.models import SeatPool
from seats.seatrow import SeatCounts
from seats.selectors.states import SeatState, seats_with_state

KEPT = 24 * 3600  # seconds; figures nobody asks for any more need not stay


@dataclass(frozen=True)
class PoolCounts:
    """The seats of one bought line: its terms, and how many of them are in which state."""

    pool_id: int
    item_code: str
    item_name: str
    bill_number: str
    courselist: str
    course_id: int | None  # the only course, whatever `courselist` shows
    learner: str
    supervisor: str
    assign_before: datetime | None
    access_seconds: int | None
    access_starts_at: datetime | None
    access_ends_at: datetime | None
    renewable: bool
    purchased_at: datetime
    states: Mapping[str, int]  # only the states that occur

    @cached_property
    def counts(self) -> SeatCounts:
        """For the seat row: in use, invited, free, ended."""
        return SeatCounts.from_states(self.states)

    @property
    def bought(self) -> int:
        return sum(self.states.values())

    @property
    def free(self) -> int:
        return self.states.get(SeatState.FREE, 0)

    def access_end(self, start: datetime) -> datetime | None:
        """When access ends that is given at `start`; none: unlimited."""
        return access_end(self, access_start(self, start))


def access_start(pool: PoolCounts | SeatPool, given_at: datetime) -> datetime:
    """When access starts that is given now: at once, or later where the seats say so."""
    return max(given_at, pool.access_starts_at or given_at)


def access_end(pool: PoolCounts | SeatPool, start: datetime) -> datetime | None:
    """The earlier of the end counted from the assignment and the absolute one; none: unlimited."""
    ends = [pool.access_ends_at] if pool.access_ends_at else []
    if pool.access_seconds is not None:
        ends.append(start + timedelta(seconds=pool.access_seconds))
    return min(ends, default=None)


def pool_counts(account_id: int, *, stamp: int | None = None) -> list[PoolCounts]:
    """The pools of an account, oldest purchase first.

    One query while the figures are cached (whatever the number of seats), three when they are not; one less with the
    `stamp` of an account that was read just now. They are cached under the account's stamp, which every change of its
    seats bumps, and until the next date at which a state changes by itself.
    """
    if stamp is None:
        stamp = CustomerAccount.objects.values_list("stamp", flat=True).get(pk=account_id)
    key = f"seats:pools:{account_id}:{stamp}"
    now = timezone.now()
    cached: tuple[datetime, datetime | None, list[PoolCounts]] | None = cache.get(key)
    if cached is not None:
        since, until, counts = cached
        if since <= now and (until is None or now < until):
            return counts
    until, counts = _count(account_id, now)
    # Inside a transaction the stamp may be our own and still be rolled back: then another change could get it.
    if not connection.in_atomic_block:
        cache.set(key, (now, until, counts), timeout=KEPT)
    return counts


def total_counts(pools: Iterable[PoolCounts]) -> SeatCounts:
    """The seats of several pools together."""
    totals: dict[str, int] = {}
    for pool in pools:
        for state, number in pool.states.items():
            totals[state] = totals.get(state, 0) + number
    return SeatCounts.from_states(totals)


def _count(account_id: int, now: datetime) -> tuple[datetime | None, list[PoolCounts]]:
    """The figures at `now`, and the first instant at which a date changes one of them."""
    states: dict[int, dict[str, int]] = {}
    changes: list[datetime | None] = []
    groups = (
        seats_with_state(now)
        .filter(account=account_id)
        .order_by()
        .values("pool_id", "state")
        .annotate(number=Count("id"), change=Min("live__ends_at", filter=Q(live__ends_at__gt=now)))
    )
    for group in groups:
        states.setdefault(group["pool_id"], {})[group["state"]] = group["number"]
        changes.append(group["change"])
    counts = []
    for pool in SeatPool.objects.filter(account=account_id).order_by("purchased_at", "id"):
        changes += [pool.assign_before, pool.access_ends_at]
        counts.append(
            PoolCounts(
                pool_id=pool.pk,
                item_code=pool.item_code,
                item_name=pool.item_name,
                bill_number=pool.bill_number,
                courselist=pool.courselist,
                course_id=pool.course_id,
                learner=pool.learner,
                supervisor=pool.supervisor,
                assign_before=pool.assign_before,
                access_seconds=pool.access_seconds,
                access_starts_at=pool.access_starts_at,
                access_ends_at=pool.access_ends_at,
                renewable=pool.renewable,
                purchased_at=pool.purchased_at,
                states=states.get(pool.pk, {}),
            )
        )
    return min((change for change in changes if change is not None and change > now), default=None), counts
