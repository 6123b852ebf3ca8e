"""What a way of paying is."""

from __future__ import annotations

from typing import ClassVar

from django.utils.functional import Promise


class Gateway:
    """A way of paying. `code` is a `Bill.Paymode` and, when money moves, the gateway of the ledger."""

    code: ClassVar[str]
    label: ClassVar[str | Promise]
    takes_money: ClassVar[bool] = True

    def refusal(self, gross: int) -> str | Promise:
        """Why an order of this total (minor units) may not be paid so; "" when it may."""
        return ""
