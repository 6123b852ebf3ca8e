"""What the page of a course space says: `{% load spaces %}`."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from common.zone import format_until, parse_iso
from courses.models import ProductEvent

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
