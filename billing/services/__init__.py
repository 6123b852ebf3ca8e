"""What changes orders and payments. Each function is one transaction."""

from billing.services.credits import report_credits
from billing.services.errors import Problem, Refused
from billing.services.gifts import give_seats
from billing.services.opening import open_bill
from billing.services.orders import cancel, place
from billing.services.payments import pay_by_test_card, received, record_payment
from billing.services.shapes import Identity, OrderLine, Party, identity_of

__all__ = [
    "Identity",
    "OrderLine",
    "Party",
    "Problem",
    "Refused",
    "cancel",
    "give_seats",
    "identity_of",
    "open_bill",
    "pay_by_test_card",
    "place",
    "received",
    "record_payment",
    "report_credits",
]
