"""Numbers without doubles: a counter row, locked by the transaction that uses its next value."""

from __future__ import annotations

from django.db import transaction

from common.models import Counter


def next_number(name: str) -> int:
    """The next number of the series `name`, from 1. Must be called inside a transaction; rolled back with it."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("next_number needs a transaction")
    Counter.objects.bulk_create([Counter(name=name)], ignore_conflicts=True)
    counter = Counter.objects.select_for_update().get(name=name)
    counter.value += 1
    counter.save(update_fields=["value"])
    return counter.value
