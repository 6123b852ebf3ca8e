"""The paste box "from local_shop"."""

from __future__ import annotations

import pytest

from handlers.generateseats.forms import GenerateSeatsParams
from handlers.localshop import handler_name
from handlers.moments import Relative, Timestamp
from handlers.params import LocalShopPaste, from_local_shop, parse
from handlers.setuponecoursesession.forms import SessionParams


def test_a_string_of_today_passes_unchanged() -> None:
    string = "coursename=SCI&duration=180"
    assert from_local_shop(string) == LocalShopPaste(string, ())


def test_the_wildcard_of_its_database_becomes_ours() -> None:
    paste = from_local_shop("courselist=%ADV%,SPOC%")
    assert paste == LocalShopPaste(
        "courselist=*ADV*,SPOC*", ("% is the wildcard: courselist is *ADV*,SPOC*.",)
    )
    assert parse(paste.string, form=GenerateSeatsParams).values["courselist"] == ("*ADV*", "SPOC*")


def test_old_spellings_are_translated() -> None:
    paste = from_local_shop(
        "handler=std_setuponecourseession&coursename=SCI&enrol=manual&startdate=1798761600&enddate=+7D +10H"
    )
    assert paste.string == ("coursename=SCI&enrolname=manual&starttime=1798761600&endtime=%2B7D%20%2B10H")
    assert paste.handler == "setuponecoursesession"
    assert paste.notes == (
        "Automation: setuponecoursesession.",
        "enrol is called enrolname here.",
        "startdate is called starttime here.",
        "enddate is called endtime here.",
        "endtime is taken literally, as +7D +10H.",
    )
    values = parse(paste.string, form=SessionParams).values
    assert (values["starttime"], values["endtime"]) == (Timestamp(1_798_761_600), Relative(178))


@pytest.mark.parametrize(
    ("pasted", "name"), [("C++", "C++"), ("50%", "50%"), ("%41", "%41"), ("a=b", "a=b"), ("Été 2", "Été 2")]
)
def test_nothing_is_decoded(pasted: str, name: str) -> None:
    paste = from_local_shop(f"coursename={pasted}")
    parsed = parse(paste.string, form=SessionParams)
    assert parsed.errors == ()
    assert parsed.values["coursename"] == name


def test_zero_was_no_date() -> None:
    paste = from_local_shop("coursename=SCI&starttime=0&enddate=0")
    assert paste.string == "coursename=SCI"
    assert paste.notes == (
        "starttime=0 meant “no date”: left out.",
        "enddate is called endtime here.",
        "endtime=0 meant “no date”: left out.",
    )


def test_what_is_not_understood_is_left_for_the_errors() -> None:
    paste = from_local_shop("coursename=SCI&&duration&nothing=1&")
    assert paste == LocalShopPaste("coursename=SCI&duration&nothing=1", ())
    assert [error.key for error in parse(paste.string, form=SessionParams).errors] == ["duration", "nothing"]


def test_an_empty_paste_is_an_empty_string() -> None:
    assert from_local_shop(" ") == LocalShopPaste("", ())


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("std_generateseats", "generateseats"),
        ("generateseats", "generateseats"),
        ("std_createcourse", "buycourse"),
        ("std_prorogate", "extendenrolperiod"),
        ("std_extendenrolperiod", "extendenrolperiod"),
        ("std_setuponecoursesession", "setuponecoursesession"),
        ("something", "something"),
    ],
)
def test_handlers_of_the_predecessor_have_a_name_here(old: str, name: str) -> None:
    assert handler_name(old) == name
