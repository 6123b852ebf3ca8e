"""What the page of a course space says: `{% load spaces %}`."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from common.zone import format_until, parse_iso
from courses.models import ProductEvent, SpaceChangePerson
from courses.wording import refusal_words
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
def why_refused(row: SpaceChangePerson) -> str:
    """Why the course platform would not."""
    return _("the time of the course space was over") if row.code == OVER else refusal_words(row.code)
