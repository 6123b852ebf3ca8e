"""`extendenrolperiod`: a later end for a product that the customer owns (DESIGN section 5).

The seed "Mise en place d'une formation" says, in its first note, that such a product can be renewed by this handler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.audit import SYSTEM, Actor
from common.zone import format_until, iso, parse_iso
from courses.platform import PlatformAway
from delegation.refusals import Refused
from handlers.base import Handler
from handlers.contract import (
    Delivery,
    Feedback,
    HandlerError,
    Message,
    Offer,
    Purchase,
    SeatMode,
)
from handlers.extendenrolperiod.forms import ExtendParams, ExtendWish
from handlers.moments import MAX_DAYS
from handlers.params import Period
from handlers.support import not_answering
from seats.selectors.products import ProductKind
from seats.services import Extended, check_extend, run_extend

REFERENCE = "reference"


class ExtendEnrolPeriod(Handler):
    """Extends a seat, a session or a course space by its reference: `extension` days for each unit that names it."""

    name = "extendenrolperiod"
    label = gettext_lazy("Extend a product")
    Params = ExtendParams
    CustomerData = ExtendWish
    seat_mode = SeatMode.NONE
    messages = {
        ProductKind.SEAT.value: gettext_lazy("Seat %(reference)s is extended %(until)s."),
        ProductKind.SESSION.value: gettext_lazy("Session %(reference)s is extended %(until)s."),
        ProductKind.SPACE.value: gettext_lazy("Course space %(reference)s is extended %(until)s."),
    }

    def period(
        self, values: Mapping[str, Any], *, purchased_at: datetime, renewable: bool, zone: ZoneInfo
    ) -> Period:
        """The product extended has the dates: the extension itself has no end."""
        return Period(purchased_at.astimezone(zone), None)

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        days = values["extension"] * quantity
        yield ngettext(
            "The product that the buyer names by its reference ends %(days)d day of 24 hours later.",
            "The product that the buyer names by its reference ends %(days)d days of 24 hours later.",
            days,
        ) % {"days": days}
        yield _("A mail tells the buyer when it is done.")

    # --- the shop -----------------------------------------------------------------------------------

    def quantity_limit(self, offer: Offer) -> int | None:
        extension: int = self.read(offer.params).values.get("extension", 1)
        return max(1, MAX_DAYS // extension)

    # --- production -----------------------------------------------------------------------------------

    def deliver(self, purchase: Purchase) -> Delivery:
        """Extend what the units name, each product once, or find it extended. Raises HandlerError."""
        units = _references(purchase)
        reference = ""
        try:
            for reference in units:
                check_extend(reference=reference, key=str(purchase.line_key), account_id=purchase.account_id)
            extended = []
            for reference, number in units.items():
                purchase.beat()
                extended.append(_extend(purchase, reference, number))
        except PlatformAway as reason:
            raise not_answering(reason) from reason
        except Refused as refused:
            # Somebody is just being put into the seat: that ends, and a platform that is away may have it take long.
            is_busy = refused.code == "busy"
            raise HandlerError(
                f"{reference}: {refused.message}", permanent=not is_busy, outside=is_busy, field=REFERENCE
            ) from refused
        message = _message(extended)
        return Delivery(Feedback(message, message, message))

    # --- words ------------------------------------------------------------------------------------------

    def say(self, message: Message) -> str:
        """One sentence for each product."""
        data = message.data
        told = zip(
            str(data["kinds"]).split(),
            str(data["references"]).split(),
            str(data["ends"]).split(),
            strict=True,
        )
        return " ".join(
            self.messages[kind] % {"reference": reference, "until": format_until(parse_iso(end))}
            for kind, reference, end in told
        )


def _references(purchase: Purchase) -> Counter[str]:
    """How many units name each product, in the order in which they do."""
    references = [str(unit.get(REFERENCE, "")) for unit in purchase.customer_data]
    if len(references) != purchase.quantity or not all(references):
        message = _("The references of %(wanted)d units are needed, not %(given)d.") % {
            "wanted": purchase.quantity,
            "given": sum(map(bool, references)),
        }
        raise HandlerError(message, permanent=True, field=REFERENCE)
    return Counter(references)


def _extend(purchase: Purchase, reference: str, number: int) -> Extended:
    """Extend one product by so many units."""
    return run_extend(
        reference=reference,
        days=number * purchase.params["extension"],
        at=purchase.purchased_at,
        key=str(purchase.line_key),
        actor=SYSTEM if purchase.buyer_id is None else Actor.person(purchase.buyer_id),
        account_id=purchase.account_id,
        order=purchase.bill_number,
    )


def _message(extended: list[Extended]) -> Message:
    return Message(
        "extended",
        {
            "kinds": " ".join(one.product.kind.value for one in extended),
            "references": " ".join(one.product.reference for one in extended),
            "ends": " ".join(str(iso(one.until)) for one in extended),
        },
    )
