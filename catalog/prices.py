"""Prices as a buyer reads them: without and with tax."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from catalog.models import CatalogItem
from catalog.selectors import price_steps
from common.money import LineTotal, TaxedLine, allocate_lines


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """The unit price of orders of `first` to `last` units (None: and more), in minor units."""

    first: int
    last: int | None
    net: int
    gross: int


def price_table(item: CatalogItem, tiers: Iterable[tuple[int, int]]) -> list[ShownPrice]:
    """Every step of an item's prices, from one unit up; `tiers` as `catalog.selectors.tiers_of` gives them."""
    table = []
    for step in price_steps(item.price, tiers):
        unit = _unit(step.price, item.price_includes_tax, item.tax_rate)
        table.append(ShownPrice(step.first, step.last, unit.net, unit.gross))
    return table


def best_price(item: CatalogItem, tiers: Iterable[tuple[int, int]]) -> ShownPrice:
    """The lowest unit price of an item: what « à partir de » names."""
    return min(price_table(item, tiers), key=lambda shown: shown.gross)


@lru_cache(maxsize=4096)
def _unit(price: int, tax_included: bool, rate: Decimal) -> LineTotal:
    return allocate_lines([TaxedLine(1, price, tax_included, rate)])[0]
