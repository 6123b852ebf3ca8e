"""From an XLSX file to rows of cells, under limits of its unpacked size."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import NamedTuple

from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from common.listing import shapes
from common.listing.cells import clean_xlsx_cell

MAX_UNPACKED = 25 * 1024 * 1024
MAX_MEMBERS = 500
# A sheet may be as long as Excel allows (blank rows cost nothing), but no wider than any list of people.
_MAX_SHEET_ROWS = 1_048_576
MAX_COLUMNS = 100
_CHUNK = 64 * 1024
# Properties and colours: not needed, and often written in a way that openpyxl refuses.
_UNUSED = ("docProps/", "xl/theme/")


class Sheet(NamedTuple):
    """A sheet that holds at least one address."""

    title: str
    rows: list[list[str]]


def read_sheets(data: bytes, *, max_rows: int) -> list[Sheet]:
    """The sheets of a workbook that hold addresses, in its order; every cell as text, formulas as they are written.

    Raises ListError: `not_a_list` for another kind of archive, `damaged_workbook`, `too_large` or `too_many_rows`.
    """
    archive = _unpacked(data)
    with warnings.catch_warnings():
        # About extensions and formats that are of no use here.
        warnings.filterwarnings("ignore", module=r"openpyxl\.")
        try:
            return list(_sheets(archive, max_rows))
        except shapes.ListError:
            raise
        except Exception as error:  # whatever a hostile file makes openpyxl raise
            raise shapes.damaged_workbook() from error


# --- the archive --------------------------------------------------------------------------------


class _Counted(io.BytesIO):
    """Bytes that may be read only so often: many sheets can name one large part."""

    def __init__(self, data: bytes, budget: int) -> None:
        super().__init__(data)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._budget -= len(data)
        if self._budget < 0:
            raise shapes.too_large(MAX_UNPACKED)
        return data


def _unpacked(data: bytes) -> _Counted:
    """The XML parts of the archive in a new one without compression, so that what is read can be counted."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if not any(member.filename.startswith("xl/") for member in members):
                raise shapes.not_a_list()
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise shapes.too_large(MAX_UNPACKED)
            parts = _parts(archive, members)
            plain = io.BytesIO()
            with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as copy:
                for name, part in parts:
                    copy.writestr(name, part)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise shapes.damaged_workbook() from error
    # Each part once, and each sheet once more, where openpyxl looks for its size.
    return _Counted(plain.getvalue(), budget=2 * plain.tell() + _CHUNK)


def _parts(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the XML parts, counted while they are unpacked: what the archive says of itself may be wrong."""
    left = MAX_UNPACKED
    for member in members:
        if member.filename.startswith(_UNUSED) or not member.filename.endswith((".xml", ".rels")):
            continue
        part = io.BytesIO()
        with archive.open(member) as source:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise shapes.too_large(MAX_UNPACKED)
                part.write(chunk)
        yield member.filename, _without_entities(part.getvalue())


def _without_entities(part: bytes) -> bytes:
    """The part, if it declares no document type: Office writes none, and entities can unfold without end."""
    letters = part.replace(b"\0", b"")
    # Whatever does not begin like XML in an ASCII-like encoding could hide a declaration from the search.
    if not re.match(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<", letters) or re.search(
        rb"<!(?!--|\[CDATA\[)", letters
    ):
        raise shapes.damaged_workbook()
    return part


# --- its sheets ---------------------------------------------------------------------------------


def _sheets(archive: io.BytesIO, max_rows: int) -> Iterator[Sheet]:
    book = load_workbook(archive, read_only=True, data_only=False, keep_links=False)
    for sheet in book.worksheets:
        # The size a sheet claims may be anything.
        sheet.reset_dimensions()
        rows: list[list[str]] = []
        has_address = False
        values = sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
        for number, row in enumerate(values, start=1):
            if number > _MAX_SHEET_ROWS:
                raise shapes.damaged_workbook()
            if not any(row):
                continue
            cells = _cells(row)
            rows.append(cells)
            has_address = has_address or any("@" in cell for cell in cells)
            # Room for a title and a header above the people.
            if len(rows) > max_rows + 100:
                raise shapes.too_many_rows(max_rows)
        if has_address:
            yield Sheet(sheet.title, rows)


def _cells(row: tuple[object, ...]) -> list[str]:
    """The cells as text, without the empty ones at the end."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return [clean_xlsx_cell(_text(value)) for value in row[:end]]


def _text(value: object) -> str:
    """A cell as it reads: 12, not 12.0; a day, not midnight."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, ArrayFormula | DataTableFormula):
        return str(getattr(value, "text", None) or "=")
    return str(value)
