"""Organisations that order, and what they order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from accounts.models import CustomerAccount, Person, Role
from billing.models import Bill
from billing.services import Identity, OrderLine, identity_of, place
from catalog.models import CatalogItem
from common.audit import OPERATOR
from handlers.contract import ParticipantEntry
from tests.accounts.factories import make_account, make_member, make_person
from tests.catalog.factories import make_item, make_shop
from tests.courses.factories import make_course


@dataclass
class Customer:
    """An organisation with an owner and a buyer, who reads English."""

    account: CustomerAccount = field(default_factory=lambda: make_account(slug="demo", name="Demo"))
    owner: Person = field(default_factory=lambda: make_person(email="owner@demo.example"))
    buyer: Person = field(
        default_factory=lambda: make_person(email="buyer@demo.example", first_name="Bob", last_name="Buyer")
    )

    def __post_init__(self) -> None:
        make_member(Role.OWNER, account=self.account, person=self.owner)
        make_member(Role.BUYER, account=self.account, person=self.buyer)

    def place(self, *lines: OrderLine, **changes: Any) -> Bill:
        """Place an order as checkout does."""
        values: dict[str, Any] = {
            "account": self.account,
            "buyer": self.buyer,
            "lines": lines,
            "identity": identity_of(self.account, self.buyer),
            "paymode": Bill.Paymode.TRANSFER.value,
            "terms_version": "1",
            "actor": OPERATOR,
        }
        return place(**{**values, **changes})

    def order(self, item: CatalogItem, quantity: int = 1, *, at: datetime | None = None) -> Bill:
        """Place an order of one item."""
        return self.place(OrderLine(item, quantity), at=at)


def seats_item(code: str = "SEATS", **changes: Any) -> CatalogItem:
    """Unassigned seats at 10.00 with tax, for any open course."""
    make_course()
    values: dict[str, Any] = {
        "name_fr": "Sièges libres",
        "name_en": "Free seats",
        "price": 1000,
        "price_includes_tax": True,
        "handler": "generateseats",
    }
    item: Any = make_item(shop=make_shop(), code=code, **{**values, **changes})
    return cast("CatalogItem", item)


def plain_item(code: str = "BOOK", **changes: Any) -> CatalogItem:
    """Something at 10.00 with tax that delivers nothing here."""
    values: dict[str, Any] = {
        "name_fr": "Livre",
        "name_en": "Book",
        "price": 1000,
        "price_includes_tax": True,
    }
    item: Any = make_item(shop=make_shop(), code=code, **{**values, **changes})
    return cast("CatalogItem", item)


def people(count: int) -> list[ParticipantEntry]:
    """So many learners."""
    return [ParticipantEntry(f"learner{n}@demo.example", "Lea", f"Learner{n}") for n in range(1, count + 1)]


__all__ = ["Customer", "Identity", "OrderLine", "people", "plain_item", "seats_item"]
