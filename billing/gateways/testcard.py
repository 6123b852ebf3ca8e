"""A card that always pays, to try the shop out. Only where SHOPSEATS_TEST_CARD allows it."""

from __future__ import annotations

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.gateways.base import Gateway
from billing.models import Bill


class TestCard(Gateway):
    """Pays at once, with no money behind it."""

    code = Bill.Paymode.TESTCARD.value
    label = Bill.Paymode.TESTCARD.label

    def refusal(self, gross: int) -> str | Promise:
        if not gross:
            return _("There is nothing to pay for this order.")
        return "" if settings.SHOPSEATS_TEST_CARD else _("The test card is not accepted in this shop.")
