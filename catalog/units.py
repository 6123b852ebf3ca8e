"""What one unit of an item is made of."""

from __future__ import annotations

from functools import lru_cache

from catalog.models import CatalogItem, SeatMode
from handlers.registry import UnknownHandler, get_handler


def seats_per_unit(item: CatalogItem) -> int | None:
    """How many seats one unit brings, or None for an item that is not about seats."""
    if item.seat_mode == SeatMode.QUANTITY:
        return 1
    return _packed(item.handler, item.params) if item.handler else None


@lru_cache(maxsize=4096)
def _packed(handler: str, params: str) -> int | None:
    try:
        return get_handler(handler).read(params).values.get("packsize")
    except UnknownHandler:
        return None
