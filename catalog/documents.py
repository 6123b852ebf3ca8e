"""Items as documents, for commands."""

from __future__ import annotations

from typing import Any

from catalog.models import CatalogItem, Visibility
from common.money import to_decimal


def item_document(item: CatalogItem) -> dict[str, Any]:
    """The object that `setitem` prints."""
    return {
        "code": item.code,
        "name": item.name,
        "price": to_decimal(item.price, item.shop.currency),
        "currency": item.shop.currency,
        "price_includes_tax": item.price_includes_tax,
        "tax_rate": item.tax_rate,
        "category": item.category.name if item.category else "",
        "handler": item.handler,
        "params": item.params,
        "seat_mode": item.seat_mode,
        "renewable": item.renewable,
        "unassigned_end": item.unassigned_end,
        "max_quantity": item.max_quantity,
        "active": item.visibility != Visibility.INACTIVE,
    }
