"""What an item would deliver, to whom and until when: told before anybody buys it. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import CatalogItem, ItemQuestion, SeatMode
from catalog.offers import item_findings, offer_of
from catalog.selectors import unit_price
from common.money import format_money
from handlers.contract import Finding
from handlers.registry import UnknownHandler, get_handler


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What so many units of an item, bought at an instant, would do, in sentences.

    `order` is what happens when the order is placed, `delivery` what happens when it is opened: empty where an error
    among the `findings` stands in the way.
    """

    order: list[str]
    delivery: list[str]
    findings: list[Finding]

    @property
    def fails(self) -> bool:
        return any(finding.level == "error" for finding in self.findings)


def rehearse(item: CatalogItem, *, quantity: int, at: datetime) -> Rehearsal:
    """The rehearsal of an item as it was last saved, in the active language."""
    findings = item_findings(item, at=at)
    found = Rehearsal(order=_order(item, quantity), delivery=[], findings=findings)
    if found.fails:
        return found
    if not item.handler:
        found.delivery.append(_("Nothing is delivered automatically."))
        return found
    try:
        handler = get_handler(item.handler)
    except UnknownHandler:  # pragma: no cover - a finding has said so
        return found
    limit = handler.quantity_limit(offer_of(item))
    if limit is not None and quantity > limit:
        text = ngettext(
            "At most %(most)d of “%(item)s” can be ordered at once.",
            "At most %(most)d of “%(item)s” can be ordered at once.",
            limit,
        )
        found.delivery.append(text % {"most": limit, "item": item.name})
        return found
    found.delivery.extend(handler.rehearse(offer_of(item), quantity=quantity, at=at))
    return found


def _order(item: CatalogItem, quantity: int) -> list[str]:
    price = unit_price(item, quantity)
    said = [
        _("%(quantity)d × %(price)s each, %(total)s in all.")
        % {
            "quantity": quantity,
            "price": format_money(price, item.shop.currency),
            "total": format_money(price * quantity, item.shop.currency),
        }
    ]
    named = {SeatMode.ONE.value: 1, SeatMode.QUANTITY.value: quantity}.get(item.seat_mode, 0)
    if named:
        text = ngettext("The buyer names %(named)d person.", "The buyer names %(named)d people.", named)
        said.append(text % {"named": named})
    for question in item.questions.all():
        asked = (
            _("Asked for each unit: %(question)s")
            if question.scope == ItemQuestion.Scope.UNIT
            else _("Asked once: %(question)s")
        )
        said.append(asked % {"question": question.label})
    said.append(_("A mail confirms the order to the buyer."))
    return said
