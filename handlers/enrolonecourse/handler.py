"""`enrolonecourse`: the buyer's own place in one course."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Person
from common.zone import iso
from handlers.contract import (
    Delivered,
    Delivery,
    Feedback,
    HandlerError,
    Message,
    Objection,
    Offer,
    Purchase,
    SeatMode,
    Wish,
)
from handlers.enrolling import COURSE, CourseHandler, find_course, seat_people
from handlers.enrolonecourse.forms import EnrolParams
from handlers.moments import Period
from handlers.words import access_dates
from seats.selectors import is_enrolled
from seats.services import Named

TUTOR = "teacher"  # of whoever is given the seat as a tutor, should the buyer leave it


class EnrolOneCourse(CourseHandler):
    """Enrols the buyer, with one seat. Whoever is enrolled already cannot buy it."""

    name = "enrolonecourse"
    label = gettext_lazy("Enrol the buyer in a course")
    Params = EnrolParams
    seat_mode = SeatMode.NONE
    max_quantity = 1
    messages = {
        "ready": gettext_lazy("You are enrolled in “%(course)s”."),
        "already": gettext_lazy(
            "You were enrolled in “%(course)s” before: your dates stay as they are, and the seat is free for somebody "
            "else in this course."
        ),
        "enrolled": gettext_lazy("The buyer of order %(order)s is enrolled in “%(course)s”."),
        "not_needed": gettext_lazy(
            "The buyer of order %(order)s was enrolled in “%(course)s” before: the seat is free."
        ),
    }

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        course = find_course(values)
        yield _("The buyer takes one seat and is enrolled in “%(course)s” with the role %(role)s.") % {
            "course": course.fullname if course else values[COURSE],
            "role": values["role"],
        }
        yield access_dates(period.starts, period.ends)
        yield _("A mail tells the buyer when it is done.")

    def check_purchase(self, offer: Offer, wish: Wish) -> Iterator[Objection]:
        values = self.read(offer.params).values
        course = find_course(values) if values and wish.buyer_id is not None else None
        if course is not None and wish.buyer_id is not None and is_enrolled(course.pk, wish.buyer_id):
            yield Objection(_("You are already enrolled in “%(course)s”.") % {"course": course.fullname})

    def deliver(self, purchase: Purchase) -> Delivery:
        """Seat the buyer, or find him seated. Raises HandlerError."""
        course = self.sound_course(purchase.params)
        if purchase.quantity != 1:
            raise HandlerError(_("Order this item once."), permanent=True, field="quantity")
        period = self.period_of(purchase)
        buyer = Person.objects.filter(pk=purchase.buyer_id or 0).first()
        if buyer is None:
            raise HandlerError(_("The buyer is gone."), permanent=True, field="buyer")
        done = seat_people(
            purchase,
            course,
            period,
            [Named(buyer.email, buyer.first_name, buyer.last_name)],
            learner=purchase.params["role"],
            supervisor=TUTOR,
            is_session=False,
        )
        known: dict[str, str | int] = {"course": course.fullname, "order": purchase.bill_number}
        told = known | {"starts": iso(period.starts) or "", "ends": iso(period.ends) or ""}
        if done.already:
            feedback = Feedback(
                Message("already", known), Message("already", known), Message("not_needed", known)
            )
        else:
            feedback = Feedback(Message("ready", known), Message("ready", told), Message("enrolled", known))
        return Delivery(feedback, Delivered(seats=done.seats, enrolments=done.enrolled))
