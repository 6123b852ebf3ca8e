"""Items as the catalogue's list draws them: a card is a pure function of what it shows, so it is drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog.models import CatalogItem
from catalog.prices import best_price
from catalog.units import seats_per_unit


@dataclass(frozen=True, slots=True)
class Card:
    """What the list says of an item, in the active language; amounts in minor units of `currency`."""

    code: str
    name: str
    summary: str
    image: str
    seats: int | None
    net: int
    gross: int
    price_includes_tax: bool
    tiered: bool
    currency: str


def card_of(item: CatalogItem, tiers: Sequence[tuple[int, int]], currency: str) -> Card:
    """The card of an item with its tiers (see `catalog.selectors.tiers_of`)."""
    price = best_price(item, tiers)
    return Card(
        code=item.code,
        name=item.name,
        summary=item.summary,
        image=item.image.url if item.image else "",
        seats=seats_per_unit(item),
        net=price.net,
        gross=price.gross,
        price_includes_tax=item.price_includes_tax,
        tiered=bool(tiers),
        currency=currency,
    )


@lru_cache(maxsize=4096)
def card_html(card: Card, language: str) -> SafeString:
    """The card drawn in a language (that of the page: it decides words, amounts and spaces)."""
    return render_to_string("catalog/card.html", {"card": card})
