"""`generateseats`: unassigned seats, given to people later (seed "Ajout de sièges non affectés")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from common.zone import add_exact, format_until
from courses.models import Course
from courses.platforms import get_platform
from courses.selectors import matching_courses, names_match
from handlers.base import Handler
from handlers.contract import (
    Availability,
    Delivered,
    Delivery,
    Feedback,
    Finding,
    HandlerError,
    Message,
    Offer,
    Purchase,
    SeatMode,
)
from handlers.fields import MAX_COUNT
from handlers.generateseats.forms import GenerateSeatsParams
from handlers.moments import DAY, Moment, Period, PeriodError, Relative
from handlers.support import role_names
from seats.services import generate_seats

SHOWN = 20  # courses named in a finding


class GenerateSeats(Handler):
    """Makes quantity × packsize seats.

    Their access is counted from the day a seat is given: `duration` or a relative `endtime`. An absolute `endtime` is
    the end of seats and access alike. A renewable item that says neither gives 365 calendar days from the assignment,
    which only the seats themselves can compute: they are told that they are renewable. `checkparams` and the admin
    show the dates of a seat that is given at the purchase.
    """

    name = "generateseats"
    label = gettext_lazy("Unassigned seats")
    Params = GenerateSeatsParams
    seat_mode = SeatMode.NONE
    messages = {
        "ready": ngettext_lazy(
            "%(seats)d seat is ready to be given.", "%(seats)d seats are ready to be given.", "seats"
        ),
        "ready_mail": ngettext_lazy(
            "%(seats)d seat of “%(item)s” is ready. Give it to somebody on the page My seats.",
            "%(seats)d seats of “%(item)s” are ready. Give them to people on the page My seats.",
            "seats",
        ),
        "made": ngettext_lazy(
            "%(seats)d seat of “%(item)s” was made for order %(order)s.",
            "%(seats)d seats of “%(item)s” were made for order %(order)s.",
            "seats",
        ),
    }

    def courses(self, values: Mapping[str, Any]) -> list[Course]:
        return list(matching_courses(_courselist(values)))

    # --- the shop admin ---------------------------------------------------------------------------

    def examine(self, offer: Offer, values: Mapping[str, Any]) -> Iterator[Finding]:
        yield from super().examine(offer, values)
        yield from self._examine_courses(values)
        role = values["supervisor"]
        offered = role_names(get_platform())
        if role not in offered:
            message = _("The course platform has no role %(role)s. It has: %(roles)s.") % {
                "role": role,
                "roles": ", ".join(offered),
            }
            yield Finding("error", "role_unknown", message, "supervisor")
        if offer.renewable and values["duration"] is None and values["endtime"] is None:
            message = _("Renewable without an end: access ends 365 calendar days after a seat was given.")
            yield Finding("info", "renewable_year", message)

    def _examine_courses(self, values: Mapping[str, Any]) -> Iterator[Finding]:
        names: tuple[str, ...] = values["courselist"]
        today = list(
            matching_courses(_courselist(values)).order_by("shortname").values_list("shortname", flat=True)
        )
        if not names:
            message = _("No list of courses: the seats can be given in every open course.")
            yield Finding("warning", "every_course", message, "courselist")
        elif not today:
            message = _("No open course matches this list: the seats could not be given to anybody.")
            yield Finding("error", "no_course", message, "courselist")
        idle = [name for name in names if not any(names_match(name, course) for course in today)]
        if idle and today:
            message = _("These match no open course: %(names)s.") % {"names": _shown(idle)}
            yield Finding("warning", "idle_names", message, "courselist")
        if today:
            message = _("Courses today: %(names)s.") % {"names": _shown(today)}
            yield Finding("info", "courses", message, "courselist")

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        seats = quantity * values["packsize"]
        yield ngettext(
            "%(seats)d seat is made, and nobody sits in it yet.",
            "%(seats)d seats are made, and nobody sits in them yet.",
            seats,
        ) % {"seats": seats}
        today = matching_courses(_courselist(values)).order_by("shortname")
        yield _("Courses today: %(names)s.") % {
            "names": _shown(list(today.values_list("shortname", flat=True))) or _("none")
        }
        yield _("A person put in as a tutor gets the role %(role)s.") % {"role": values["supervisor"]}
        if values["validity"]:
            until = add_exact(period.starts, days=values["validity"], zone=offer.zone)
            yield _("The seats can be given %(until)s.") % {"until": format_until(until)}
        else:
            yield _("The seats can be given without a limit of time.")
        yield from _foreseen_access(values, period)
        yield _(
            "A mail goes to the buyer and to the owners and seat managers: the seats are ready to be given."
        )

    # --- the shop -----------------------------------------------------------------------------------

    def quantity_limit(self, offer: Offer) -> int | None:
        packsize: int = self.read(offer.params).values.get("packsize", 1)
        return MAX_COUNT // packsize

    def is_available(self, offer: Offer, account_id: int | None) -> Availability:
        available = super().is_available(offer, account_id)
        if available and not matching_courses(_courselist(self.read(offer.params).values)).exists():
            return Availability(_("No course is open for these seats for now."))
        return available

    # --- production -----------------------------------------------------------------------------------

    def deliver(self, purchase: Purchase) -> Delivery:
        """Make the seats of the line, or find them made. Raises HandlerError."""
        values = purchase.params
        try:
            self.period(
                values,
                purchased_at=purchase.purchased_at,
                renewable=purchase.renewable,
                zone=purchase.zone,
            )
        except PeriodError as error:
            raise HandlerError(error.message, permanent=True, field=error.key) from error
        seats = self._generate(purchase)
        data: dict[str, str | int] = {
            "seats": seats,
            "item": purchase.item_name,
            "order": purchase.bill_number,
        }
        return Delivery(
            Feedback(Message("ready", data), Message("ready_mail", data), Message("made", data)),
            Delivered(seats=seats),
        )

    def _generate(self, purchase: Purchase) -> int:
        values = purchase.params
        count = purchase.quantity * values["packsize"]
        if not 0 < count <= MAX_COUNT:
            message = _("A line has from 1 to %(most)s seats, not %(count)s.") % {
                "most": MAX_COUNT,
                "count": count,
            }
            raise HandlerError(message, permanent=True, field="packsize")
        end: Moment | None = values["endtime"]
        days: int | None = values["duration"]
        validity: int | None = values["validity"]
        absolute = None if isinstance(end, Relative) else end
        access_seconds = end.seconds if isinstance(end, Relative) else days * DAY if days else None
        bought, zone = purchase.purchased_at, purchase.zone
        try:
            return generate_seats(
                line_key=purchase.line_key,
                account_id=purchase.account_id,
                item_code=purchase.item_code,
                item_name=purchase.item_name,
                bill_number=purchase.bill_number,
                count=count,
                courselist=_courselist(values),
                supervisor=values["supervisor"],
                assign_before=add_exact(bought, days=validity, zone=zone) if validity else None,
                access_seconds=access_seconds,
                access_ends_at=absolute.as_end(bought, zone) if absolute else None,
                renewable=purchase.renewable,
                unassigned_end=purchase.unassigned_end,
                purchased_at=bought,
                heartbeat=purchase.run_heartbeat,
            )
        except ValueError as error:
            # The line is known with another number of seats or account: nobody can have ordered that.
            raise HandlerError(str(error), permanent=True) from error


def _foreseen_access(values: Mapping[str, Any], period: Period) -> Iterator[str]:
    """How long somebody may stay in a course."""
    end = values["endtime"]
    if period.ends is None:
        yield _("Whoever gets a seat has access without an end.")
    elif end is not None and not isinstance(end, Relative):
        yield _("Seats and access both last %(until)s.") % {"until": format_until(period.ends)}
    else:
        yield _("Access counts from the day a seat is given: one given at the purchase lasts %(until)s.") % {
            "until": format_until(period.ends)
        }


def _courselist(values: Mapping[str, Any]) -> str:
    return ",".join(values.get("courselist", ()))


def _shown(names: list[str]) -> str:
    """The names, at most SHOWN of them, and how many more there are."""
    shown = ", ".join(names[:SHOWN])
    more = len(names) - SHOWN
    return _("%(names)s and %(more)d more") % {"names": shown, "more": more} if more > 0 else shown
