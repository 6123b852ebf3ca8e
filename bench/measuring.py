"""How the measurements measure."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import connection

CHUNK = 10_000
_numbers = count(1)


def number() -> int:
    """A number that this run has not used yet."""
    return next(_numbers)


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes, without the garbage of what came before."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent to the database, transaction control included."""
    sent: list[str] = []
    connection.force_debug_cursor, before = True, connection.force_debug_cursor
    connection.queries_log.clear()
    connection.queries_log = connection.queries_log.__class__(maxlen=1_000_000)
    try:
        yield sent
    finally:
        sent.extend(entry["sql"] for entry in connection.queries_log)
        connection.force_debug_cursor = before
        connection.queries_log.clear()


def bare_insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows into a table by plain multi-row INSERTs, 10,000 rows each."""
    waiting = list(rows)
    one = f"({', '.join(['%s'] * len(columns))})"
    with connection.cursor() as cursor:
        for start in range(0, len(waiting), CHUNK):
            part = waiting[start : start + CHUNK]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(part))}",
                [value for row in part for value in row],
            )
