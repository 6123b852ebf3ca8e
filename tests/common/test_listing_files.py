"""Lists as programs save them: the three files people sent, encodings, and what is no list."""

import codecs
import contextlib
from pathlib import Path
from typing import Any

import pytest

from common.listing import ListError, PersonEntry, Problem, read_list

DATA = Path(__file__).resolve().parents[1] / "data"

SAME_SEVEN = (
    PersonEntry(1, "elodie.lefevre@example.org", "Élodie", "Lefèvre", "learner"),
    PersonEntry(2, "Noel.DAmbrosio@Example.org", "Noël", "D’Ambrosio", "learner"),
    PersonEntry(3, "zoe@example.org", "Zoë", "Müller-Œuvre", "tutor"),
    PersonEntry(4, "sans.prenom@example.org", "", "Sans-Prénom", "learner"),
    PersonEntry(5, "ELODIE.LEFEVRE@example.org", "Deux", "Fois", "learner"),
    PersonEntry(
        6, "pas.adresse@@example.org", "Pas", "Adresse", "learner", (Problem("email", "several_at"),)
    ),
    PersonEntry(7, "formule@example.org", "=1+1", "Formule", "learner"),
)

HEADER = "Prénom;Nom;Courriel;Rôle"
ZOE = "Zoë;Müller-Œuvre;zoe@example.org;tuteur"


def people(data: bytes | str) -> list[tuple[str, str, str, str]]:
    return [(entry.email, entry.firstname, entry.lastname, entry.role) for entry in read_list(data).rows]


def refusal(data: bytes | str, **limits: Any) -> str:
    with pytest.raises(ListError) as refused:
        read_list(data, **limits)
    assert str(refused.value)
    return refused.value.code


@pytest.mark.parametrize("name", ["participants-excel-fr.csv", "participants-utf16.txt"])
def test_the_list_of_excel_in_french_and_as_utf16_text_has_seven_people(name):
    read = read_list((DATA / name).read_bytes(), filename=name)
    assert read.rows == SAME_SEVEN
    assert read.source == "csv"
    assert read.ignored_columns == ()


def test_the_paste_of_a_mail_program_has_four_people():
    data = (DATA / "participants-outlook.txt").read_bytes()
    expected = (
        PersonEntry(1, "elodie.lefevre@example.org", "Lefèvre", "Élodie"),
        PersonEntry(2, "noel.dambrosio@example.org", "Noël", "D'Ambrosio"),
        PersonEntry(3, "zoe@example.org"),
        PersonEntry(4, "formule@example.org"),
    )
    assert read_list(data, filename="participants-outlook.txt").rows == expected
    pasted = read_list(data.decode())
    assert pasted.rows == expected
    assert pasted.source == "paste"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (b"", "cp1252"),
    ],
)
def test_delimiters_encodings_and_line_ends(mark, encoding, delimiter, ending):
    text = f"{HEADER}\n{ZOE}\n\n".replace(";", delimiter).replace("\n", ending)
    assert people(mark + text.encode(encoding)) == [("zoe@example.org", "Zoë", "Müller-Œuvre", "tutor")]


def test_excel_for_mac_saves_mac_roman():
    data = f"{HEADER}\nHélène;François;h@example.org;".encode("mac_roman")
    assert people(data) == [("h@example.org", "Hélène", "François", "")]


def test_a_damaged_byte_does_not_spoil_the_other_accents():
    data = f"{HEADER}\n{ZOE}\nÉl@die;Lefèvre;e@example.org;".encode().replace(b"@die", b"\xffdie", 1)
    read = read_list(data)
    assert read.rows[0].lastname == "Müller-Œuvre"
    assert read.rows[1].firstname == "Él\ufffddie"
    assert read.rows[1].problems == (Problem("firstname", "unreadable"),)


def test_the_name_of_a_file_decides_nothing():
    assert read_list(f"{HEADER}\n{ZOE}".encode(), filename="list.xlsx").source == "csv"
    assert read_list(f"{HEADER}\n{ZOE}", filename="list.csv").source == "csv"
    assert read_list(f"{HEADER}\n{ZOE}").source == "paste"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        ("", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (b"\x00\x00", "not_a_list"),
        (b"Prenom;Nom\nZoe;M", "no_address"),
        (b"Courriel\n\n", "no_address"),
        ("@", "no_address"),
        (b"%PDF-1.7\nzoe@example.org", "not_a_list"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "not_a_list"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF zoe@example.org", "not_a_list"),
        (b"GIF89a@", "not_a_list"),
        (b"RIFF" + bytes(range(256)) * 8 + b"WEBP", "not_a_list"),
        (b"{\\rtf1 zoe@example.org}", "not_a_list"),
        (b"\n<!DOCTYPE html><p>zoe@example.org", "not_a_list"),
        (b"<?xml version='1.0'?><a>zoe@example.org</a>", "not_a_list"),
        (b"BEGIN:VCARD\nEMAIL:zoe@example.org", "not_a_list"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 zoe@example.org", "old_office_file"),
    ],
)
def test_what_is_no_list_is_refused_with_one_reason(data, code):
    assert refusal(data) == code


def test_a_person_called_riffard_is_no_picture():
    assert people(b"RIFFARD;Jean;jean@example.org") == [("jean@example.org", "RIFFARD", "Jean", "")]


def test_too_many_bytes_are_refused_before_they_are_read():
    assert refusal(b"zoe@example.org\n" * 1000, max_bytes=15_999) == "too_large"
    assert refusal("é@example.org\n" * 1000, max_bytes=14_999) == "too_large"
    assert len(read_list(b"zoe@example.org\n" * 1000, max_bytes=16_000).rows) == 1000


@pytest.mark.parametrize("line", ["zoe@example.org", "Zoë;M;zoe@example.org", "Zoë M <zoe@example.org>"])
def test_too_many_people_are_refused(line):
    assert len(read_list(f"{line}\n\n" * 20, max_rows=20).rows) == 20
    assert refusal(f"{line}\n\n" * 21, max_rows=20) == "too_many_rows"


def test_limits_are_said_as_the_reader_writes_numbers():
    with pytest.raises(ListError) as refused:
        read_list("zoe@example.org\n" * 20_001)
    assert "20\u202f000" in str(refused.value)


def test_twenty_thousand_people_are_read():
    lines = [f"Élodie{n};Lefèvre{n};elodie{n}@company{n % 300}.example;apprenant" for n in range(20_000)]
    assert len(read_list("\n".join([HEADER, *lines]).encode()).rows) == 20_000


@pytest.mark.parametrize(
    "part",
    ['"', '\\"', "@", "<@", "a <@", "a,", "'", "( ", "·e", "\n", ";", "\t", '"x@y\n', "a@b.c ", "_x0009_"],
)
@pytest.mark.parametrize("before", ["", "a@b.c\n", "Ann <a@b.c>\n", "Courriel;Nom\n"])
@pytest.mark.timeout(120)  # measured: below 0.2 s; what grows with the square of the length takes hours
def test_no_text_takes_for_ever(part, before):
    with contextlib.suppress(ListError):
        read_list((before + part * 300_000)[:300_000])
