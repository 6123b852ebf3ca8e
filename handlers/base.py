"""The base class of handlers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from courses.models import Course
from handlers.contract import (
    Availability,
    CustomerDataForm,
    Delivered,
    Delivery,
    Finding,
    HandlerError,
    Message,
    Objection,
    Offer,
    Purchase,
    SeatMode,
    Wish,
)
from handlers.params import ParamsForm, Parsed, Period, PeriodError, parse, period
from handlers.support import KEY as SUPPORT
from handlers.support import check_support, enrol_in_support
from handlers.words import access_dates


class Handler:
    """Delivers opened order lines of the items that name it. Stateless: one instance serves every item.

    A subclass declares its names and forms, implements `deliver`, and overrides the other verbs where it has more to
    say. `deliver` is idempotent: run again after a crash at any line, it ends in the same state. What it cannot do it
    raises as HandlerError, permanent or temporary; any other exception fails the run.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    Params: ClassVar[type[ParamsForm]]
    CustomerData: ClassVar[type[CustomerDataForm] | None] = None
    # The seat mode its items must have; None: any.
    seat_mode: ClassVar[SeatMode | None] = None
    max_quantity: ClassVar[int | None] = None
    # The sentences of its feedback by code: lazy translations with %(name)s places for the data.
    messages: ClassVar[Mapping[str, Any]] = {}

    # --- parameters -----------------------------------------------------------------------------

    def read(self, params: str) -> Parsed:
        """Read a parameter string of this handler. Never raises."""
        return parse(params, form=self.Params)

    def typed(self, params: str) -> Mapping[str, Any]:
        """The typed values of a frozen parameter string. Raises a permanent HandlerError if it is not sound."""
        parsed = self.read(params)
        for error in parsed.errors:
            raise HandlerError(error.message, permanent=True, field=error.key)
        return parsed.values

    def period(
        self, values: Mapping[str, Any], *, purchased_at: datetime, renewable: bool, zone: ZoneInfo
    ) -> Period:
        """When what is delivered starts and ends. Raises PeriodError."""
        return period(values, purchased_at=purchased_at, renewable=renewable, zone=zone)

    def courses(self, values: Mapping[str, Any]) -> list[Course]:
        """The courses that these parameters open today."""
        return []

    # --- the shop admin ---------------------------------------------------------------------------

    def check(self, offer: Offer, *, at: datetime | None = None) -> list[Finding]:
        """Everything worth saying about an item before it is on sale: an error must keep it off sale."""
        findings = list(self._check_item(offer))
        parsed = self.read(offer.params)
        findings += [Finding("error", "params", error.message, error.key) for error in parsed.errors]
        if parsed.errors:
            return findings
        try:
            self.period(
                parsed.values,
                purchased_at=at or timezone.now(),
                renewable=offer.renewable,
                zone=offer.zone,
            )
        except PeriodError as error:
            findings.append(Finding("error", "period", error.message, parsed.keys.get(error.key, error.key)))
        findings += self.examine(offer, parsed.values)
        return findings

    def examine(self, offer: Offer, values: Mapping[str, Any]) -> Iterator[Finding]:
        """What a handler says about sound parameters: do courses, roles and templates exist?"""
        return check_support(values)

    def rehearse(self, offer: Offer, *, quantity: int, at: datetime) -> list[str]:
        """What so many units, bought at this instant, would deliver: sentences for the shop admin, who reads them.

        Changes nothing. Empty when the parameters are not sound: `check` says why.
        """
        parsed = self.read(offer.params)
        if parsed.errors:
            return []
        try:
            found = self.period(parsed.values, purchased_at=at, renewable=offer.renewable, zone=offer.zone)
        except PeriodError:
            return []
        said = list(self.foresee(offer, parsed.values, found, quantity))
        support = parsed.values.get(SUPPORT)
        if support:
            message = _("When the order is placed, the buyer is enrolled in the support course %(course)s.")
            said.append(message % {"course": support})
        return said

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        """The sentences of a handler about sound parameters: what, to whom, until when, and who gets which mail."""
        yield access_dates(period.starts, period.ends)

    def _check_item(self, offer: Offer) -> Iterator[Finding]:
        if type(self).deliver is Handler.deliver:
            yield Finding("error", "delivers_nothing", _cannot_deliver(), "handler")
        if self.seat_mode not in (None, offer.seat_mode):
            message = _("This automation needs the seat mode “%(needed)s”, not “%(given)s”.") % {
                "needed": self.seat_mode,
                "given": offer.seat_mode,
            }
            yield Finding("error", "seat_mode", message, "seat_mode")

    # --- the shop -----------------------------------------------------------------------------------

    def quantity_limit(self, offer: Offer) -> int | None:
        """The most units one order line may have; None: no limit."""
        return self.max_quantity

    def is_available(self, offer: Offer, account_id: int | None) -> Availability:
        """Whether this account (None: not known yet) may buy the offer now. For one item, not for lists of them."""
        parsed = self.read(offer.params)
        if parsed.errors:
            return Availability(_("This item is not available for now."))
        try:
            self.period(
                parsed.values, purchased_at=timezone.now(), renewable=offer.renewable, zone=offer.zone
            )
        except PeriodError:
            return Availability(_("The period of this item is over."))
        return Availability()

    def check_purchase(self, offer: Offer, wish: Wish) -> Iterator[Objection]:
        """What stands in the way of this buyer's purchase of an available offer: asked while it is put together, and
        again when it is placed. The number of participants, their addresses and doubles are checked already.
        """
        yield from ()

    # --- production -----------------------------------------------------------------------------------

    def prepare(self, purchase: Purchase) -> Delivery:
        """When the order is placed, before payment; idempotent. Enrols the buyer in the support course."""
        return Delivery(delivered=Delivered(enrolments=enrol_in_support(purchase)))

    def deliver(self, purchase: Purchase) -> Delivery:
        """When the order is opened; idempotent. Raises HandlerError."""
        raise HandlerError(_cannot_deliver(), permanent=True, field="handler")

    # --- words ------------------------------------------------------------------------------------------

    def say(self, message: Message) -> str:
        """Put a message of this handler into words, in the active language."""
        return str(self.messages[message.code] % dict(message.data))


def _cannot_deliver() -> str:
    return _("This automation cannot deliver anything yet: an item that uses it cannot be put on sale.")
