"""Dates and periods of the parameter language.

A value of `starttime` or `endtime` is kept as it was meant (a timestamp, a day, a local time, a distance from the
start) and only becomes an instant when a purchase gives it one. The zone is always the seller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from common.zone import DateRangeError, add_calendar_days, add_exact, day_end, day_start, on_the_clock

MAX_DAYS = 36_500
RENEWABLE_DAYS = 365
DAY = 86_400  # seconds: a day of the parameter language is 24 hours, whatever the clocks do

# Numbers outside these years are not dates of this shop: 20270731, milliseconds, 9999 for "never".
FIRST_YEAR, LAST_YEAR = 2000, 9998
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR))
_MILLISECONDS = 10**11

_NUMBER = re.compile(r"-?[0-9]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# After decoding, the + of an unencoded offset is a space.
_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)"
    r"(?P<offset>Z|[ +-][0-9]{2}:?[0-9]{2})?"
)
# Each space has one place to go, so that a long value cannot make the search slow.
_STEP = re.compile(r"(?:\+ ?)?([0-9]{1,9}) ?([DH])")
_RELATIVE = re.compile(rf"{_STEP.pattern}(?: ?{_STEP.pattern})*")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


class PeriodError(Exception):
    """A date that cannot be used. `key` is the parameter at fault ("" while a single value is read)."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.key = key


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Seconds since 1970, as the predecessor wrote dates."""

    seconds: int

    def __str__(self) -> str:
        return str(self.seconds)

    def as_start(self, zone: ZoneInfo) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC).astimezone(zone)

    def as_end(self, starts: datetime, zone: ZoneInfo) -> datetime:
        return self.as_start(zone)


@dataclass(frozen=True, slots=True)
class Day:
    """A date alone: it starts at its midnight and, as an end, is included."""

    day: date

    def __str__(self) -> str:
        return self.day.isoformat()

    def as_start(self, zone: ZoneInfo) -> datetime:
        return day_start(self.day, zone)

    def as_end(self, starts: datetime, zone: ZoneInfo) -> datetime:
        return day_end(self.day, zone)


@dataclass(frozen=True, slots=True)
class Time:
    """A date-time: on the seller's clock, or with an offset of its own.

    On the clock, a time that is skipped in spring is moved past the gap, and of a time that comes twice in autumn the
    first is meant.
    """

    at: datetime

    def __str__(self) -> str:
        return self.at.isoformat()

    def as_start(self, zone: ZoneInfo) -> datetime:
        return on_the_clock(self.at, zone) if self.at.tzinfo is None else self.at.astimezone(zone)

    def as_end(self, starts: datetime, zone: ZoneInfo) -> datetime:
        return self.as_start(zone)


@dataclass(frozen=True, slots=True)
class Relative:
    """A distance from the start, in days of 24 hours and hours."""

    hours: int

    def __str__(self) -> str:
        days, hours = divmod(self.hours, 24)
        return " ".join(f"+{number}{unit}" for number, unit in ((days, "D"), (hours, "H")) if number)

    @property
    def seconds(self) -> int:
        return self.hours * 3600

    def as_end(self, starts: datetime, zone: ZoneInfo) -> datetime:
        return add_exact(starts, hours=self.hours, zone=zone)


DateLike = TypeVar("DateLike", bound=date)
Moment = Timestamp | Day | Time | Relative
Start = Timestamp | Day | Time


@dataclass(frozen=True, slots=True)
class Period:
    """From `starts` to `ends` (None: without end), in the seller's zone."""

    starts: datetime
    ends: datetime | None


def read_moment(text: str) -> Moment:
    """Read a decoded value of a date parameter. Raises PeriodError, with what to write instead."""
    text = " ".join(text.upper().split())
    if _NUMBER.fullmatch(text):
        return _timestamp(text)
    if _RELATIVE.fullmatch(text):
        return _relative(text)
    try:
        if _DAY.fullmatch(text):
            return Day(_dated(date.fromisoformat(text)))
        if found := _TIME.fullmatch(text):
            offset = (found["offset"] or "").replace(" ", "+").replace("Z", "+00:00")
            return Time(_dated(datetime.fromisoformat(f"{found['day']}T{found['time']}{offset}")))
    except ValueError:
        raise PeriodError(_("There is no such date or time. Dates are written like 2027-07-31.")) from None
    raise PeriodError(_not_a_date(text))


def period(values: Mapping[str, Any], *, purchased_at: datetime, renewable: bool, zone: ZoneInfo) -> Period:
    """The period that typed parameters mean for one purchase.

    Reads `starttime`, `endtime` and `duration` (days) where the handler has them. Start: the purchase by default.
    End: `duration` or `endtime`; else, for a renewable item, the start + 365 calendar days at the same time on the
    clock (seed "Mise en place d'une formation", note 3); else none. Raises PeriodError with the key at fault when
    the period is empty or already over at the purchase.
    """
    start: Start | None = values.get("starttime")
    end: Moment | None = values.get("endtime")
    days: int | None = values.get("duration")
    if end is not None and days is not None:
        raise PeriodError(both_given(), "duration")
    starts = start.as_start(zone) if start else purchased_at.astimezone(zone)
    try:
        if days is not None:
            ends = add_exact(starts, days=days, zone=zone)
        elif end is not None:
            ends = end.as_end(starts, zone)
        elif renewable:
            ends = add_calendar_days(starts, RENEWABLE_DAYS, zone)
        else:
            return Period(starts, None)
    except DateRangeError:
        key = "duration" if days is not None else "endtime" if end is not None else "starttime"
        raise PeriodError(
            _("This ends after the year 9999. Leave the end out if there is none."), key
        ) from None
    if ends <= starts:
        raise PeriodError(
            _("The end (%(end)s) is not after the start (%(start)s).")
            % {"end": f"{ends:%Y-%m-%d %H:%M}", "start": f"{starts:%Y-%m-%d %H:%M}"},
            "endtime",
        )
    if ends <= purchased_at:
        key = "endtime" if end is not None else "duration" if days is not None else "starttime"
        raise PeriodError(
            _("This is already over at the purchase: it ends on %(end)s.")
            % {"end": f"{ends:%Y-%m-%d %H:%M}"},
            key,
        )
    return Period(starts, ends)


def both_given() -> str:
    """The error of a string that gives both `duration` and `endtime`."""
    return _("Give either duration or endtime, not both.")


def _dated(value: DateLike) -> DateLike:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PeriodError(
            _("The year must lie between %(first)s and %(last)s. Leave an end out if there is none.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return value


def _timestamp(text: str) -> Timestamp:
    # Python refuses to convert numbers of thousands of digits; no date has more than twenty.
    seconds = int(text) if len(text) <= 20 else _MILLISECONDS**2
    if _FIRST <= seconds < _LAST and seconds < _MILLISECONDS:
        return Timestamp(seconds)
    if _FIRST <= seconds // 1000 < _MILLISECONDS:
        raise PeriodError(
            _("This timestamp is in milliseconds; in seconds it is %(seconds)s.")
            % {"seconds": seconds // 1000}
        )
    raise PeriodError(
        _(
            "This number is no timestamp in seconds of the year 2000 or later. A date is written like 2027-07-31."
        )
    )


def _relative(text: str) -> Relative:
    hours = sum(int(number) * (24 if unit == "D" else 1) for number, unit in _STEP.findall(text))
    if hours <= 0:
        raise PeriodError(_("The end must be after the start: more than 0 days and hours."))
    if hours > MAX_DAYS * 24:
        raise PeriodError(
            _("At most %(days)s days. Leave the end out if there is none.") % {"days": MAX_DAYS}
        )
    return Relative(hours)


def _not_a_date(text: str) -> str:
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        try:
            return _("Dates are written with the year first: %(date)s.") % {"date": date(year, month, day)}
        except ValueError:
            pass
    return _(
        "Write a date like 2027-07-31, a date and time like 2027-07-31T18:00, a timestamp in seconds, or for an end "
        "the days and hours from the start like +7D +10H."
    )
