"""The components of the design system that need logic; docs/design-system.md lists them all.

Pages write `{% load ui %}` and then `{% notice "waits" %}…{% endnotice %}`, `{% pager page %}` and so on. What
needs no logic (buttons, tables, lists of facts) is plain HTML with a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BaseFormSet
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

register = template.Library()

NOTICES = ("info", "waits", "success", "error")
LEVELS = {"debug": "info", "info": "info", "success": "success", "warning": "waits", "error": "error"}


@register.simple_block_tag
def capture(content: str) -> SafeString:
    """`{% capture as name %}…{% endcapture %}`: what is between, trimmed, for use in several places."""
    return mark_safe(content.strip())


# --- words to the reader ------------------------------------------------------------------------


@register.simple_block_tag
def notice(content: str, kind: str = "info", role: str = "") -> SafeString:
    """`{% notice "waits" %}…{% endnotice %}`; kinds: info, waits, success, error.

    `role="status"` or `"alert"` for what appears after the page was read.
    """
    if kind not in NOTICES:
        raise template.TemplateSyntaxError(f"A notice is one of {', '.join(NOTICES)}, not {kind!r}.")
    return format_html(
        '<div class="notice notice--{}"{}><div class="notice__text">{}</div></div>',
        kind,
        format_html(' role="{}"', role) if role else "",
        mark_safe(content),
    )


@register.filter
def notice_kind(level_tag: str) -> str:
    """The kind of notice for the level of a Django message."""
    return LEVELS.get(level_tag, "info")


@register.inclusion_tag("components/undo.html")
def undo(text: str, url: str, **fields: Any) -> dict[str, Any]:
    """What was just done, and a button that takes it back; other arguments are posted as hidden fields."""
    return {"text": text, "url": url, "fields": fields}


@register.inclusion_tag("components/progress.html")
def progress(done: int, total: int, label: str) -> dict[str, Any]:
    """A true percentage: how many of how many, never an estimate. 100 is said only when all is done."""
    percent = done * 100 // total if total else 100
    return {"done": done, "total": total, "label": label, "percent": min(percent, 100)}


# --- ways through -------------------------------------------------------------------------------


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any], parameter: str = "page") -> dict[str, Any]:
    """Previous, next and "page 2 of 9"; the rest of the query string is kept. Nothing for one page."""
    request = context["request"]
    return {
        "page": page,
        "previous": _query(request, {parameter: page.previous_page_number()}) if page.has_previous() else "",
        "next": _query(request, {parameter: page.next_page_number()}) if page.has_next() else "",
    }


@dataclass(frozen=True, slots=True)
class Way:
    """A link of a set of which one is where the reader is."""

    url: str
    label: str
    count: int | None
    current: bool


@register.inclusion_tag("components/chips.html", takes_context=True)
def chips(context: Context, parameter: str, choices: Iterable[Sequence[Any]], label: str) -> dict[str, Any]:
    """Filters as links. Choices are (value, label) or (value, label, count); the value "" is no filter.

    Choosing keeps the rest of the query string and goes back to the first page.
    """
    request = context["request"]
    chosen = request.GET.get(parameter, "")
    ways = [
        Way(
            url=_query(request, {parameter: choice[0] or None, "page": None}),
            label=choice[1],
            count=choice[2] if len(choice) > 2 else None,
            current=str(choice[0]) == chosen,
        )
        for choice in choices
    ]
    return {"ways": ways, "label": label}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def tabs(context: Context, items: Iterable[Sequence[Any]], label: str) -> dict[str, Any]:
    """Pages that belong together. Items are (url, label) or (url, label, count)."""
    path = context["request"].path
    ways = [
        Way(url=item[0], label=item[1], count=item[2] if len(item) > 2 else None, current=item[0] == path)
        for item in items
    ]
    return {"ways": ways, "label": label}


@register.inclusion_tag("components/steps.html")
def steps(items: Sequence[Sequence[str]], current: int) -> dict[str, Any]:
    """Where one is on a way of several pages. Items are (label, url); `current` counts from 1.

    Steps done link back; steps to come do not link.
    """
    numbered = [
        {
            "label": item[0],
            "url": item[1] if number < current else "",
            "state": "done" if number < current else "current" if number == current else "next",
        }
        for number, item in enumerate(items, start=1)
    ]
    return {"steps": numbered, "current": current, "total": len(numbered)}


def _query(request: HttpRequest, changes: dict[str, Any]) -> str:
    """The query string of the request with some values changed, or removed by None."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}" if query else request.path


# --- forms --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing to correct: the message, the name of its field, and where that field is."""

    message: str
    label: str = ""
    target: str = ""


@register.inclusion_tag("components/form_errors.html")
def form_errors(*forms: BaseForm | BaseFormSet[Any]) -> dict[str, Any]:
    """The errors of forms and formsets, summed up with links to the fields; app.js puts the focus there."""
    return {"corrections": [correction for form in forms for correction in _corrections(form)]}


@register.inclusion_tag("components/rows.html")
def entry_rows(formset: BaseFormSet[Any], caption: str, add: str = "") -> dict[str, Any]:
    """A formset as rows of a table (cards on phones); with JavaScript a button, named `add`, adds a row."""
    return {"formset": formset, "caption": caption, "add": add or gettext("Add a row")}


@register.filter
def error_target(field: BoundField) -> str:
    """The id of the element to go to for a field: the first choice where there is a group of them."""
    return f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label


def _corrections(form: BaseForm | BaseFormSet[Any]) -> Iterator[Correction]:
    if isinstance(form, BaseFormSet):
        for message in form.non_form_errors():
            yield Correction(str(message))
        for number, row in enumerate(form.forms, start=1):
            for correction in _corrections(row):
                label = gettext("Row %(number)s") % {"number": number}
                yield Correction(
                    correction.message,
                    f"{label}, {correction.label}" if correction.label else label,
                    correction.target,
                )
        return
    for message in form.non_field_errors():
        yield Correction(str(message))
    for field in form:
        for message in field.errors:
            if field.is_hidden:
                yield Correction(str(message))
            else:
                yield Correction(str(message), str(field.label), error_target(field))
