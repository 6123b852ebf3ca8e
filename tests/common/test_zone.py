"""Days and instants in the seller's zone."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.zone import (
    DateRangeError,
    add_calendar_days,
    add_exact,
    day_end,
    day_start,
    format_day,
    format_instant,
    format_until,
    iso,
    parse_iso,
    seller_zone,
)

instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def test_the_zone_is_the_seller_s(settings):
    settings.SHOPSEATS_TIME_ZONE = "Indian/Reunion"
    assert str(seller_zone()) == "Indian/Reunion"
    assert iso(day_end(date(2027, 7, 31))) == "2027-08-01T00:00:00+04:00"
    del settings.SHOPSEATS_TIME_ZONE
    assert str(seller_zone()) == "Europe/Paris"


def test_a_day_ends_at_the_following_midnight():
    assert iso(day_end(date(2027, 7, 31))) == "2027-08-01T00:00:00+02:00"
    assert iso(day_end(date(2026, 12, 31))) == "2027-01-01T00:00:00+01:00"
    # The days on which the clock changes have 23 and 25 hours.
    assert day_end(date(2027, 3, 28)) - day_start(date(2027, 3, 28)) == timedelta(hours=23)
    assert day_end(date(2027, 10, 31)) - day_start(date(2027, 10, 31)) == timedelta(hours=25)


def test_instants_compare_as_instants_and_not_as_clocks():
    first, second = parse_iso("2027-10-31T02:30:00+02:00"), parse_iso("2027-10-31T02:30:00+01:00")
    assert second - first == timedelta(hours=1)
    assert first < second
    assert first == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert add_exact(first, hours=1) == second
    assert add_calendar_days(second, 0) == second


def test_a_day_without_midnight_begins_when_the_clock_has_jumped(settings):
    settings.SHOPSEATS_TIME_ZONE = "America/Sao_Paulo"
    assert iso(day_end(date(2018, 11, 3))) == "2018-11-04T01:00:00-02:00"


def test_180_days_of_24_hours_end_an_hour_later_on_the_summer_clock():
    assert iso(add_exact(parse_iso("2026-11-20T10:00:00+01:00"), days=180)) == "2027-05-19T11:00:00+02:00"
    assert iso(add_exact(parse_iso("2026-11-20T10:00"), days=7, hours=10)) == "2026-11-27T20:00:00+01:00"


def test_calendar_days_keep_the_time_on_the_clock():
    assert iso(add_calendar_days(parse_iso("2026-11-20T10:00"), 180)) == "2027-05-19T10:00:00+02:00"
    assert iso(add_calendar_days(parse_iso("2026-11-20T10:00"), 365)) == "2027-11-20T10:00:00+01:00"
    # The instant may be given in any zone; its clock is the seller's.
    assert (
        iso(add_calendar_days(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), 1)) == "2026-11-22T00:30:00+01:00"
    )


def test_a_time_that_the_clock_jumps_over_is_moved_past_the_jump():
    assert iso(add_calendar_days(parse_iso("2027-03-27T02:30"), 1)) == "2027-03-28T03:30:00+02:00"


def test_a_time_that_comes_twice_means_the_first():
    assert iso(add_calendar_days(parse_iso("2027-10-30T02:30"), 1)) == "2027-10-31T02:30:00+02:00"
    second = parse_iso("2027-10-31T02:30:00+01:00")
    assert add_calendar_days(second, 0) == second
    assert iso(second) == "2027-10-31T02:30:00+01:00"


@pytest.mark.parametrize("days", [10**6 * 4, -(10**6), 10**12])
def test_a_date_outside_the_calendar_is_refused(days):
    start = parse_iso("2026-11-20T10:00")
    with pytest.raises(DateRangeError):
        add_calendar_days(start, days)
    with pytest.raises(DateRangeError):
        add_exact(start, days=days)


def test_the_last_day_of_the_calendar_has_no_end():
    with pytest.raises(DateRangeError):
        day_end(date.max)
    with pytest.raises(DateRangeError):
        parse_iso("9999-12-31T23:30:00-12:00")


def test_a_naive_instant_is_refused():
    naive = datetime(2027, 1, 1)
    for use in (iso, format_day, format_instant, format_until, add_exact, lambda i: add_calendar_days(i, 1)):
        with pytest.raises(ValueError, match="without offset"):
            use(naive)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:00:00+01:00", "2026-11-20T10:00:00+01:00"),
        ("2026-11-20T09:00:00Z", "2026-11-20T10:00:00+01:00"),
        (" 2026-11-20 10:00 ", "2026-11-20T10:00:00+01:00"),
        ("2027-07-31", "2027-07-31T00:00:00+02:00"),
        ("2027-03-28T02:30", "2027-03-28T03:30:00+02:00"),
        ("2026-11-20T10:00:00.123456", "2026-11-20T10:00:00.123456+01:00"),
    ],
)
def test_iso_texts_are_read_on_the_seller_s_clock(text, expected):
    assert iso(parse_iso(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2027-13-01", "2027-02-30T10:00", "1790000000", "31/07/2027"]
)
def test_what_is_not_iso_is_refused(text):
    with pytest.raises(ValueError):
        parse_iso(text)


def test_no_instant_has_no_text():
    assert iso(None) is None


def test_days_read_as_people_write_them():
    assert format_day(date(2027, 7, 31), "fr") == "31 juillet 2027"
    assert format_day(date(2027, 7, 31), "en") == "31 July 2027"
    assert format_day(date(2027, 5, 1), "fr") == "1er mai 2027"
    assert format_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "fr") == "1er janvier 2027"
    assert format_day(date(2027, 7, 31), "en-us") == "31 July 2027"


def test_an_end_at_midnight_names_the_last_day_included():
    end = day_end(date(2027, 7, 31))
    assert format_until(end, "fr") == "jusqu’au 31 juillet 2027 inclus"
    assert format_until(end, "en") == "until 31 July 2027 inclusive"
    assert format_until(end.astimezone(timezone(timedelta(hours=-5))), "en") == "until 31 July 2027 inclusive"


def test_an_end_during_the_day_has_its_time():
    end = parse_iso("2027-05-19T11:00")
    assert format_until(end, "fr") == "jusqu’au 19 mai 2027 à 11\u00a0h\u00a000"
    assert format_until(end, "en") == "until 19 May 2027 at 11:00"
    assert format_until(parse_iso("2027-08-01T00:00:01"), "en") == "until 1 August 2027 at 00:00"


def test_instants_read_as_people_write_them():
    at = datetime(2027, 5, 19, 7, 5, tzinfo=UTC)
    assert format_instant(at, "fr") == "19 mai 2027 à 9\u00a0h\u00a005"
    assert format_instant(at, "en") == "19 May 2027 at 09:05"


def test_an_end_at_the_start_of_a_day_without_midnight_names_the_day_before(settings):
    settings.SHOPSEATS_TIME_ZONE = "America/Sao_Paulo"
    assert format_until(day_end(date(2018, 11, 3)), "en") == "until 3 November 2018 inclusive"


@given(instants)
def test_iso_texts_survive_the_way_there_and_back(instant):
    text = iso(instant)
    assert text is not None
    assert parse_iso(text) == instant


@given(instants, st.integers(-2000, 2000))
def test_exact_days_are_24_hours_and_calendar_days_at_most_a_change_of_the_clock_away(instant, days):
    exact = add_exact(instant, days=days)
    assert exact - instant == timedelta(days=days)
    assert abs(add_calendar_days(instant, days) - exact) <= timedelta(hours=1)
