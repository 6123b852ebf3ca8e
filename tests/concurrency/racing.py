"""Doing several things at the same moment, each in its own thread with its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connections
from django.utils import translation

T = TypeVar("T")


def together(actions: Sequence[Callable[[], T]], *, timeout: float = 60) -> list[T | Exception]:
    """Start all actions at the same moment; the result of each, or the exception it raised, in their order."""
    start = threading.Barrier(len(actions))
    results: dict[int, T | Exception] = {}

    def act(place: int, action: Callable[[], T]) -> None:
        try:
            with translation.override("en"):
                start.wait(timeout)
                results[place] = action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            results[place] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=act, args=pair, name=f"racer-{pair[0]}") for pair in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError("the actions wait for each other")
    return [results[place] for place in range(len(actions))]
