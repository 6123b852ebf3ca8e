"""What a handler is, what it is given and what it gives back. Handlers never see a bill.

A handler is a class derived from `Handler` (in `handlers.base`), registered in `handlers.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise

from common.zone import seller_zone

Level = Literal["error", "warning", "info"]
ParticipantRole = Literal["learner", "tutor"]


class SeatMode(StrEnum):
    """What the quantity of an item says about people."""

    NONE = "none"  # nothing: nobody is named at the purchase
    ONE = "one"  # one person is named, whatever the quantity
    QUANTITY = "quantity"  # as many people are named as units are bought


@dataclass(frozen=True, slots=True)
class Offer:
    """An item on sale, as a handler sees it."""

    code: str
    name: str
    params: str
    seat_mode: SeatMode
    renewable: bool = False
    zone: ZoneInfo = field(default_factory=seller_zone)


@dataclass(frozen=True, slots=True)
class ParticipantEntry:
    """A person named during checkout. Only the address is sure to be there."""

    email: str
    firstname: str = ""
    lastname: str = ""
    role: ParticipantRole = "learner"


@dataclass(frozen=True, slots=True)
class Wish:
    """A purchase that somebody puts together: not placed yet, and not known to be sound. None: not known yet."""

    account_id: int | None
    buyer_id: int | None
    quantity: int
    participants: tuple[ParticipantEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a wish cannot be placed, as the customer reads it.

    It concerns the item; or one of the participants (`row` counts from 0) and the field of him to be mended.
    """

    message: str
    row: int | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Purchase:
    """An opened order line, as a handler sees it.

    `params` are the typed values of the handler's `Params` form (see `Handler.typed`), `customer_data` the cleaned
    data of its `CustomerData` form, one mapping per unit. `purchased_at` is when the order was opened, never the time
    of the run. `unassigned_end` is what follows for seats that were not given in time (`seats.models.UnassignedEnd`).
    Long work calls `beat()` between its steps so that the run keeps its lease.
    """

    line_key: UUID
    account_id: int
    buyer_id: int | None
    bill_number: str
    item_code: str
    item_name: str
    quantity: int
    params: Mapping[str, Any]
    purchased_at: datetime
    renewable: bool = False
    unassigned_end: str = "extend"
    customer_data: tuple[Mapping[str, Any], ...] = ()
    participants: tuple[ParticipantEntry, ...] = ()
    zone: ZoneInfo = field(default_factory=seller_zone)
    run_heartbeat: Callable[[], None] | None = field(default=None, compare=False, repr=False)

    def beat(self) -> None:
        """Renew the lease of the run, if there is one."""
        if self.run_heartbeat is not None:
            self.run_heartbeat()


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence as code and data, kept in a row and put into words in the reader's language (`Handler.say`)."""

    code: str
    data: Mapping[str, str | int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "data": dict(self.data)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Message:
        return cls(document["code"], document["data"])


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a delivery says: `public` on the page, `private` by mail to the customer, `sales` by mail to the shop."""

    public: Message | None = None
    private: Message | None = None
    sales: Message | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            audience: message.as_json()
            for audience in ("public", "private", "sales")
            if (message := getattr(self, audience)) is not None
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Feedback:
        return cls(**{audience: Message.from_json(message) for audience, message in document.items()})


@dataclass(frozen=True, slots=True)
class Delivered:
    """How much a delivery made or found made by an earlier attempt: running it again gives the same numbers."""

    seats: int = 0
    enrolments: int = 0
    spaces: int = 0
    accounts_created: int = 0

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a phase."""

    feedback: Feedback = field(default_factory=Feedback)
    delivered: Delivered = field(default_factory=Delivered)


class HandlerError(Exception):
    """A delivery that failed. `permanent`: trying again changes nothing until somebody repairs `field`.

    `outside` (never together with `permanent`): something outside is absent, such as the course platform; the run waits
    until it is back, however long that takes.
    """

    def __init__(
        self, message: str | Promise, *, permanent: bool = False, outside: bool = False, field: str = ""
    ) -> None:
        if permanent and outside:
            raise ValueError("an absence ends: it is not permanent")
        super().__init__(message)
        self.outside = outside
        self.message = message
        self.permanent = permanent
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else str(self.message)


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of `check`. `key` is the parameter (as typed) or the item's field it concerns, "" for none."""

    level: Level
    code: str
    message: str
    key: str = ""

    def as_json(self) -> dict[str, str]:
        return {"level": self.level, "code": self.code, "message": self.message, "key": self.key}


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an account may buy an offer now, and if not why, as the customer reads it. True when it may."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


class CustomerDataForm(forms.Form):
    """What is asked of the customer, once per unit. Its cleaned data is frozen into the order: strings and numbers.

    `unit_key` names the field that says what a unit is for, if there is one: units for something else stay beside it
    in a cart.
    """

    unit_key: ClassVar[str] = ""

    def __init__(self, *args: Any, account_id: int | None = None, **kwargs: Any) -> None:
        self.account_id = account_id
        super().__init__(*args, **kwargs)
