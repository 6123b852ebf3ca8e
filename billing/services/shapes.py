"""What an order is placed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import CustomerAccount, Person
from catalog.models import CatalogItem
from handlers.contract import ParticipantEntry


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line as the buyer wants it. `customer_data` has one mapping per unit where the item asks for it.

    `answers` are those to the shop's own questions (see `catalog.questions`). A gift of the shop costs nothing, and no
    questions are asked.
    """

    item: CatalogItem
    quantity: int
    customer_data: Sequence[Mapping[str, Any]] = ()
    participants: Sequence[ParticipantEntry] = ()
    answers: Sequence[Mapping[str, Any]] = ()
    is_gift: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody whom an order concerns, as typed. The fields are those of `BillParty`."""

    name: str
    siren: str = ""
    vat_number: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "FR"
    email: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who orders, who pays and who receives the documents. `language`: of the order; empty is the buyer's."""

    customer: Party
    payer: Party | None = None
    recipient: Party | None = None
    purchase_order: str = ""
    language: str = ""


def identity_of(account: CustomerAccount, buyer: Person) -> Identity:
    """The identity that an account has on file: what checkout starts from."""
    return Identity(
        Party(
            name=account.legal_name or account.name,
            siren=account.siren,
            vat_number=account.vat_number,
            address=account.address,
            postcode=account.postcode,
            city=account.city,
            country=str(account.country),
            email=buyer.email,
        )
    )
