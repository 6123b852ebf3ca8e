"""Bank transfer: the buyer is told where to send the money, an operator confirms that it came."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import iban

from billing.gateways.base import Gateway
from billing.models import Bill
from catalog.models import Shop


@dataclass(frozen=True, slots=True)
class BankDetails:
    """What the buyer writes on the transfer. `amount` is in minor units."""

    holder: str
    iban: str
    bic: str
    reference: str
    amount: int


class Transfer(Gateway):
    """The order waits until the money has arrived."""

    code = Bill.Paymode.TRANSFER.value
    label = Bill.Paymode.TRANSFER.label

    def refusal(self, gross: int) -> str | Promise:
        return "" if gross else _("There is nothing to pay for this order.")


def bank_details(*, shop: Shop, number: str, amount: int) -> BankDetails:
    """Where to send the amount (minor units); the number of the order is the reference to give."""
    return BankDetails(
        holder=shop.legal_name or shop.name,
        iban=iban.format(shop.iban) if shop.iban else "",
        bic=shop.bic,
        reference=number,
        amount=amount,
    )
