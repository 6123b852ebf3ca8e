"""Instants and days in the seller's zone (`SHOPSEATS_TIME_ZONE`).

A day of the calendar and 24 hours differ twice a year: `add_calendar_days` keeps the time on the clock,
`add_exact` counts hours. A wall-clock time that does not exist (the clock jumps over it) is moved forward by the
jump; one that exists twice means its first occurrence.

Instants come back with the fixed offset that the zone has at that moment. Two datetimes of one ZoneInfo would be
compared and subtracted by their clocks, which is wrong over a change of the clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from django.conf import settings

from common.languages import is_french, locale_for


class DateRangeError(ValueError):
    """A date outside the calendar (the years 1 to 9999)."""


def seller_zone() -> ZoneInfo:
    """The zone in which the seller's days begin and end."""
    return ZoneInfo(getattr(settings, "SHOPSEATS_TIME_ZONE", "Europe/Paris"))


# --- arithmetic ---------------------------------------------------------------------------------


# Everything is meant in the seller's zone unless another one is given.


def day_start(day: date, zone: ZoneInfo | None = None) -> datetime:
    """The first instant of the day: midnight, or what follows where the clock jumps over midnight."""
    return on_the_clock(datetime.combine(day, time()), zone)


def day_end(day: date, zone: ZoneInfo | None = None) -> datetime:
    """The instant at which the day is over: the following midnight. Raises DateRangeError."""
    try:
        return day_start(day + timedelta(days=1), zone)
    except OverflowError as error:
        raise DateRangeError("The date is outside the calendar.") from error


def add_calendar_days(instant: datetime, days: int, zone: ZoneInfo | None = None) -> datetime:
    """The same time on the clock, so many days of the calendar later (or earlier).

    Raises DateRangeError, and ValueError for a naive instant.
    """
    if days == 0:
        return _in_zone(instant, zone)
    try:
        return on_the_clock(_in_zone(instant, zone).replace(tzinfo=None) + timedelta(days=days), zone)
    except OverflowError as error:
        raise DateRangeError("The date is outside the calendar.") from error


def add_exact(instant: datetime, *, days: int = 0, hours: int = 0, zone: ZoneInfo | None = None) -> datetime:
    """So many days of 24 hours and hours later (or earlier).

    Raises DateRangeError, and ValueError for a naive instant.
    """
    try:
        return _in_zone(_in_zone(instant).astimezone(UTC) + timedelta(days=days, hours=hours), zone)
    except OverflowError as error:
        raise DateRangeError("The date is outside the calendar.") from error


def _in_zone(instant: datetime, zone: ZoneInfo | None = None) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"An instant without offset: {instant.isoformat()}")
    try:
        local = instant.astimezone(zone or seller_zone())
        return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()), fold=0)
    except OverflowError as error:
        raise DateRangeError("The date is outside the calendar.") from error


def on_the_clock(naive: datetime, zone: ZoneInfo | None = None) -> datetime:
    """The instant at which the clock shows this time. Raises DateRangeError."""
    try:
        # By way of UTC: where the time does not exist, the offset before the jump moves it past the jump.
        return _in_zone(naive.replace(tzinfo=zone or seller_zone(), fold=0).astimezone(UTC), zone)
    except OverflowError as error:
        raise DateRangeError("The date is outside the calendar.") from error


# --- ISO 8601 -----------------------------------------------------------------------------------


def iso(instant: datetime | None) -> str | None:
    """ISO 8601 with the seller's offset, such as 2027-05-19T11:00:00+02:00; None stays None."""
    return None if instant is None else _in_zone(instant).isoformat()


def parse_iso(text: str) -> datetime:
    """The instant of an ISO 8601 text; without an offset it is read on the seller's clock, a date as its midnight.

    Raises ValueError (DateRangeError where only its offset leads out of the calendar).
    """
    value = datetime.fromisoformat(text.strip())
    return on_the_clock(value) if value.tzinfo is None else _in_zone(value)


# --- for the reader -----------------------------------------------------------------------------
# Like the patterns of CLDR these belong to the locale, not to the catalogue of messages.


class _Patterns(NamedTuple):
    clock: str
    instant: str
    until_day: str
    until_instant: str


# "11 h 00" may not be torn apart at the end of a line: its spaces are no-break spaces.
_FRENCH = _Patterns(
    "H\u00a0'h'\u00a0mm", "{day} à {clock}", "jusqu’au {day} inclus", "jusqu’au {day} à {clock}"
)
_ENGLISH = _Patterns("HH:mm", "{day} at {clock}", "until {day} inclusive", "until {day} at {clock}")


def format_day(value: date | datetime, language: str | None = None) -> str:
    """The day: "31 juillet 2027" or "31 July 2027" ("1er mai 2027" for a first); an instant's in the seller's zone.

    Without a language the active one is used.
    """
    day = _in_zone(value).date() if isinstance(value, datetime) else value
    if is_french(language) and day.day == 1:
        return format_date(day, "d'er' MMMM y", locale=locale_for(language))
    return format_date(day, "d MMMM y", locale=locale_for(language))


def format_instant(instant: datetime, language: str | None = None) -> str:
    """Day and time: "19 mai 2027 à 11 h 00" (U+00A0 around the h) or "19 May 2027 at 11:00"."""
    return _patterns(language).instant.format(
        day=format_day(instant, language), clock=_format_clock(instant, language)
    )


def format_until(end: datetime, language: str | None = None) -> str:
    """How long something lasts that ends at this instant.

    An end at the start of a day names the day before, the last one included: "jusqu’au 31 juillet 2027 inclus" or
    "until 31 July 2027 inclusive". Any other end has its time: "until 19 May 2027 at 11:00".
    """
    patterns = _patterns(language)
    day = _in_zone(end).date()
    if _in_zone(end) == day_start(day) and day > date.min:
        return patterns.until_day.format(day=format_day(day - timedelta(days=1), language))
    return patterns.until_instant.format(day=format_day(end, language), clock=_format_clock(end, language))


def _patterns(language: str | None) -> _Patterns:
    return _FRENCH if is_french(language) else _ENGLISH


def _format_clock(instant: datetime, language: str | None) -> str:
    local = _in_zone(instant).replace(tzinfo=None)
    return format_time(local.time(), _patterns(language).clock, locale=locale_for(language))
