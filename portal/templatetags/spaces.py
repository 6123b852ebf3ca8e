"""What the page of a course space says: `{% load spaces %}`."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from common.zone import format_until, parse_iso
from courses.models import ProductEvent, SpaceChangePerson
from courses.platform import Refusal
from portal.services.space_changes import OVER

register = template.Library()


@register.filter
def event_words(event: ProductEvent) -> str:
    """What happened to a space, with its new end where there is one."""
    until = event.detail.get("until") or event.detail.get("ends")
    data = {"until": format_until(parse_iso(until)) if until else "", "order": event.detail.get("order", "")}
    sentences = {
        "bought": _("Bought with the order %(order)s, %(until)s"),
        "extended": _("Extended %(until)s"),
        "expired": _("The time was over: the course was closed"),
        "reopened": _("The course was opened again"),
        "withdrawn": _("The space was withdrawn"),
        "restored": _("The space was given back"),
    }
    return sentences.get(event.verb, event.verb) % data


@register.filter
def way_words(row: SpaceChangePerson) -> str:
    """What is happening to somebody who is on his way."""
    words = {
        "put": _("is being put into the course"),
        "take_out": _("is being taken out of the course"),
        "let_in": _("is being let in again"),
    }
    return words[row.change.verb]


@register.filter
def refusal_words(row: SpaceChangePerson) -> str:
    """Why the course platform would not."""
    words: dict[str, str] = {
        Refusal.FULL: _("the course is full"),
        Refusal.BAD_ADDRESS: _("the course platform does not take this address"),
        Refusal.LOGIN_SUSPENDED: _("the login on the course platform is closed"),
        Refusal.LOGIN_CLOSED: _("the login on the course platform is closed"),
        Refusal.LOGIN_UNCONFIRMED: _("the login on the course platform was never confirmed by its owner"),
        Refusal.LOGIN_TAKEN: _("the login on the course platform is somebody else’s"),
        Refusal.NO_ENROLMENTS: _("nobody can be enrolled in this course at the moment"),
        OVER: _("the time of the course space was over"),
    }
    return words.get(row.code) or _("the course platform refuses this (%(code)s)") % {"code": row.code}
