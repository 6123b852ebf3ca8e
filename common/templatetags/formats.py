"""Amounts, days and instants in the language of the page: `{% load formats %}`.

Nothing is shown for None, and for a name the template does not know.
"""

from __future__ import annotations

from datetime import date, datetime

from django import template

from common import money as amounts
from common import typography, zone
from common.languages import is_french

register = template.Library()


@register.filter
def money(minor: int | str | None, currency: str) -> str:
    """`{{ total|money:currency }}`: an amount in minor units as text, such as €1,234.50."""
    return amounts.format_money(minor, currency) if isinstance(minor, int) else ""


@register.filter
def day(value: date | str | None) -> str:
    """`{{ starts|day }}`: 31 July 2027."""
    return zone.format_day(value) if isinstance(value, date) else ""


@register.filter
def until(end: datetime | str | None) -> str:
    """`{{ ends|until }}`: until 31 July 2027 inclusive."""
    return zone.format_until(end) if isinstance(end, datetime) else ""


@register.filter
def instant(value: datetime | str | None) -> str:
    """`{{ started|instant }}`: 19 May 2027 at 11:00."""
    return zone.format_instant(value) if isinstance(value, datetime) else ""


@register.filter(is_safe=True)
def typo(text: object) -> str:
    """`{{ description|typo }}`: French spaces in a text somebody typed, when the page is in French."""
    return typography.french_spaces(str(text)) if is_french() else str(text)
