"""Lists in XLSX files, friendly and hostile."""

import io
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from common.listing import ListError, PersonEntry, Problem, read_list

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROW = '<row><c t="inlineStr"><is><t>zoe@example.org</t></is></c></row>'


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    return saved(book)


def handmade(sheet: bytes | str, *, sheets: int = 1, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A workbook as small as it can be, with the given XML as its sheet."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, sheets + 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{relation}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return stream.getvalue()


def sheet_of(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def refusal(data: bytes, **limits: Any) -> str:
    with pytest.raises(ListError) as refused:
        read_list(data, **limits)
    return refused.value.code


def test_a_workbook_is_read_like_any_list():
    data = workbook(
        ("Liste des stagiaires",),
        (),
        ("Nom", "Prénom", "Courriel", "Rôle", "Service"),
        ("Müller-Œuvre", " Zoë ", "zoe@example.org", "Tutrice", "RH"),
        (None, None, None, None, None),
        ("D’Ambrosio", "Noël", "Noel.DAmbrosio@Example.org ", None, "RH"),
        ("Adresse", "Pas", None, "apprenant", None),
    )
    for filename in ("list.xlsx", "list.csv", ""):
        read = read_list(data, filename=filename)
        assert read.rows == (
            PersonEntry(1, "zoe@example.org", "Zoë", "Müller-Œuvre", "tutor"),
            PersonEntry(2, "Noel.DAmbrosio@Example.org", "Noël", "D’Ambrosio"),
            PersonEntry(3, "", "Pas", "Adresse", "learner", (Problem("email", "missing"),)),
        )
        assert (read.source, read.ignored_columns, read.ignored_sheets) == ("xlsx", ("Service",), ())


def test_formulas_are_text_and_never_evaluated():
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["firstname", "lastname", "email"])
    sheet.append(["=1+1", '=HYPERLINK("http://x","y")', "zoe@example.org"])
    sheet.append(["x", ArrayFormula("B3", "=A1:A2"), '=A2&"@example.org"'])
    rows = read_list(saved(book)).rows
    assert (rows[0].firstname, rows[0].lastname) == ("=1+1", '=HYPERLINK("http://x","y")')
    assert (rows[1].lastname, rows[1].problems) == ("=A1:A2", (Problem("email", "formula"),))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (Decimal("0.1"), "0.1"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2027, 7, 31), "2027-07-31"),
        (datetime(2027, 7, 31, 9, 30), "2027-07-31 09:30:00"),
        (timedelta(hours=1), "1:00:00"),
        ("Zo_x000D_\në", "Zo ë"),
        ("#N/A", "#N/A"),
    ],
)
def test_other_cells_are_text_as_they_read(value, text):
    [entry] = read_list(workbook(("email", "nom"), ("zoe@example.org", value))).rows
    assert entry.lastname == text


def test_hidden_rows_are_read_too():
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["email"], ["zoe@example.org"], ["ann@example.org"]):
        sheet.append(row)
    sheet.row_dimensions[2].hidden = True
    assert [entry.email for entry in read_list(saved(book)).rows] == ["zoe@example.org", "ann@example.org"]


def test_the_first_sheet_with_addresses_is_read_and_the_others_are_named():
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Mode d’emploi"])
    book.create_sheet("Groupe A").append(["zoe@example.org"])
    book.create_sheet("Vide")
    book.create_sheet("Groupe B").append(["ann@example.org"])
    read = read_list(saved(book))
    assert [entry.email for entry in read.rows] == ["zoe@example.org"]
    assert read.ignored_sheets == ("Groupe B",)


def test_a_workbook_without_addresses_or_without_anything_is_refused():
    assert refusal(workbook(("Nom", "Courriel"), ("M", None))) == "no_address"
    assert refusal(workbook()) == "no_address"


def test_too_many_people_in_a_workbook_are_refused():
    data = workbook(("email",), *[("zoe@example.org",)] * 5)
    assert len(read_list(data, max_rows=5).rows) == 5
    assert refusal(data, max_rows=4) == "too_many_rows"
    assert refusal(workbook(*[("zoe@example.org",)] * 300), max_rows=10) == "too_many_rows"


def test_other_archives_are_no_lists():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("list.csv", "zoe@example.org")
    assert refusal(stream.getvalue()) == "not_a_list"


def test_damaged_workbooks_are_refused_with_one_reason():
    good = workbook(("email",), ("zoe@example.org",))
    assert refusal(good[: len(good) // 2]) == "damaged_workbook"
    assert refusal(b"PK\x03\x04" + bytes(100)) == "damaged_workbook"
    assert refusal(handmade(sheet_of("<row>"))) == "damaged_workbook"
    assert refusal(handmade(sheet_of('<row><c t="s"><v>7</v></c></row>'))) == "damaged_workbook"
    assert refusal(handmade(sheet_of('<row r="x">'))) == "damaged_workbook"


def test_a_handmade_workbook_is_read():
    assert [entry.email for entry in read_list(handmade(sheet_of(ROW))).rows] == ["zoe@example.org"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp037"])
def test_entities_are_refused_in_any_encoding(encoding):
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY a "aaaa">]>{sheet_of(ROW)}'
    assert refusal(handmade(bomb.encode(encoding))) == "damaged_workbook"


def test_an_archive_that_unpacks_to_too_much_is_refused():
    assert refusal(handmade(sheet_of(" " * 30_000_000))) == "too_large"


def test_an_archive_that_lies_about_its_size_is_refused():
    data = handmade(sheet_of(" " * 30_000_000 + ROW))
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream) as archive:
        [sheet] = [member for member in archive.infolist() if member.filename.endswith("sheet1.xml")]
    true_size = sheet.file_size.to_bytes(4, "little")
    assert refusal(data.replace(true_size, (1000).to_bytes(4, "little"))) == "damaged_workbook"


def test_one_large_sheet_named_many_times_is_refused():
    assert refusal(handmade(sheet_of(ROW * 10_000), sheets=2000)) == "too_large"


def test_places_far_away_cost_nothing():
    far = ROW.replace("<row>", '<row r="99999999999">')
    last = ROW.replace("<row>", '<row r="1048576">')
    wide = ROW.replace("<c ", '<c r="XFD1" ')
    assert refusal(handmade(sheet_of(far))) == "damaged_workbook"
    assert [entry.row for entry in read_list(handmade(sheet_of(last))).rows] == [1]
    assert refusal(handmade(sheet_of(wide))) == "no_address"


def test_twenty_thousand_rows_of_a_workbook_are_read():
    data = workbook(
        ("email", "prénom", "nom", "rôle"),
        *[(f"e{n}@company{n % 300}.example", "Élodie", f"Lefèvre {n}", "apprenant") for n in range(20_000)],
    )
    assert len(read_list(data).rows) == 20_000
