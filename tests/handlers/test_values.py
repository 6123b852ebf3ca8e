"""The parameter language: numbers, flags, roles and dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from handlers.buycourse.forms import BuyCourseParams
from handlers.extendenrolperiod.forms import ExtendParams
from handlers.generateseats.forms import GenerateSeatsParams
from handlers.moments import Day, Relative, Time, Timestamp
from tests.handlers.reading import errors, value


@pytest.mark.parametrize(
    "raw",
    [
        "0",
        "-5",
        "12.5",
        "1e3",
        "1,5",
        "36501",
        "99999999999999999999",
        "5 jours",
        "٣",
        "１２",
        "%2B5",
        "0x10",
    ],
)
def test_a_duration_is_a_whole_number_of_days_from_1_to_36500(raw: str) -> None:
    message = "Write a whole number of days from 1 to 36500."
    assert errors(f"coursename=SCI&duration={raw}") == [("duration", message)]
    assert errors(f"validity={raw}", GenerateSeatsParams) == [("validity", message)]
    assert errors(f"coursecategory=1&duration={raw}", BuyCourseParams) == [("duration", message)]
    assert errors(f"extension={raw}", ExtendParams) == [("extension", message)]


@pytest.mark.parametrize("raw", ["0", "-1", "1.0", "1000001", "ten"])
def test_a_pack_has_from_1_to_1000000_seats(raw: str) -> None:
    assert errors(f"packsize={raw}", GenerateSeatsParams) == [
        ("packsize", "Write a whole number from 1 to 1000000.")
    ]


def test_the_extremes_of_numbers_are_accepted() -> None:
    assert value("packsize=1000000", "packsize", GenerateSeatsParams) == 1_000_000
    assert value("duration=36500", "duration", GenerateSeatsParams) == 36_500
    assert value("coursecategory=999999999", "coursecategory", BuyCourseParams) == 999_999_999


@pytest.mark.parametrize("raw", ["1", "yes", "TRUE", "oui", "on"])
def test_a_flag_that_is_set(raw: str) -> None:
    assert value(f"coursename=SCI&autoenrolsupervisor={raw}", "autoenrolsupervisor") is True


@pytest.mark.parametrize("raw", ["0", "no", "False", "non", "off", ""])
def test_a_flag_that_is_not_set(raw: str) -> None:
    assert value(f"coursename=SCI&autoenrolsupervisor={raw}", "autoenrolsupervisor") is False


def test_a_flag_is_yes_or_no() -> None:
    assert errors("coursename=SCI&autoenrolsupervisor=maybe") == [
        ("autoenrolsupervisor", "Write 1 for yes or 0 for no.")
    ]


@pytest.mark.parametrize(
    ("raw", "roles"),
    [
        ("learner", ("learner",)),
        ("tutor", ("tutor",)),
        ("tutor,learner", ("learner", "tutor")),
        ("student,supervisor", ("learner", "tutor")),
        ("Learner, ", ("learner",)),
    ],
)
def test_the_roles_offered(raw: str, roles: Any) -> None:
    assert value(f"coursename=SCI&requiredroles={raw}", "requiredroles") == roles


@pytest.mark.parametrize("raw", ["manager", "learner,manager", ","])
def test_other_roles_cannot_be_offered(raw: str) -> None:
    assert errors(f"coursename=SCI&requiredroles={raw}") == [
        ("requiredroles", "The roles are learner and tutor, comma separated.")
    ]


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("1798761600", Timestamp(1_798_761_600)),
        ("2027-07-31", Day(date(2027, 7, 31))),
        ("2027-07-31T18:00", Time(datetime(2027, 7, 31, 18))),
        ("2027-07-31 18:00:30", Time(datetime(2027, 7, 31, 18, 0, 30))),
        ("2027-07-31+18:00", Time(datetime(2027, 7, 31, 18))),
        ("2027-07-31t18:00:00.5", Time(datetime(2027, 7, 31, 18, 0, 0, 500_000))),
        ("2027-07-31T18:00Z", Time(datetime(2027, 7, 31, 18, tzinfo=UTC))),
        ("2027-07-31T18:00+02:00", Time(datetime(2027, 7, 31, 18, tzinfo=timezone(timedelta(hours=2))))),
        ("2027-07-31T18:00%2B0200", Time(datetime(2027, 7, 31, 18, tzinfo=timezone(timedelta(hours=2))))),
        ("2027-07-31T18:00-05:00", Time(datetime(2027, 7, 31, 18, tzinfo=timezone(timedelta(hours=-5))))),
        ("+7D +10H", Relative(178)),
        ("%2B7D%20%2B10H", Relative(178)),
        ("%2B7D%2B10H", Relative(178)),
        ("7D+10H", Relative(178)),
        ("+10H +7D", Relative(178)),
        ("7d10h", Relative(178)),
        ("+ 7 D", Relative(168)),
        ("+7D +7D", Relative(336)),
        ("+0D +1H", Relative(1)),
        ("+36500D", Relative(876_000)),
    ],
)
def test_the_forms_of_an_end(raw: str, moment: Any) -> None:
    assert value(f"coursename=SCI&endtime={raw}", "endtime") == moment


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("31/07/2027", "Dates are written with the year first: 2027-07-31."),
        ("31.7.2027", "Dates are written with the year first: 2027-07-31."),
        ("2027-02-30", "There is no such date or time. Dates are written like 2027-07-31."),
        ("2027-07-31T25:00", "There is no such date or time. Dates are written like 2027-07-31."),
        ("2027-13-01", "There is no such date or time. Dates are written like 2027-07-31."),
        ("1798761600000", "This timestamp is in milliseconds; in seconds it is 1798761600."),
        (
            "20270731",
            "This number is no timestamp in seconds of the year 2000 or later. A date is written like 2027-07-31.",
        ),
        (
            "-1798761600",
            "This number is no timestamp in seconds of the year 2000 or later. A date is written like 2027-07-31.",
        ),
        (
            "0",
            "This number is no timestamp in seconds of the year 2000 or later. A date is written like 2027-07-31.",
        ),
        (
            "9" * 60,
            "This number is no timestamp in seconds of the year 2000 or later. A date is written like 2027-07-31.",
        ),
        ("9999-12-31", "The year must lie between 2000 and 9998. Leave an end out if there is none."),
        ("1027-07-31", "The year must lie between 2000 and 9998. Leave an end out if there is none."),
        ("+0D", "The end must be after the start: more than 0 days and hours."),
        ("+0D +0H", "The end must be after the start: more than 0 days and hours."),
        ("+999999999D", "At most 36500 days. Leave the end out if there is none."),
        ("+876001H", "At most 36500 days. Leave the end out if there is none."),
    ],
)
def test_an_end_that_is_no_date_says_what_to_write(raw: str, message: str) -> None:
    assert errors(f"coursename=SCI&endtime={raw}") == [("endtime", message)]


@pytest.mark.parametrize(
    "raw",
    [
        "tomorrow",
        "-7D",
        "+7W",
        "+D",
        "7",
        "+7D 10",
        "99/99/2027",
        "2027-7-31",
        "2027",
        "2027-W31-1",
        "+9999999999D",
    ],
)
def test_anything_else_is_no_end(raw: str) -> None:
    assert [key for key, _ in errors(f"coursename=SCI&endtime={raw}")] == ["endtime"]


def test_only_an_end_can_be_relative() -> None:
    assert errors("coursename=SCI&starttime=%2B7D") == [
        ("starttime", "Only an end can be relative. Write a date like 2027-01-04.")
    ]


def test_generateseats_has_no_start() -> None:
    assert [key for key, _ in errors("starttime=2027-01-04", GenerateSeatsParams)] == ["starttime"]
