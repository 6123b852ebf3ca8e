"""`setuponecoursesession`: a whole session of a course in one purchase (seed "Mise en place d'une session")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from accounts.models import Person
from common.emailkey import check_email, email_key
from common.zone import iso
from courses.models import Course, GroupMode
from courses.platforms import get_platform
from handlers.contract import (
    Delivered,
    Delivery,
    Feedback,
    Finding,
    HandlerError,
    Message,
    Objection,
    Offer,
    ParticipantEntry,
    Purchase,
    SeatMode,
    Wish,
)
from handlers.enrolling import COURSE, CourseHandler, find_course, seat_people
from handlers.moments import Period
from handlers.setuponecoursesession.forms import SessionParams
from handlers.words import access_dates
from seats.services import Named, SessionDone

PEOPLE = "participants"


class SetUpOneCourseSession(CourseHandler):
    """Enrols the people named at the purchase, one seat each, in one course and one group.

    The group is named after the order. A tutor takes a seat as a learner does. Somebody who is enrolled already joins
    the group and keeps his dates; his seat is free, for this course only.
    """

    name = "setuponecoursesession"
    label = gettext_lazy("Set up a training session")
    Params = SessionParams
    seat_mode = SeatMode.QUANTITY
    role_keys = ("role", "supervisor")
    messages = {
        "ready": ngettext_lazy(
            "%(people)d person is enrolled in “%(course)s”.",
            "%(people)d people are enrolled in “%(course)s”.",
            "people",
        ),
        "ready_mail": ngettext_lazy(
            "The session %(session)s is set up: %(people)d person is enrolled in “%(course)s”.",
            "The session %(session)s is set up: %(people)d people are enrolled in “%(course)s”.",
            "people",
        ),
        "set_up": ngettext_lazy(
            "The session %(session)s of order %(order)s is set up: %(people)d person is enrolled in “%(course)s”.",
            "The session %(session)s of order %(order)s is set up: %(people)d people are enrolled in “%(course)s”.",
            "people",
        ),
        "already": ngettext_lazy(
            "%(already)d person was enrolled before: their dates stay as they are, and their seat is free for somebody "
            "else in this course.",
            "%(already)d people were enrolled before: their dates stay as they are, and their seats are free for "
            "others in this course.",
            "already",
        ),
        "shared": ngettext_lazy(
            "%(shared)d person is in a group of another customer as well (%(groups)s), and sees both.",
            "%(shared)d people are in groups of other customers as well (%(groups)s), and see both.",
            "shared",
        ),
    }

    # --- the shop admin ---------------------------------------------------------------------------

    def warnings(self, values: Mapping[str, Any], course: Course) -> Iterator[Finding]:
        yield from super().warnings(values, course)
        if course.groups_mode != GroupMode.SEPARATE:
            message = _("%(course)s does not use separate groups: its sessions see each other.")
            yield Finding("warning", "groups_not_separate", message % {"course": course.shortname}, COURSE)
        editing = {role.name for role in get_platform().roles() if role.edits}
        for key in self.role_keys:
            if values[key] in editing:
                message = _("Whoever has the role %(role)s sees all groups of the course and may change it.")
                yield Finding("warning", "role_edits", message % {"role": values[key]}, key)

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        course = find_course(values)
        title = course.fullname if course else values[COURSE]
        yield ngettext(
            "%(people)d person named at the purchase takes a seat and is enrolled in “%(course)s”.",
            "%(people)d people named at the purchase take a seat each and are enrolled in “%(course)s”.",
            quantity,
        ) % {"people": quantity, "course": title}
        for name, key, text in (
            ("learner", "role", _("Learners get the role %(role)s.")),
            ("tutor", "supervisor", _("Tutors get the role %(role)s.")),
        ):
            if name in values["requiredroles"]:
                yield text % {"role": values[key]}
        if values["autoenrolsupervisor"]:
            yield _("The buyer tutors too, without a seat, with the role %(role)s.") % {
                "role": values["supervisor"]
            }
        yield _("All of them are in one group, named after the order.")
        yield access_dates(period.starts, period.ends)
        yield _("Whoever is enrolled already keeps the dates he has, and his seat is free for this course.")
        yield _(
            "A mail goes to each of them: an invitation where the login is new. Another one goes to the buyer."
        )

    # --- the shop -----------------------------------------------------------------------------------

    def check_purchase(self, offer: Offer, wish: Wish) -> Iterator[Objection]:
        values = self.read(offer.params).values
        if not values:
            return
        buyer = _tutoring_buyer(values, wish.buyer_id)
        for row, entry in enumerate(wish.participants):
            if entry.role not in values["requiredroles"]:
                yield Objection(_not_offered(entry), row, "role")
            elif entry.role == "learner" and email_key(entry.email) == buyer:
                yield Objection(_tutors_already(), row, "email")

    # --- production -----------------------------------------------------------------------------------

    def deliver(self, purchase: Purchase) -> Delivery:
        """Seat everybody, or find everybody seated. Raises HandlerError."""
        values = purchase.params
        course = self.sound_course(values)
        _check_people(purchase)
        period = self.period_of(purchase)
        done = seat_people(
            purchase,
            course,
            period,
            [
                Named(entry.email, entry.firstname, entry.lastname, entry.role)
                for entry in purchase.participants
            ],
            learner=values["role"],
            supervisor=values["supervisor"],
            is_session=True,
            buyer_tutors=values["autoenrolsupervisor"],
        )
        return Delivery(
            _feedback(purchase, course, period, done),
            Delivered(seats=done.seats, enrolments=done.enrolled + done.tutor, accounts_created=done.created),
        )

    # --- words ------------------------------------------------------------------------------------------

    def say(self, message: Message) -> str:
        more = (
            str(self.messages[code] % dict(message.data))
            for code in ("already", "shared")
            if message.data.get(code)
        )
        return " ".join((super().say(message), *more))


def _tutoring_buyer(values: Mapping[str, Any], buyer_id: int | None) -> str | None:
    """The address of a buyer who is to tutor anyway."""
    if not values["autoenrolsupervisor"] or buyer_id is None:
        return None
    return Person.objects.filter(pk=buyer_id).values_list("email_key", flat=True).first()


def _not_offered(entry: ParticipantEntry) -> str:
    if entry.role == "tutor":
        return _("Nobody can be named as a tutor for this item.")
    return _("Nobody can be named as a learner for this item.")


def _tutors_already() -> str:
    return _("The buyer tutors this session and cannot learn in it too.")


def _check_people(purchase: Purchase) -> None:
    """What was checked when the order was placed. Raises HandlerError."""
    named = purchase.participants
    if len(named) != purchase.quantity:
        message = _("Seats bought: %(seats)d. People named: %(people)d.") % {
            "seats": purchase.quantity,
            "people": len(named),
        }
        raise HandlerError(message, permanent=True, field=PEOPLE)
    buyer = _tutoring_buyer(purchase.params, purchase.buyer_id)
    roles: dict[str, str] = {}
    for place, entry in enumerate(named, start=1):
        problem = check_email(entry.email)
        key = email_key(entry.email)
        reason = ""
        if problem is not None:
            reason = str(problem.message)
        elif roles.setdefault(key, entry.role) != entry.role:
            reason = _("Nobody can be a learner and a tutor in the same session.")
        elif len(roles) < place:
            reason = _("The same person is named twice.")
        elif entry.role not in purchase.params["requiredroles"]:
            reason = _not_offered(entry)
        elif entry.role == "learner" and key == buyer:
            reason = _tutors_already()
        if reason:
            message = _("Participant %(place)d: %(reason)s") % {"place": place, "reason": reason}
            raise HandlerError(message, permanent=True, field=PEOPLE)


def _feedback(purchase: Purchase, course: Course, period: Period, done: SessionDone) -> Feedback:
    """Numbers, the order and other orders: no names of people, which would outlive them here."""
    known: dict[str, str | int] = {
        "session": done.reference,
        "people": done.enrolled + done.already,
        "already": done.already,
        "course": course.fullname,
        "order": purchase.bill_number,
    }
    told = known | {"starts": iso(period.starts) or "", "ends": iso(period.ends) or ""}
    noted = known | {"shared": done.shared, "groups": ", ".join(done.shared_groups)}
    return Feedback(Message("ready", known), Message("ready_mail", told), Message("set_up", noted))
