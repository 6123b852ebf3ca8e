"""Pastes of addresses."""

import pytest

from common.listing import Problem, read_list


def people(data: str) -> list[tuple[str, str, str]]:
    return [(entry.email, entry.firstname, entry.lastname) for entry in read_list(data).rows]


ANN = ("ann@example.org", "Ann", "Lee")
JO = ("jo@example.org", "Jo", "Roe")


@pytest.mark.parametrize(
    "paste",
    [
        "Ann Lee <ann@example.org>; Jo Roe <jo@example.org>",
        "Ann Lee <ann@example.org>, Jo Roe <jo@example.org>",
        "Ann Lee <ann@example.org>\nJo Roe <jo@example.org>\n",
        "Ann Lee <ann@example.org>;\r\nJo Roe <jo@example.org>;",
        "Ann Lee <ann@example.org> Jo Roe <jo@example.org>",
        "Lee, Ann <ann@example.org>; Roe, Jo <jo@example.org>",
        "Lee, Ann <ann@example.org>, Roe, Jo <jo@example.org>",
        "\"Lee, Ann\" <ann@example.org>, 'Jo Roe' <jo@example.org>",
        '"Lee; Ann" <ann@example.org>'.replace("; ", ", ") + "\tJo Roe<jo@example.org>",
        "À : Ann Lee <mailto:ann@example.org>; Jo Roe <JO@example.org>".replace("JO@", "jo@"),
        "Ann Lee ann@example.org\nJo Roe jo@example.org",
        "Ann Lee - ann@example.org\nJo Roe : jo@example.org.",
        "ann@example.org Ann Lee\njo@example.org (Jo Roe)",
        "Ann Lee (ann@example.org); Jo Roe (jo@example.org)",
        "Ann Lee <ann@example.org> (ACME)\n\n  \nJo Roe <jo@example.org>",
    ],
)
def test_names_and_addresses_as_mail_programs_and_people_write_them(paste):
    assert people(paste) == [ANN, JO]


@pytest.mark.parametrize(
    "paste",
    [
        "ann@example.org; jo@example.org",
        "ann@example.org,jo@example.org,",
        "ann@example.org jo@example.org",
        "ann@example.org\n\njo@example.org",
        "<ann@example.org>, <jo@example.org>",
        "'ann@example.org' <ann@example.org>; jo@example.org <jo@example.org>",
        "\u200bann@example.org\u2028jo@example.org\u00a0",
    ],
)
def test_bare_addresses(paste):
    assert people(paste) == [("ann@example.org", "", ""), ("jo@example.org", "", "")]


def test_a_mixture_loses_nobody():
    paste = "a@example.org b@example.org, c@example.org\nLee, Ann <ann@example.org>, d@example.org; e@@example.org"
    assert [email for email, _first, _last in people(paste)] == [
        "a@example.org",
        "b@example.org",
        "c@example.org",
        "ann@example.org",
        "d@example.org",
        "e@@example.org",
    ]


def test_without_a_comma_the_first_word_is_the_first_name_whatever_its_case():
    assert people(
        "LEE Ann <ann@example.org>; Jean-Pierre de La Tour <jp@example.org>; Cher <c@example.org>"
    ) == [
        ("ann@example.org", "LEE", "Ann"),
        ("jp@example.org", "Jean-Pierre", "de La Tour"),
        ("c@example.org", "Cher", ""),
    ]


def test_somebody_without_an_address_stays_as_a_row_to_correct():
    rows = read_list("Ann Lee; Jo Roe <jo@example.org>; Max <>").rows
    assert [(row.row, row.email, row.firstname, row.problems) for row in rows] == [
        (1, "", "Ann", (Problem("email", "missing"),)),
        (2, "jo@example.org", "Jo", ()),
        (3, "", "Max", (Problem("email", "missing"),)),
    ]
