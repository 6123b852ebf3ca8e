"""Derived states as they are said on screen, in the active language."""

from __future__ import annotations

from django.utils.translation import pgettext

from billing.selectors.figures import PaymentState, ProductionState


def payment_word(state: PaymentState) -> str:
    """The state of payment."""
    return {
        "unpaid": pgettext("an order", "to be paid"),
        "partial": pgettext("an order", "paid in part"),
        "paid": pgettext("an order", "paid"),
        "overpaid": pgettext("an order", "paid too much"),
        "refunded": pgettext("an order", "paid back"),
    }[state]


def production_word(state: ProductionState) -> str:
    """The state of production."""
    return {
        "none": pgettext("a production", "not started"),
        "queued": pgettext("a production", "about to start"),
        "running": pgettext("a production", "under way"),
        "failed": pgettext("a production", "failed"),
        "done": pgettext("a production", "delivered"),
    }[state]
