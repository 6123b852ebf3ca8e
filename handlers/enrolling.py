"""What handlers share that put people into one course: is it there, are its roles, and the delivery itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from common.zone import parse_iso
from courses.models import Course
from courses.platform import Refusal
from courses.platforms import get_platform
from courses.wording import refusal_words
from handlers.base import Handler
from handlers.contract import Availability, Finding, HandlerError, Message, Offer, Purchase
from handlers.moments import Period, PeriodError
from handlers.support import not_answering, role_names
from handlers.words import access_dates
from seats.services import Named, NotTold, SessionDone, SessionOrder, SessionRefused, set_up_session

COURSE = "coursename"
METHOD = "enrolname"
# The parameter to repair when the platform refuses somebody.
_FIELDS = {
    Refusal.UNKNOWN_COURSE.value: COURSE,
    Refusal.UNKNOWN_ROLE.value: "role",
    Refusal.BAD_DATES.value: "endtime",
}


class CourseHandler(Handler):
    """A handler that puts people into the course that its parameter `coursename` names."""

    # Its parameters that are roles of the platform.
    role_keys: ClassVar[tuple[str, ...]] = ("role",)

    def courses(self, values: Mapping[str, Any]) -> list[Course]:
        course = find_course(values)
        return [] if course is None else [course]

    def examine(self, offer: Offer, values: Mapping[str, Any]) -> Iterator[Finding]:
        yield from super().examine(offer, values)
        course = find_course(values)
        yield from course_errors(values, course)
        yield from role_errors(values, *self.role_keys)
        if course is not None:
            yield from self.warnings(values, course)

    def warnings(self, values: Mapping[str, Any], course: Course) -> Iterator[Finding]:
        """What the shop admin should know about a course that is there."""
        if not course.visible:
            message = _("%(course)s is hidden: nobody gets in before it is shown.")
            yield Finding("warning", "course_hidden", message % {"course": course.shortname}, COURSE)

    def is_available(self, offer: Offer, account_id: int | None) -> Availability:
        available = super().is_available(offer, account_id)
        if not available:
            return available
        values = self.read(offer.params).values
        if any(course_errors(values, find_course(values))):
            return Availability(_("The course of this item is not open for now."))
        if offer.seat_mode != self.seat_mode or any(role_errors(values, *self.role_keys)):
            return Availability(_("This item is not available for now."))
        return available

    def say(self, message: Message) -> str:
        said = super().say(message)
        return f"{said} {dates(message.data)}" if message.data.get("starts") else said

    # --- for the delivery -----------------------------------------------------------------------------

    def sound_course(self, values: Mapping[str, Any]) -> Course:
        """The course, when people can be put into it in these roles. Raises a permanent HandlerError."""
        course = find_course(values)
        for error in (*course_errors(values, course), *role_errors(values, *self.role_keys)):
            raise HandlerError(error.message, permanent=True, field=error.key)
        assert course is not None  # noqa: S101 - that would be an error
        return course

    def period_of(self, purchase: Purchase) -> Period:
        """When access starts and ends. Raises a permanent HandlerError."""
        try:
            return self.period(
                purchase.params,
                purchased_at=purchase.purchased_at,
                renewable=purchase.renewable,
                zone=purchase.zone,
            )
        except PeriodError as error:
            raise HandlerError(error.message, permanent=True, field=error.key) from error


def find_course(values: Mapping[str, Any]) -> Course | None:
    """The course that the parameters name, in whatever state it is."""
    return Course.objects.filter(shortname=values[COURSE]).first()


def course_errors(values: Mapping[str, Any], course: Course | None) -> Iterator[Finding]:
    """Why nobody can be put into the course."""
    name = {"course": values[COURSE]}
    if course is None:
        message = _("There is no course with the short name %(course)s.") % name
        yield Finding("error", "course_unknown", message, COURSE)
    elif course.is_template:
        yield Finding("error", "course_template", _("%(course)s is a template.") % name, COURSE)
    elif course.is_space:
        yield Finding("error", "course_space", _("%(course)s is a customer's course space.") % name, COURSE)
    elif course.closed_at is not None:
        yield Finding("error", "course_closed", _("%(course)s is closed.") % name, COURSE)
    elif course.missing_since is not None:
        message = _("%(course)s is no longer on the course platform.") % name
        yield Finding("error", "course_missing", message, COURSE)
    elif not course.takes_enrolments:
        message = (
            _("%(course)s takes no enrolments: add “Manual enrolments” to it on the course platform.") % name
        )
        yield Finding("error", "course_no_enrolments", message, COURSE)
    elif not course.is_sellable():
        yield Finding("error", "course_ended", _("%(course)s has ended.") % name, COURSE)


def role_errors(values: Mapping[str, Any], *keys: str) -> Iterator[Finding]:
    """The roles, by their keys, and the way of enrolment that the platform has not."""
    platform = get_platform()
    offered = role_names(platform)
    for key in keys:
        if values[key] not in offered:
            message = _("The course platform has no role %(role)s. It has: %(roles)s.") % {
                "role": values[key],
                "roles": ", ".join(offered),
            }
            yield Finding("error", "role_unknown", message, key)
    methods = platform.enrol_methods()
    if METHOD in values and values[METHOD] not in methods:
        message = _("The course platform does not enrol by %(method)s. It does by: %(methods)s.") % {
            "method": values[METHOD],
            "methods": ", ".join(methods),
        }
        yield Finding("error", "method_unknown", message, METHOD)


def seat_people(
    purchase: Purchase,
    course: Course,
    period: Period,
    people: Sequence[Named],
    *,
    learner: str,
    supervisor: str,
    is_session: bool,
    buyer_tutors: bool = False,
) -> SessionDone:
    """Deliver a purchase whose people are known. Raises HandlerError."""
    order = SessionOrder(
        line_key=purchase.line_key,
        account_id=purchase.account_id,
        buyer_id=purchase.buyer_id,
        item_code=purchase.item_code,
        item_name=purchase.item_name,
        bill_number=purchase.bill_number,
        purchased_at=purchase.purchased_at,
        renewable=purchase.renewable,
        course=course,
        learner=learner,
        supervisor=supervisor,
        starts_at=period.starts,
        ends_at=period.ends,
        people=tuple(people),
        is_session=is_session,
        buyer_tutors=buyer_tutors,
    )
    try:
        return set_up_session(order, heartbeat=purchase.run_heartbeat)
    except SessionRefused as error:
        message = _("The course platform refuses this: %(code)s.") % {"code": refusal_words(error.code)}
        field = _FIELDS.get(error.code, "participants")
        raise HandlerError(message, permanent=True, field=field) from error
    except NotTold as error:
        raise not_answering(error) from error
    except ValueError as error:
        # The line is known with other people or another account: nobody can have ordered that.
        raise HandlerError(str(error), permanent=True) from error


def dates(data: Mapping[str, str | int]) -> str:
    """The sentence about the dates that a message keeps as `starts` and `ends` (ISO 8601, "" for no end)."""
    ends = str(data["ends"])
    return access_dates(parse_iso(str(data["starts"])), parse_iso(ends) if ends else None)
