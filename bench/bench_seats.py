"""Order opened → seats ready: at most 3 times the bare multi-row INSERT of the same rows, and linear."""

from __future__ import annotations

import uuid
from statistics import median

from django.utils import timezone

from accounts.models import CustomerAccount
from bench.measuring import bare_insert, number, seconds, statements
from common.references import new_references
from seats.models import Seat, SeatPool
from seats.services import generate_seats

ROUNDS = {1_000: 5, 10_000: 3, 100_000: 1}  # by size


def run() -> list[str]:
    """One line for each size."""
    account = CustomerAccount.objects.create(slug=f"bench-{number()}", name="Bench")
    generate(account, 100)  # what only happens once in a process is over
    lines = []
    for size, rounds in ROUNDS.items():
        ratios, times = [], []
        for _round in range(rounds):
            bare = insert_bare(account, size)
            ours = generate(account, size)
            ratios.append(ours / bare)
            times.append(ours)
        with statements() as sent:
            generate(account, size)
        lines.append(
            f"{size:>7} seats: {median(ratios):.2f} × the bare INSERT (at most 3), "
            f"{1e6 * median(times) / size:.0f} µs each, {len(sent)} statements"
        )
        Seat.objects.all().delete()
    return lines


def generate(account: CustomerAccount, size: int) -> float:
    """Seconds it takes to make so many seats."""
    return seconds(
        lambda: generate_seats(
            line_key=uuid.uuid4(),
            account_id=account.pk,
            item_code="SEATS",
            item_name="Seats",
            bill_number=f"CMD-{number()}",
            count=size,
            purchased_at=timezone.now(),
        )
    )


def insert_bare(account: CustomerAccount, size: int) -> float:
    """Seconds it takes to insert the same rows by hand."""
    pool = SeatPool.objects.create(
        line_key=uuid.uuid4(),
        account=account,
        item_code="SEATS",
        item_name="Seats",
        bill_number=f"CMD-{number()}",
        size=size,
        purchased_at=timezone.now(),
    )
    rows = [
        (pool.pk, account.pk, ordinal, reference)
        for ordinal, reference in enumerate(new_references(size), start=1)
    ]
    columns = ("pool_id", "account_id", "ordinal", "reference")
    return seconds(lambda: bare_insert("seats_seat", columns, rows))
