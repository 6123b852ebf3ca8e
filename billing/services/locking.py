"""Holding an order still while it changes. Lock order everywhere: bill, account, seats."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.models import Bill
from billing.services.errors import refuse


def lock_bill(number: str) -> Bill:
    """The order, locked until the end of the transaction. Raises Refused(bill) when there is none."""
    bills = Bill.objects.select_for_update(of=("self",), no_key=True)
    # PostgreSQL raises for a question with a NUL in it.
    bill = bills.filter(number=number.strip().upper()).first() if number.isprintable() else None
    if bill is None:
        raise refuse("bill", _("There is no order %(number)s.") % {"number": number})
    return bill
