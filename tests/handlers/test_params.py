"""The parameter language: keys, escapes, values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from handlers.buycourse.forms import BuyCourseParams
from handlers.extendenrolperiod.forms import ExtendParams
from handlers.generateseats.forms import GenerateSeatsParams
from handlers.moments import Day
from handlers.params import ParamsForm, parse, serialise
from handlers.setuponecoursesession.forms import SessionParams
from tests.handlers.reading import errors, value

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
