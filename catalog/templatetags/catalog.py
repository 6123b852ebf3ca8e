"""The card of an item in the catalogue's list."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("catalog/card.html")
def item_card(card: Any, currency: str) -> dict[str, Any]:
    """One item of the list: what it is, what it costs, its seats."""
    return {"card": card, "item": card.item, "price": card.price, "currency": currency}
