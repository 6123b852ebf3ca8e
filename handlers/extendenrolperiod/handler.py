"""`extendenrolperiod`: a later end for a product that the customer owns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from handlers.base import Handler
from handlers.contract import SeatMode
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
