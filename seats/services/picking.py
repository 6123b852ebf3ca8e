"""Taking free seats, in the order of DESIGN section 4."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet

from seats.models import Assignment, Seat, SeatPool
from seats.selectors.pools import PoolCounts


class SeatSource(Protocol):
    """Where the seats of a list come from."""

    def take(self, wanted: int, *, now: datetime) -> list[Seat]:
        """Up to `wanted` free seats with their pools; none only when there are no more."""


class Picker:
    """Hands out free seats of some pools, in the order of the pools. Only to be used under the account's lock.

    Which pools have free seats is remembered from the last look; before it says that there are none left, it looks
    again at all of them.
    """

    def __init__(self, pools: Sequence[PoolCounts]) -> None:
        self._ranked = [pool.pool_id for pool in pools]
        self._hopeful = [pool.pool_id for pool in pools if pool.free]

    def take(self, wanted: int, *, now: datetime) -> list[Seat]:
        """Up to `wanted` free seats with their pools; fewer only when there are no more.

        One query for each pool that is touched. The seats are taken by whoever inserts their assignments.
        """
        seats: list[Seat] = []
        self._gather(seats, self._hopeful, wanted, now)
        if len(seats) < wanted and self._ranked:
            holding = set(giveable_pools(now).filter(pk__in=self._ranked).values_list("pk", flat=True))
            seen = set(self._hopeful)
            self._hopeful = [pk for pk in self._ranked if pk in holding]
            self._gather(seats, [pk for pk in self._hopeful if pk not in seen], wanted, now)
        return seats

    def _gather(self, seats: list[Seat], pool_ids: list[int], wanted: int, now: datetime) -> None:
        for pk in pool_ids:
            if len(seats) == wanted:
                return
            found = free_seats(now).filter(pool=pk).select_related("pool").order_by("ordinal")
            seats.extend(found[: wanted - len(seats)])


def free_seats(now: datetime) -> QuerySet[Seat, Any]:
    """Seats that may be given at `now`: the `free` of the state rule, in a form the database searches quickly."""
    live = Assignment.objects.filter(seat=OuterRef("pk"), ended_at=None)
    return Seat.objects.filter(
        ~Exists(live),
        Q(pool__assign_before=None) | Q(pool__assign_before__gt=now),
        Q(pool__access_ends_at=None) | Q(pool__access_ends_at__gt=now),
        withdrawn_at=None,
        expired_at=None,
    )


def giveable_pools(now: datetime) -> QuerySet[SeatPool, Any]:
    """Pools that hold a free seat at `now`."""
    return SeatPool.objects.filter(Exists(free_seats(now).filter(pool=OuterRef("pk"))))
