"""What to buy when seats are missing: `{% load buying %}`."""

from __future__ import annotations

from django import template

from catalog.models import CatalogItem
from portal import selectors

register = template.Library()


@register.simple_tag
def seat_offer(shortname: str, seats: int, preferred: str = "") -> selectors.SeatOffer | None:
    """`{% seat_offer course.shortname 2 as offer %}`: the article and the quantity that give so many seats there."""
    return selectors.seat_offer(shortname, seats, preferred=preferred)


@register.simple_tag
def extension_item() -> CatalogItem | None:
    """`{% extension_item as extension %}`: the article that gives a product a later end."""
    return selectors.extension_item()


@register.simple_tag
def waiting_orders(account_id: int) -> list[str]:
    """`{% waiting_orders account.pk as numbers %}`: the orders of an organisation that are not open yet."""
    return selectors.waiting_orders(account_id)
