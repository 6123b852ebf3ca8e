"""Derived states as they are said on screen, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.selectors.figures import PaymentState, ProductionState


def payment_word(state: PaymentState) -> str:
    """The state of payment."""
    return {
        "unpaid": _("to be paid"),
        "partial": _("paid in part"),
        "paid": _("paid"),
        "overpaid": _("paid too much"),
        "refunded": _("paid back"),
    }[state]


def production_word(state: ProductionState) -> str:
    """The state of production."""
    return {
        "none": _("not started"),
        "queued": _("about to start"),
        "running": _("under way"),
        "failed": _("failed"),
        "done": _("delivered"),
    }[state]
