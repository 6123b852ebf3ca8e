"""One look at a checkout: the cart of a buyer, what it comes to, and what is still wrong with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.utils.translation import get_language

from accounts.models import CustomerAccount, Person
from billing.models import Cart, CartLine
from billing.selectors.carts import CartView, cart_lines, cart_view
from billing.services.carts import order_lines, save_answers
from billing.services.checks import check_lines
from billing.services.errors import Problem
from billing.services.shapes import Identity, Party, identity_of
from catalog.models import Shop

# What only the cart page can repair.
CART_KEYS = frozenset({"lines", "item", "quantity"})


class Checkout:
    """What the steps read. The lines are checked by the very rules that hold when the order is placed."""

    def __init__(
        self, *, account: CustomerAccount, buyer: Person, cart: Cart, shop: Shop, owns_account: bool
    ) -> None:
        self.account = account
        self.owns_account = owns_account  # the buyer may change what the organisation has on file
        self.buyer = buyer
        self.cart = cart
        self.shop = shop

    @cached_property
    def lines(self) -> list[CartLine]:
        return list(cart_lines(self.cart))

    @cached_property
    def view(self) -> CartView:
        return cart_view(self.lines)

    @cached_property
    def problems(self) -> list[Problem]:
        lines = order_lines(self.lines)
        return check_lines(lines, shop=self.shop, account=self.account, buyer=self.buyer)[1]

    def problems_of(self, keys: Iterable[str], place: int | None = None) -> list[Problem]:
        """The problems with these keys, of one line (its place from 0) or of all."""
        return [one for one in self.problems if one.key in keys and place in (None, one.line)]

    def forget(self) -> None:
        """Read and check anew: a line was changed."""
        for name in ("lines", "view", "problems"):
            self.__dict__.pop(name, None)

    # --- answers that are not of a line ---------------------------------------------------------------

    @property
    def answers(self) -> dict[str, Any]:
        answers: dict[str, Any] = self.cart.identity
        return answers

    @property
    def identity(self) -> Identity:
        """Who orders: as answered in this checkout, else as the organisation has it on file."""
        filed = identity_of(self.account, self.buyer).customer
        answered = self.answers.get("customer")
        customer = Party(**answered, email=self.buyer.email) if answered else filed
        to = self.answers.get("recipient_email", "")
        return Identity(
            customer=customer,
            recipient=Party(name=customer.name, country=customer.country, email=to) if to else None,
            purchase_order=self.answers.get("purchase_order", ""),
            language=get_language() or "",
        )

    @property
    def key(self) -> str:
        """What names this checkout: the button pressed twice finds the first order. Made at the first look."""
        if "checkout_key" not in self.answers:
            save_answers(cart=self.cart, checkout_key=secrets.token_urlsafe(24))
        return str(self.answers["checkout_key"])
