"""The customer support course: the buyer is enrolled in it when the order is placed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from courses.models import Course
from courses.platform import CoursePlatform, EnrolmentRow, Outcome, OutcomeState, PlatformAway
from courses.platforms import get_platform
from courses.wording import refusal_words
from handlers.contract import Finding, HandlerError, Purchase

KEY = "customersupport"
# The role of a customer where the platform has one; else he is there like everybody.
ROLES = ("customer", "student")


def role_names(platform: CoursePlatform) -> list[str]:
    """The short names of the roles that the platform offers."""
    return [role.name for role in platform.roles()]


def check_support(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What there is to say about the support course that an item names."""
    name = values.get(KEY)
    if not name:
        return
    course = Course.objects.filter(shortname=name).first()
    if course is None:
        message = _("There is no course with the short name %(course)s.") % {"course": name}
        yield Finding("error", "support_unknown", message, KEY)
    elif course.missing_since is not None or not course.takes_enrolments:
        message = _("Nobody can be put into %(course)s on the course platform.") % {"course": name}
        yield Finding("error", "support_closed", message, KEY)
    elif not course.is_support:
        message = _(
            "%(course)s is not marked as a customer support course: unassigned seats can be given in it too."
        ) % {"course": name}
        yield Finding("warning", "support_unmarked", message, KEY)


def enrol_in_support(purchase: Purchase) -> int:
    """Enrol the buyer in the support course that the parameters name; returns how many enrolments that is.

    An enrolment that holds stays as it is, one that has ended or is suspended is opened again without an end.
    Raises HandlerError.
    """
    name = purchase.params.get(KEY)
    if not name or purchase.buyer_id is None:
        return 0
    course = Course.objects.filter(shortname=name).first()
    if course is None:
        message = _("There is no course with the short name %(course)s.") % {"course": name}
        raise HandlerError(message, permanent=True, field=KEY)
    platform = get_platform()
    offered = role_names(platform)
    role = next((role for role in ROLES if role in offered), ROLES[-1])
    try:
        settle(platform.ensure_logins([purchase.buyer_id]), field=KEY)
        if platform.active_enrolments([(course.pk, purchase.buyer_id)]) == [None]:
            row = EnrolmentRow(course.pk, purchase.buyer_id, role, purchase.purchased_at, None)
            settle(platform.ensure_enrolments([row]), field=KEY)
    except PlatformAway as reason:
        raise not_answering(reason) from reason
    return 1


def settle(outcomes: Sequence[Outcome], *, field: str = "") -> None:
    """Raise HandlerError unless everything is done: permanent for a refusal, temporary while it is unknown."""
    for outcome in outcomes:
        if outcome.state is OutcomeState.REFUSED:
            message = _("The course platform refuses this: %(code)s.") % {"code": refusal_words(outcome.code)}
            raise HandlerError(message, permanent=True, field=field)
        if outcome.state is OutcomeState.UNKNOWN:
            raise not_answering(field=field)


def not_answering(reason: PlatformAway | OSError | None = None, *, field: str = "") -> HandlerError:
    """The error to raise when the course platform is away: the run waits until it answers, for the reason it gave."""
    said = str(reason) if reason is not None else ""
    return HandlerError(said or _("The course platform does not answer."), outside=True, field=field)
