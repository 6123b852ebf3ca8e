"""What the pages of seats say again and again: `{% load seats %}`."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from courses.builtin.roles import ROLES
from seats import seatrow
from seats.models import AssignmentRow, Verdict
from seats.seatrow import SeatCounts
from seats.selectors import Change, HistoryEntry, PoolCounts
from seats.selectors.people import Step
from seats.views import words
from seats.wording import WILL_BE_INVITED, outcome_word, verdict_word

register = template.Library()

# The marks of the seat row say what a verdict does to a seat: half is going to be given, filled is in the course
# already, a ring is still wanted, hatched is left out.
_MARK_OF_VERDICT: dict[str, str] = {
    WILL_BE_INVITED: "invited",
    Verdict.ALREADY_ENROLLED: "in_use",
    Verdict.DUPLICATE: "ended",
    Verdict.NO_SEAT: "free",
    Verdict.NOT_ALLOWED: "ended",
}
_MARK_OF_OUTCOME: dict[str, str] = {
    AssignmentRow.Outcome.ASSIGNED: "invited",
    AssignmentRow.Outcome.UNCHANGED: "in_use",
    AssignmentRow.Outcome.REFUSED: "ended",
    AssignmentRow.Outcome.FAILED: "ended",
    AssignmentRow.Outcome.PENDING: "free",
}
_MARKED = '<span class="seat-state verdict verdict--{}">{}{}</span>'
_WRONG = '<span class="verdict__wrong" aria-hidden="true">!</span>'


@register.simple_tag
def verdict(name: str) -> SafeString:
    """A public verdict: its mark and its words."""
    mark = _MARK_OF_VERDICT.get(name)
    drawn = seatrow.mark_svg(mark) if mark else SafeString(_WRONG)
    return format_html(_MARKED, name, drawn, verdict_word(name))


@register.simple_tag
def outcome(name: str) -> SafeString:
    """What became of a row: its mark and its words."""
    return format_html(
        _MARKED, name, seatrow.mark_svg(_MARK_OF_OUTCOME.get(name, "free")), outcome_word(name)
    )


@register.simple_tag
def sitting_row(counts: SeatCounts, scale: float = 1) -> SafeString:
    """Who sits in a course, and beside them the seats that may still be given there, if `counts` has any.

    Not the row of a pool: what was bought is for several courses, and is not said here.
    """
    parts = []
    if counts.in_use:
        parts.append(
            ngettext("%(count)s in use", "%(count)s in use", counts.in_use) % {"count": counts.in_use}
        )
    if counts.invited:
        parts.append(
            ngettext("%(count)s invited", "%(count)s invited", counts.invited) % {"count": counts.invited}
        )
    if counts.free:
        parts.append(ngettext("%(count)s free", "%(count)s free", counts.free) % {"count": counts.free})
    if counts.ended:
        parts.append(ngettext("%(count)s ended", "%(count)s ended", counts.ended) % {"count": counts.ended})
    label = " · ".join(parts)
    return format_html(
        '<span class="seat-row">{}<span class="seat-row__words" aria-hidden="true">{}</span></span>',
        seatrow.svg(counts, label=label, scale=scale),
        format_html_join(" · ", "<span>{}</span>", ((part,) for part in parts)),
    )


@register.filter
def terms(pool: PoolCounts) -> list[str]:
    """Until when the seats of a pool may be given, and how long access lasts."""
    return words.pool_terms(pool)


@register.filter
def mail_word(state: str) -> str:
    """What became of a mail."""
    return words.mail_word(state)


@register.filter
def change_words(change: Change) -> str:
    """What is being changed about a seat, or what came of it."""
    say = words.change_words if change.is_open else words.change_done
    return say(change.kind, change.name, change.email)


@register.filter
def changing_word(kind: str) -> str:
    """What is being changed about a seat, in a few words."""
    return words.changing_word(kind)


@register.filter
def listed(names: list[str]) -> str:
    """Some names in a row, and how many more there are."""
    return words.listed(names)


@register.filter
def role_word(role: str) -> str:
    """A role of a list (learner or tutor) or of the platform."""
    known = ROLES.get(role)
    if known is not None:
        return str(known.label)
    return {"learner": _("Learner"), "tutor": _("Tutor")}.get(role, role)


@register.filter
def step_word(entry: HistoryEntry) -> str:
    """What happened to a seat, as its history says it."""
    name = entry.name or entry.email
    sentences = {
        (Step.MADE, ""): _("The seat was bought."),
        (Step.GIVEN, ""): _("Given to %(name)s"),
        (Step.OPENED, ""): _("%(name)s opened the course"),
        (Step.ENDED, "taken_back"): _("Taken back from %(name)s"),
        (Step.ENDED, "replaced"): _("%(name)s was replaced"),
        (Step.ENDED, "corrected"): _("The address of %(name)s was corrected"),
        (Step.ENDED, "expired"): _("The access of %(name)s ended"),
        (Step.ENDED, "withdrawn"): _("Withdrawn from %(name)s"),
        (Step.ENDED, "failed"): _("The course platform refused %(name)s"),
        (Step.EXPIRED, ""): _("The seat expired."),
        (Step.KEPT, ""): _("Nobody had the seat in time: it may be given for as long again"),
        (Step.TO_CREDIT, ""): _("The shop was told to credit the seat."),
        (Step.COURSES, ""): _("The seat is good for other courses"),
        (Step.EXTENDED, ""): _("The access was extended"),
        (Step.WITHDRAWN, ""): _("The seat was withdrawn."),
        (Step.RESTORED, ""): _("The seat was given back."),
    }
    return sentences[entry.step, entry.reason] % {"name": name}


@register.filter
def given_word(state: str) -> str:
    """The state of something given to a person: that of a seat, or that it was taken away."""
    return pgettext("seat", "taken back") if state == "ended" else seatrow.state_word(state)


@register.filter
def given_mark(state: str) -> SafeString:
    """The mark of something given to a person."""
    return seatrow.mark_svg("ended" if state == "ended" else seatrow.KIND_OF_STATE[state])
