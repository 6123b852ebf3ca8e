"""Nothing to pay."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.gateways.base import Gateway
from billing.models import Bill


class Free(Gateway):
    """For orders that come to nothing, and only for them."""

    code = Bill.Paymode.FREE.value
    label = Bill.Paymode.FREE.label
    takes_money = False

    def refusal(self, gross: int) -> str | Promise:
        return _("This order has an amount to pay: choose how to pay it.") if gross else ""
