"""Exports that a spreadsheet opens as they were meant."""

import csv
import io
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from common.csvsafe import neutralise, restore, write_csv
from common.listing import read_list


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+33 1 23",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1+1",
        "\u00a0@x",
        "＝1+1",
        '=HYPERLINK("http://x","y")',
    ],
)
def test_a_cell_that_would_be_calculated_is_neutralised(cell):
    assert neutralise(cell) == f"'{cell}"
    assert restore(neutralise(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["", "Zoë", "1+1", "a=b", "zoe@example.org", "'t Hooft", "12,50", "Jean-Paul"]
)
def test_any_other_cell_stays_as_it_is(cell):
    assert neutralise(cell) == cell
    assert restore(cell) == cell


@given(st.text())
def test_what_is_neutralised_can_be_restored(cell):
    assert restore(neutralise(cell)) == cell or cell.startswith("'")


def test_french_gets_semicolons_and_decimal_commas():
    data = write_csv(["Prénom", "Prix"], [["Zoë", Decimal("12.50")], [None, -3]], language="fr")
    assert data == "\ufeffPrénom;Prix\r\nZoë;12,50\r\n;-3\r\n".encode()


def test_english_gets_commas_and_points():
    data = write_csv(["Name", "Price"], [["a,b", Decimal("12.50")], ['say "x"', 1.5]], language="en")
    assert data == '\ufeffName,Price\r\n"a,b",12.50\r\n"say ""x""",1.5\r\n'.encode()


def test_without_a_language_the_active_one_is_used():
    with translation.override("en"):
        assert write_csv(["a", "b"], []) == b"\xef\xbb\xbfa,b\r\n"


def test_text_is_neutralised_in_headers_too_and_numbers_are_not():
    data = write_csv(["=a"], [["=1+1"], [-5], [Decimal("-5.5")], ["-5"]], language="en")
    assert data.decode("utf-8-sig").splitlines() == ["'=a", "'=1+1", "-5", "-5.5", "'-5"]


def test_an_exported_list_is_read_back_as_it_was():
    rows = [["=1+1", "D’Ambrosio; Noël", "noel@example.org"], ["-x", 'say "y"', "zoe@example.org"]]
    for language in ("fr", "en"):
        people = read_list(write_csv(["firstname", "lastname", "email"], rows, language=language))
        assert [[entry.firstname, entry.lastname, entry.email] for entry in people.rows] == rows


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4)))
def test_every_row_stays_one_row(rows):
    text = write_csv(["a", "b"], rows, language="fr").decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))) == len(rows) + 1
