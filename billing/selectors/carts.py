"""What a cart holds and what it comes to: the same arithmetic as the order's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.models import Cart, CartLine
from billing.services.carts import limit_message, quantity_limit
from catalog.models import CatalogItem, Visibility
from catalog.selectors import PriceStep, price_steps, unit_price
from catalog.units import seats_per_unit
from common.money import LineTotal, RateTotal, TaxedLine, allocate_lines, totals_by_rate


@dataclass(frozen=True, slots=True)
class Saving:
    """What `more` units more would bring: a price per unit of `price` (minor units)."""

    more: int
    price: int


@dataclass(frozen=True, slots=True)
class CartRow:
    """A line as the cart shows it. Amounts are minor units; `seats` is None when it is not about seats.

    `step` is the price step that applies (None: the item has one price), `problem` why it cannot be ordered so.
    """

    line: CartLine
    seats: int | None
    unit_price: int
    total: LineTotal
    step: PriceStep | None
    saving: Saving | None
    limit: int
    problem: str

    @property
    def item(self) -> CatalogItem:
        return self.line.item


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with its totals, in minor units. Lines that cannot be ordered do not count."""

    rows: tuple[CartRow, ...]
    rates: tuple[RateTotal, ...]
    net: int
    gross: int

    @property
    def problems(self) -> bool:
        return any(row.problem for row in self.rows)


def cart_lines(cart: Cart, *, answers: bool = True) -> QuerySet[CartLine]:
    """What is in a cart, with items, price tiers and questions: three queries.

    Without `answers` what was filled in for the lines, which may be thousands of people, is left where it is.
    """
    lines = cart.lines.filter(removed_at=None).select_related("item__shop")
    lines = lines.prefetch_related("item__tiers", "item__questions")
    return (lines if answers else lines.defer("customer_data", "participants", "answers")).order_by("id")


def cart_view(lines: Sequence[CartLine]) -> CartView:
    """Prices and totals of the lines, as an order of them would have."""
    problems = [_problem(line) for line in lines]
    taxed = [_taxed(line) for line in lines]
    counted = [line for line, problem in zip(taxed, problems, strict=True) if not problem]
    totals = iter(allocate_lines(counted))
    rows = tuple(
        _row(line, one.unit_price, allocate_lines([one])[0] if problem else next(totals), problem)
        for line, one, problem in zip(lines, taxed, problems, strict=True)
    )
    rates = tuple(totals_by_rate(counted))
    return CartView(rows, rates, net=sum(rate.net for rate in rates), gross=sum(rate.gross for rate in rates))


def _problem(line: CartLine) -> str:
    if line.item.visibility == Visibility.INACTIVE:
        return _("This item is not on sale any more: take it out of the cart.")
    return "" if line.quantity <= quantity_limit(line.item) else limit_message(line.item)


def _taxed(line: CartLine) -> TaxedLine:
    item = line.item
    return TaxedLine(line.quantity, unit_price(item, line.quantity), item.price_includes_tax, item.tax_rate)


def _row(line: CartLine, price: int, total: LineTotal, problem: str) -> CartRow:
    item = line.item
    steps = price_steps(item.price, [(tier.up_to, tier.price) for tier in item.tiers.all()])
    units = seats_per_unit(item)
    limit = quantity_limit(item)
    applies = next(step for step in steps if step.last is None or line.quantity <= step.last)
    return CartRow(
        line=line,
        seats=None if units is None else units * line.quantity,
        unit_price=price,
        total=total,
        step=applies if len(steps) > 1 else None,
        saving=None if problem else _saving(steps, line.quantity, price, limit),
        limit=limit,
        problem=problem,
    )


def _saving(steps: Sequence[PriceStep], quantity: int, price: int, limit: int) -> Saving | None:
    """The next step at which a unit costs less, if one may order so many."""
    for step in steps:
        if quantity < step.first <= limit and step.price < price:
            return Saving(step.first - quantity, step.price)
    return None
