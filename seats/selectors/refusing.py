"""Why a seat may not be changed: a code and what is said with it, so that a row can keep both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.zone import format_day, iso, parse_iso
from courses.platform import KnownEnd, Refusal
from courses.wording import lazy_refusal_words
from delegation.refusals import Refused

Detail = Mapping[str, str | None]


class SeatRefused(Refused):
    """A refusal that can be told again from its code and detail (`refusal`)."""

    def __init__(self, code: str, message: str | Promise, detail: Detail) -> None:
        super().__init__(code, message)
        self.detail = dict(detail)


def refusal(code: str, **detail: str | None) -> SeatRefused:
    """A refusal with its sentence.

    The codes are `free`, `ended`, `busy` (with `by="change"`: somebody changes his mind about it), `started` (`at`),
    `same_person`, `already_enrolled` (`ends`: ISO 8601 or none for no end; left out where it is not known),
    `too_late`, `not_allowed` and `not_told` (`reason`).
    """
    message = _SENTENCES[code]
    return SeatRefused(code, message(detail) if callable(message) else message, detail)


def started(at: datetime) -> SeatRefused:
    """The participant has opened the course."""
    return refusal("started", at=iso(at))


def already_enrolled(end: KnownEnd | None) -> SeatRefused:
    """Somebody is enrolled already, until this end if it is known."""
    return refusal("already_enrolled") if end is None else refusal("already_enrolled", ends=iso(end.ends_at))


def started_since(at: datetime) -> Promise | str:
    """Why a seat can no longer change hands."""
    return format_lazy(_("This seat was started on {day}: it can no longer change hands."), day=_lazy_day(at))


def _started(detail: Detail) -> Promise | str:
    return started_since(parse_iso(str(detail["at"])))


def _busy(detail: Detail) -> Promise | str:
    if detail.get("by") == "change":
        return _("This seat is just being changed. Try again in a moment.")
    return _("This seat is just being given. Try again in a moment.")


def _enrolled(detail: Detail) -> Promise | str:
    if "ends" not in detail:
        return _("This person is already enrolled in the course: no seat is needed.")
    ends = detail["ends"]
    if ends is None:
        return _("This person is already enrolled in the course, with no end date: no seat is needed.")
    return format_lazy(
        _("This person is already enrolled in the course until {day}: no seat is needed."),
        day=_lazy_day(parse_iso(ends)),
    )


def _not_told(detail: Detail) -> Promise | str:
    message = _("The course platform refused this person ({reason}).")
    return format_lazy(message, reason=lazy_refusal_words(detail["reason"] or Refusal.NOT_ACCEPTED))


_SENTENCES: dict[str, Promise | str | Callable[[Detail], Promise | str]] = {
    "ended": _("This seat has ended: it can no longer be changed."),
    "free": _("Nobody has this seat: there is nothing to change."),
    "busy": _busy,
    "started": _started,
    "same_person": _("This is the address of the person who has the seat."),
    "already_enrolled": _enrolled,
    "too_late": _("This seat may no longer be given to anybody new."),
    "not_allowed": _("This seat no longer covers the course."),
    "not_told": _not_told,
}

_lazy_day = lazy(format_day, str)
