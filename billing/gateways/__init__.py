"""How an order is paid: by bank transfer, by a test card, or not at all because nothing is due."""

from __future__ import annotations

from billing.gateways.base import Gateway
from billing.gateways.free import Free
from billing.gateways.testcard import TestCard
from billing.gateways.transfer import BankDetails, Transfer, bank_details

__all__ = ["GATEWAYS", "BankDetails", "Gateway", "bank_details", "offered"]

GATEWAYS: dict[str, Gateway] = {gateway.code: gateway for gateway in (Transfer(), TestCard(), Free())}


def offered(gross: int) -> list[Gateway]:
    """The ways in which an order of this total (minor units) may be paid here."""
    return [gateway for gateway in GATEWAYS.values() if not gateway.refusal(gross)]
