"""Periods: what parameters mean for one purchase, across clock changes and at the edges."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.moments import PeriodError
from handlers.params import parse, period
from handlers.setuponecoursesession.forms import SessionParams

PARIS = ZoneInfo("Europe/Paris")
PURCHASED = "2026-11-20T10:00:00+01:00"


def meant(
    params: str, *, at: str = PURCHASED, renewable: bool = False, zone: ZoneInfo = PARIS
) -> tuple[str, str | None]:
    parsed = parse(f"coursename=SCI&{params}", form=SessionParams)
    assert parsed.errors == ()
    found = period(parsed.values, purchased_at=datetime.fromisoformat(at), renewable=renewable, zone=zone)
    return found.starts.isoformat(), found.ends.isoformat() if found.ends else None


def refusal(params: str, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(PeriodError) as caught:
        meant(params, **kwargs)
    return caught.value.key, caught.value.message


# In 2027 the clocks of Paris go forward on 28 March at 2:00 and back on 31 October at 3:00.
@pytest.mark.parametrize(
    ("params", "starts", "ends"),
    [
        # A day is 24 hours, whatever the clocks do.
        ("starttime=2027-03-27T12:00&duration=1", "2027-03-27T12:00:00+01:00", "2027-03-28T13:00:00+02:00"),
        ("starttime=2027-10-30T12:00&duration=1", "2027-10-30T12:00:00+02:00", "2027-10-31T11:00:00+01:00"),
        (
            "starttime=2027-03-27T12:00&endtime=%2B1D",
            "2027-03-27T12:00:00+01:00",
            "2027-03-28T13:00:00+02:00",
        ),
        ("starttime=2027-10-31&endtime=%2B24H", "2027-10-31T00:00:00+02:00", "2027-10-31T23:00:00+01:00"),
        (
            "starttime=2027-03-28T01:30&endtime=%2B1H",
            "2027-03-28T01:30:00+01:00",
            "2027-03-28T03:30:00+02:00",
        ),
        # A date as an end includes that day, of 23 or 25 hours too.
        ("starttime=2027-03-28&endtime=2027-03-28", "2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00"),
        ("starttime=2027-10-31&endtime=2027-10-31", "2027-10-31T00:00:00+02:00", "2027-11-01T00:00:00+01:00"),
        # A time that does not exist is moved forward; of a time that comes twice the first is meant.
        ("starttime=2027-03-28T02:30", "2027-03-28T03:30:00+02:00", None),
        ("starttime=2027-10-31T02:30", "2027-10-31T02:30:00+02:00", None),
        # An offset of its own says which one.
        ("starttime=2027-10-31T02:30%2B01:00", "2027-10-31T02:30:00+01:00", None),
        ("starttime=2027-10-31T01:30Z", "2027-10-31T02:30:00+01:00", None),
    ],
)
def test_clock_changes(params: str, starts: str, ends: str | None) -> None:
    assert meant(params) == (starts, ends)


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-11-20T10:00:00+01:00", "2027-11-20T10:00:00+01:00"),
        ("2026-10-25T12:00:00+01:00", "2027-10-25T12:00:00+02:00"),
        ("2026-03-28T12:00:00+01:00", "2027-03-28T12:00:00+02:00"),
        # 365 calendar days are a day less than a year that has a 29 February.
        ("2027-03-01T09:00:00+01:00", "2028-02-29T09:00:00+01:00"),
        # 28 March 2027, 2:30 does not exist.
        ("2026-03-28T02:30:00+01:00", "2027-03-28T03:30:00+02:00"),
        # The instant of purchase may come in any offset: the clock is the seller's.
        ("2026-11-20T09:00:00+00:00", "2027-11-20T10:00:00+01:00"),
    ],
)
def test_a_renewable_item_without_an_end_ends_after_365_calendar_days(at: str, ends: str) -> None:
    assert meant("", at=at, renewable=True)[1] == ends
    assert meant("", at=at)[1] is None


def test_the_365_days_of_a_renewable_item_count_from_its_start() -> None:
    assert meant("starttime=2027-01-04", renewable=True) == (
        "2027-01-04T00:00:00+01:00",
        "2028-01-04T00:00:00+01:00",
    )


@pytest.mark.parametrize(
    ("params", "ends"),
    [
        ("duration=180", "2027-05-19T11:00:00+02:00"),
        ("endtime=%2B7D", "2026-11-27T10:00:00+01:00"),
        ("endtime=2027-07-31", "2027-08-01T00:00:00+02:00"),
    ],
)
def test_a_renewable_item_keeps_the_end_it_gives(params: str, ends: str) -> None:
    assert meant(params, renewable=True) == (PURCHASED, ends)


def test_dates_are_read_in_the_zone_of_the_seller() -> None:
    reunion = ZoneInfo("Indian/Reunion")
    assert meant("starttime=2027-01-04&endtime=2027-01-04", zone=reunion) == (
        "2027-01-04T00:00:00+04:00",
        "2027-01-05T00:00:00+04:00",
    )
    assert meant("starttime=1798761600", zone=reunion) == ("2027-01-01T04:00:00+04:00", None)


def test_a_midnight_that_does_not_exist_is_the_first_instant_of_the_day() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    assert meant("starttime=2027-03-28", zone=beirut)[0] == "2027-03-28T01:00:00+03:00"


def test_a_start_in_the_past_is_possible_while_the_end_is_to_come() -> None:
    assert meant("starttime=2026-09-01&endtime=2027-07-31") == (
        "2026-09-01T00:00:00+02:00",
        "2027-08-01T00:00:00+02:00",
    )


@pytest.mark.parametrize(
    ("params", "renewable", "key", "message"),
    [
        (
            "starttime=1798761600&endtime=1767225600",
            False,
            "endtime",
            "The end (2026-01-01 01:00) is not after the start (2027-01-01 01:00).",
        ),
        (
            "starttime=1798761600&endtime=1798761600",
            False,
            "endtime",
            "The end (2027-01-01 01:00) is not after the start (2027-01-01 01:00).",
        ),
        (
            "endtime=2026-11-19",
            False,
            "endtime",
            "The end (2026-11-20 00:00) is not after the start (2026-11-20 10:00).",
        ),
        (
            "starttime=2026-01-01&endtime=2026-02-01",
            False,
            "endtime",
            "This is already over at the purchase: it ends on 2026-02-02 00:00.",
        ),
        (
            "starttime=2026-01-01&duration=30",
            False,
            "duration",
            "This is already over at the purchase: it ends on 2026-01-31 00:00.",
        ),
        (
            "starttime=2020-01-01",
            True,
            "starttime",
            "This is already over at the purchase: it ends on 2020-12-31 00:00.",
        ),
        (
            "starttime=9998-12-31&duration=36500",
            False,
            "duration",
            "This ends after the year 9999. Leave the end out if there is none.",
        ),
        (
            "starttime=9998-12-31&endtime=%2B36500D",
            False,
            "endtime",
            "This ends after the year 9999. Leave the end out if there is none.",
        ),
    ],
)
def test_an_impossible_period_is_an_error_of_its_key(
    params: str, renewable: bool, key: str, message: str
) -> None:
    assert refusal(params, renewable=renewable) == (key, message)


def test_the_day_of_the_purchase_may_be_the_last_day() -> None:
    assert meant("endtime=2026-11-20") == (PURCHASED, "2026-11-21T00:00:00+01:00")


def test_the_last_year_is_9998() -> None:
    assert meant("endtime=9998-12-31") == (PURCHASED, "9999-01-01T00:00:00+01:00")
    assert meant("starttime=9998-12-31", renewable=True)[1] == "9999-12-31T00:00:00+01:00"


def test_duration_and_endtime_together_are_refused_even_if_no_form_has_checked() -> None:
    values = parse("coursename=SCI&duration=3", form=SessionParams).values
    with pytest.raises(PeriodError) as caught:
        period(
            {**values, "endtime": parse("coursename=SCI&endtime=7D", form=SessionParams).values["endtime"]},
            purchased_at=datetime.fromisoformat(PURCHASED),
            renewable=False,
            zone=PARIS,
        )
    assert caught.value.key == "duration"
