"""What is said about a row of a list, on pages, in exports and by commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from common.listing import Problem
from common.zone import format_day
from courses.wording import refusal_words
from seats.models import Verdict

WILL_BE_INVITED = "will_be_invited"


def public_verdict(verdict: str) -> str:
    """The verdict as customers see it: whether an address was known before is not told (DESIGN section 4)."""
    return WILL_BE_INVITED if verdict in (Verdict.NEW_ACCOUNT, Verdict.EXISTING_ACCOUNT) else verdict


def verdict_word(verdict: str) -> str:
    """A few words for a public verdict."""
    words = {
        WILL_BE_INVITED: _("Will be invited"),
        Verdict.ALREADY_ENROLLED: _("Already enrolled"),
        Verdict.DUPLICATE: _("Twice in the list"),
        Verdict.INVALID: _("To correct"),
        Verdict.NO_SEAT: _("No seat left"),
        Verdict.NOT_ALLOWED: _("Not covered"),
    }
    return words[public_verdict(verdict)]


def outcome_word(outcome: str) -> str:
    """A few words for what became of a row."""
    words = {
        "assigned": _("Seat given"),
        "unchanged": _("Nothing to do"),
        "refused": _("No seat given"),
        "failed": _("Failed"),
        "pending": _("Under way"),
        "": _("Not yet done"),
    }
    return words[outcome]


def row_message(verdict: str, detail: Mapping[str, Any], problems: list[dict[str, str]]) -> str:
    """The sentence that explains a verdict, in the active language; the same for known and unknown addresses."""
    if verdict == Verdict.ALREADY_ENROLLED:
        if "ends" not in detail:  # a remote platform tells no dates of what others have done there
            return _("Already enrolled in this course: no seat is used.")
        ends = detail["ends"]
        if not ends:
            return _("Already enrolled in this course, with no end date: no seat is used.")
        day = format_day(datetime.fromisoformat(ends))
        return _("Already enrolled in this course until %(day)s: no seat is used.") % {"day": day}
    if verdict == Verdict.DUPLICATE:
        return _("The same address is on row %(row)s: it counts once.") % {"row": detail["row"]}
    if verdict == Verdict.INVALID:
        return " ".join(str(problem.message) for problem in problems_of(problems))
    if verdict == Verdict.NO_SEAT:
        return _("There is no free seat left for this person.")
    if verdict == Verdict.NOT_ALLOWED:
        return _("Your free seats do not cover this course.")
    if "reason" in detail:
        return _("The course platform refused this person (%(reason)s): the seat is free again.") % {
            "reason": refusal_words(detail["reason"])
        }
    return _("A seat and a private mail.")


def problems_of(problems: list[dict[str, str]]) -> list[Problem]:
    """The problems a row has kept, with their field, code and message."""
    return [Problem(problem["field"], problem["code"]) for problem in problems]  # type: ignore[arg-type]
