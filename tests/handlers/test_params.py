"""The parameter language: keys, escapes, values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from django.utils import translation

from handlers.buycourse.forms import BuyCourseParams
from handlers.extendenrolperiod.forms import ExtendParams
from handlers.generateseats.forms import GenerateSeatsParams
from handlers.moments import Day, Relative, Time, Timestamp
from handlers.params import ParamsForm, parse, serialise
from handlers.setuponecoursesession.forms import SessionParams

SEAT_DEFAULTS = {
    "courselist": (),
    "supervisor": "teacher",
    "packsize": 1,
    "validity": None,
    "duration": None,
    "endtime": None,
    "customersupport": None,
}
SESSION_DEFAULTS = {
    "role": "student",
    "enrolname": "manual",
    "supervisor": "teacher",
    "requiredroles": ("learner", "tutor"),
    "autoenrolsupervisor": False,
    "starttime": None,
    "endtime": None,
    "duration": None,
    "customersupport": None,
}


def errors(string: str, form: type[ParamsForm] = SessionParams) -> list[tuple[str, str]]:
    parsed = parse(string, form=form)
    assert parsed.errors
    assert parsed.values == {}
    return [(error.key, error.message) for error in parsed.errors]


def value(string: str, key: str, form: type[ParamsForm] = SessionParams) -> Any:
    parsed = parse(string, form=form)
    assert parsed.errors == ()
    return parsed.values[key]


def test_what_is_not_given_has_its_default() -> None:
    assert parse("", form=GenerateSeatsParams).values == SEAT_DEFAULTS
    assert parse("coursename=SCI", form=SessionParams).values == {"coursename": "SCI", **SESSION_DEFAULTS}
    assert parse("coursecategory=3", form=BuyCourseParams).values == {
        "coursecategory": 3,
        "template": None,
        "duration": 365,
        "customersupport": None,
        "maxparticipants": None,
    }
    assert parse("extension=30", form=ExtendParams).values == {"extension": 30}


def test_an_empty_value_is_a_value_that_is_not_given() -> None:
    assert (
        parse("courselist=&packsize=&duration=&endtime=%20", form=GenerateSeatsParams).values == SEAT_DEFAULTS
    )
    assert errors("coursename=") == [("coursename", "This field is required.")]


@pytest.mark.parametrize(
    "string",
    [
        "coursename=SCI&&duration=180",
        "&coursename=SCI&duration=180&",
        " coursename = SCI & duration = 180 ",
        "coursename=SCI&\r\nduration=180\n",
        "duration=180&coursename=%53CI",
        "duration=0180&coursename=SCI%20",
    ],
)
def test_white_space_empty_pieces_and_the_order_do_not_matter(string: str) -> None:
    parsed = parse(string, form=SessionParams)
    assert parsed.values == {"coursename": "SCI", **SESSION_DEFAULTS, "duration": 180}
    assert serialise(parsed.values, form=SessionParams) == "coursename=SCI&duration=180"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("a=b=c", "a=b=c"),
        ("=SCI", "=SCI"),
        ("É%20té", "É té"),
        ("%C3%89t%C3%A9", "Été"),
        ("学習", "学習"),
        ("C%2B%2B", "C++"),
        ("50%25", "50%"),
        ("R%26D", "R&D"),
        ("%2541", "%41"),
        ("a;b#c?d/e", "a;b#c?d/e"),
    ],
)
def test_a_value_is_decoded_once(raw: str, name: str) -> None:
    assert value(f"coursename={raw}", "coursename") == name


@pytest.mark.parametrize(
    ("raw", "encoded"),
    [
        ("C++", "C%2B%2B"),
        ("Intro+SQL", "Intro%2BSQL"),
        ("C++%20avanc%C3%A9", "C%2B%2B%20avanc%C3%A9"),
    ],
)
def test_an_unencoded_plus_is_an_error_that_shows_the_encoded_form(raw: str, encoded: str) -> None:
    message = f"A + must be written %2B, and a space %20. If you mean the sign, write: {encoded}"
    assert errors(f"coursename={raw}") == [("coursename", message)]
    assert value(f"coursename={encoded}", "coursename").startswith(raw[:1])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("50%", "A % sign must be written %25. Write: 50%25"),
        ("%zz", "A % sign must be written %25. Write: %25zz"),
        ("%C3%A9%", "A % sign must be written %25. Write: %C3%A9%25"),
        ("%AD", "An escape in this value is not UTF-8. If the % sign itself is meant, write: %25AD"),
        ("caf%E9", "An escape in this value is not UTF-8. If the % sign itself is meant, write: caf%25E9"),
        (
            "%ED%A0%80",
            "An escape in this value is not UTF-8. If the % sign itself is meant, write: %25ED%25A0%2580",
        ),
        ("a%00b", "A line break or another control character cannot be part of a value."),
        ("a\x00b", "A line break or another control character cannot be part of a value."),
        ("a%0Ab", "A line break or another control character cannot be part of a value."),
        ("caf\udce9", "This is not UTF-8 text."),
    ],
)
def test_what_cannot_be_decoded_is_an_error_of_its_key(raw: str, message: str) -> None:
    assert errors(f"coursename={raw}&duration=3") == [("coursename", message)]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("SCI", ("SCI",)),
        ("SCI,MATH", ("SCI", "MATH")),
        (" SCI , MATH ,,", ("SCI", "MATH")),
        ("SCI%2CMATH", ("SCI", "MATH")),
        ("SCI,MATH,SCI", ("SCI", "MATH")),
        ("SPOC*", ("SPOC*",)),
        ("SPOC%", ("SPOC*",)),
        ("%25ADV%25", ("*ADV*",)),
        ("%,SCI", ("*", "SCI")),
        ("%%", ("*",)),
        ("%Zoo%", ("*Zoo*",)),
        ("%4", ("*4",)),
        ("C%2B%2B*", ("C++*",)),
        ("%C3%89t%C3%A9%", ("Été*",)),
        ("caf\u00e9", ("café",)),
    ],
)
def test_a_percent_sign_that_begins_no_escape_is_the_wildcard_of_courselist(raw: str, names: Any) -> None:
    assert value(f"courselist={raw}", "courselist", GenerateSeatsParams) == names


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            "%ADV%",
            "An escape in this value is not UTF-8. If % is the wildcard, write: %25ADV%25 or *ADV*",
        ),
        ("C++,SCI", "A + must be written %2B, and a space %20. If you mean the sign, write: C%2B%2B,SCI"),
        (",", "No course is named here. Leave it empty to allow every open course."),
        (" , %2C", "No course is named here. Leave it empty to allow every open course."),
    ],
)
def test_a_list_of_courses_that_cannot_be_read_is_an_error(raw: str, message: str) -> None:
    assert errors(f"courselist={raw}", GenerateSeatsParams) == [("courselist", message)]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("coursename=SCI&coursname=SCI", [("coursname", "Unknown parameter. Do you mean coursename?")]),
        ("coursename=SCI&enrol=manual", [("enrol", "Unknown parameter. Do you mean enrolname?")]),
        ("coursename=SCI&Duration=3", [("Duration", "Unknown parameter. Do you mean duration?")]),
        (
            "coursename=SCI&zzz=1",
            [
                (
                    "zzz",
                    (
                        "Unknown parameter. Known here: coursename, role, enrolname, supervisor, requiredroles, "
                        "autoenrolsupervisor, starttime, endtime, duration, customersupport."
                    ),
                )
            ],
        ),
        (
            "coursname=SCI",
            [
                ("coursname", "Unknown parameter. Do you mean coursename?"),
                ("coursename", "This field is required."),
            ],
        ),
        ("coursename=SCI&=x", [("params", "There is a value without a key: “=x”.")]),
        ("coursename=SCI&duration", [("duration", "Write a value: duration=…")]),
        ("coursename", [("coursename", "Write a value: coursename=…")]),
        ("coursename=SCI&coursename=SCI", [("coursename", "This parameter is given more than once.")]),
        ("coursename=SCI&duration=&duration=3", [("duration", "This parameter is given more than once.")]),
        (
            "coursename=SCI&enddate=2027-01-04&endtime=%2B7D",
            [("endtime", "This is another name of enddate, which is given as well.")],
        ),
    ],
)
def test_unknown_repeated_and_missing_keys_are_errors_with_the_key_named(
    string: str, expected: list[tuple[str, str]]
) -> None:
    assert errors(string) == expected


def test_a_key_that_cannot_be_printed_is_shown_without_its_bad_characters() -> None:
    assert [key for key, _ in errors("coursename=SCI&a\udce9\x00=1")] == ["a\ufffd\ufffd"]


def test_every_error_of_a_string_is_reported_at_once() -> None:
    assert [key for key, _ in errors("coursname=SCI&role=a+b&duration=x&endtime=y")] == [
        "coursname",
        "role",
        "coursename",
        "endtime",
        "duration",
    ]


def test_an_alias_is_the_same_key_and_its_errors_name_it_as_typed() -> None:
    parsed = parse("coursename=SCI&startdate=2027-01-04&enddate=2027-07-31", form=SessionParams)
    assert parsed.values["starttime"] == Day(date(2027, 1, 4))
    assert parsed.values["endtime"] == Day(date(2027, 7, 31))
    assert parsed.keys == {"coursename": "coursename", "starttime": "startdate", "endtime": "enddate"}
    assert serialise(parsed.values, form=SessionParams) == (
        "coursename=SCI&starttime=2027-01-04&endtime=2027-07-31"
    )
    (error,) = parse("coursename=SCI&enddate=soon", form=SessionParams).errors
    assert (error.key, error.field) == ("enddate", "endtime")


def test_an_alias_of_a_key_that_the_handler_has_not_is_unknown() -> None:
    assert [key for key, _ in errors("startdate=2027-01-04", GenerateSeatsParams)] == ["startdate"]


def test_a_string_that_is_too_long_is_one_error() -> None:
    assert errors("courselist=" + "A," * 10_000, GenerateSeatsParams) == [
        ("params", "This is longer than 20000 characters.")
    ]
    names = tuple(f"COURSE{number:04}" for number in range(1_200))
    assert value("courselist=" + ",".join(names), "courselist", GenerateSeatsParams) == names


def test_a_value_that_is_too_long_is_an_error_of_its_key() -> None:
    assert [key for key, _ in errors("coursename=" + "A" * 101)] == ["coursename"]
    assert [key for key, _ in errors("coursename=SCI&duration=" + "9" * 5000)] == ["duration"]
    assert [key for key, _ in errors("coursename=SCI&endtime=" + "9" * 5000)] == ["endtime"]


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


def test_messages_are_in_the_active_language() -> None:
    with translation.override("fr"):
        assert errors("coursename=") == [("coursename", "Ce champ est obligatoire.")]


@pytest.mark.parametrize(
    ("form", "string"),
    [
        (SessionParams, "coursename=C%2B%2B%20avanc%C3%A9&endtime=%2B7D%20%2B10H"),
        (SessionParams, "coursename=SCI&role=auditor&requiredroles=learner&autoenrolsupervisor=1"),
        (SessionParams, "coursename=SCI&starttime=2027-01-04T09:00:00&endtime=2027-07-31T18:00:00%2B02:00"),
        (SessionParams, "coursename=SCI&starttime=1798761600&duration=180"),
        (GenerateSeatsParams, "courselist=SPOC*,R%26D&packsize=10&validity=90&duration=30"),
        (BuyCourseParams, "coursecategory=3&template=MODEL&duration=30&maxparticipants=25"),
    ],
)
def test_a_canonical_string_stays_as_it_is(form: type[ParamsForm], string: str) -> None:
    parsed = parse(string, form=form)
    assert parsed.errors == ()
    assert serialise(parsed.values, form=form) == string


def test_a_default_that_is_written_out_is_left_out_of_the_canonical_string() -> None:
    parsed = parse(
        "coursename=SCI&role=student&autoenrolsupervisor=0&requiredroles=tutor,learner", form=SessionParams
    )
    assert serialise(parsed.values, form=SessionParams) == "coursename=SCI"
