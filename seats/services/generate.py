"""Seats come into the world: one row each, born from (line, ordinal)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from common.cutting import cut
from common.references import new_references
from seats.models import Seat, SeatPool, UnassignedEnd
from seats.services.locking import lock_account, touch_account

CHUNK = 10_000


def generate_seats(
    *,
    line_key: UUID,
    account_id: int,
    item_code: str,
    item_name: str,
    bill_number: str,
    count: int,
    purchased_at: datetime,
    courselist: str = "",
    supervisor: str = "teacher",
    assign_before: datetime | None = None,
    access_seconds: int | None = None,
    access_ends_at: datetime | None = None,
    renewable: bool = False,
    unassigned_end: str = UnassignedEnd.EXTEND.value,
    heartbeat: Callable[[], None] | None = None,
) -> int:
    """Make the seats of an order line; returns how many the line has.

    May be repeated, also after a crash at any statement: the line has one pool and each ordinal one seat. Works in
    chunks of 10,000, each its own transaction, and calls `heartbeat` between them. Raises ValueError when the line
    is already known with another account or number of seats, or when `count` is not positive.
    """
    if count <= 0:
        raise ValueError(f"A line has at least one seat, not {count}")
    validity = int((assign_before - purchased_at).total_seconds()) if assign_before else 0
    pool = SeatPool(
        line_key=line_key,
        account_id=account_id,
        item_code=item_code,
        item_name=item_name,
        bill_number=bill_number,
        size=count,
        courselist=courselist,
        supervisor=supervisor,
        assign_before=assign_before,
        validity_seconds=validity if validity > 0 else None,
        unassigned_end=unassigned_end,
        access_seconds=access_seconds,
        access_ends_at=access_ends_at,
        renewable=renewable,
        purchased_at=purchased_at,
    )
    SeatPool.objects.bulk_create([pool], ignore_conflicts=True)
    pool = SeatPool.objects.get(line_key=line_key)
    if (pool.account_id, pool.size) != (account_id, count):
        raise ValueError(f"Line {line_key} has {pool.size} seats of account {pool.account_id}")
    missing = _missing(pool)
    while missing:
        for part in cut(missing, CHUNK):
            if heartbeat is not None:
                heartbeat()
            _insert(pool, part)
        # Not one round in practice: a reference drawn twice is left out by the INSERT and drawn again here.
        missing = _missing(pool)
    return pool.size


def _missing(pool: SeatPool) -> list[int]:
    present = set(Seat.objects.filter(pool=pool).values_list("ordinal", flat=True))
    return [ordinal for ordinal in range(1, pool.size + 1) if ordinal not in present]


def _insert(pool: SeatPool, ordinals: Sequence[int]) -> None:
    with transaction.atomic():
        lock_account(pool.account_id)
        insert_seats(pool, ordinals)
        touch_account(pool.account_id)


def insert_seats(pool: SeatPool, ordinals: Sequence[int]) -> None:
    """Make the seats with these ordinals, under the account's lock; what is there already stays.

    A reference that is taken (it is drawn among 10²⁰) leaves its seat out: look again.
    """
    references = new_references(len(ordinals))
    Seat.objects.bulk_create(
        [
            Seat(pool_id=pool.pk, account_id=pool.account_id, ordinal=ordinal, reference=reference)
            for ordinal, reference in zip(ordinals, references, strict=True)
        ],
        ignore_conflicts=True,
    )
