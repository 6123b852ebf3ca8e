"""Orders in words: `{% load orders %}`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_percent
from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.models import Bill, ProductionRun
from billing.selectors import Figures
from common.languages import is_french, locale_for
from common.money import format_money

register = template.Library()


@dataclass(frozen=True, slots=True)
class StateWord:
    """One fact about an order. `kind`: `waits` for the reader, `done`, `error`, or "" for what goes its way."""

    kind: str
    words: str


@register.filter
def rate(percent: Decimal | str | None) -> str:
    """`{{ total.rate|rate }}`: 20%, 5.5%."""
    if not isinstance(percent, Decimal):
        return ""
    pattern = "#,##0.##\u202f%" if is_french() else "#,##0.##%"
    return format_percent(percent / 100, format=pattern, locale=locale_for())


@register.simple_tag
def order_states(bill: Bill, figures: Figures) -> list[StateWord]:
    """Where an order is: what was paid, and what was delivered."""
    if bill.state == Bill.State.CANCELLED:
        return [StateWord("", _("cancelled"))]
    states = _payment(bill, figures)
    if figures.opened is not None:
        states.append(_delivery(figures))
    return states


def _payment(bill: Bill, figures: Figures) -> list[StateWord]:
    if not bill.gross:
        return []
    if figures.payment == "unpaid":
        waits = bill.paymode == Bill.Paymode.TRANSFER
        return [StateWord("waits", _("waits for your transfer") if waits else _("waits for your payment"))]
    if figures.payment == "partial":
        due = {"due": format_money(figures.due, bill.currency)}
        return [StateWord("waits", _("%(due)s still to be paid") % due)]
    words = {"paid": _("paid"), "overpaid": _("paid, with too much"), "refunded": _("paid back")}
    return [StateWord("done" if figures.payment == "paid" else "", words[figures.payment])]


def _delivery(figures: Figures) -> StateWord:
    if figures.production == "done":
        return StateWord("done", _("delivered"))
    if figures.abandoned:
        return StateWord("", _("not delivered"))
    if figures.production == "failed":
        # The shop was told at once; the buyer has nothing to do.
        return StateWord("", _("delivery delayed"))
    return StateWord("", _("being delivered"))


@register.filter
def run_words(run: ProductionRun) -> str:
    """`{{ run|run_words }}`: where one delivery is, as its buyer reads it."""
    if run.state == ProductionRun.State.DONE:
        return pgettext("one item", "delivered")
    if run.abandoned_at is not None:
        return _("not delivered: the shop gets in touch with you")
    if run.state == ProductionRun.State.FAILED:
        return _("delayed: the shop has been told and takes care of it")
    return _("under way")
