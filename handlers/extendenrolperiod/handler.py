"""`extendenrolperiod`: a later end for a product that the customer owns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from handlers.base import Handler
from handlers.contract import Offer, SeatMode
from handlers.extendenrolperiod.forms import ExtendParams, ExtendWish
from handlers.params import Period


class ExtendEnrolPeriod(Handler):
    """Extends a seat, a session or a course space by its reference."""

    name = "extendenrolperiod"
    label = _("Extend a product")
    Params = ExtendParams
    CustomerData = ExtendWish
    seat_mode = SeatMode.NONE

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
