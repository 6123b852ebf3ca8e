"""Long lists in parts, for statements and calls that take so many items at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def cut(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in parts of `size`, in their order; no items: no part."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
