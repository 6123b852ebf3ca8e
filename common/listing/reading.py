"""Reading a list of people: the two ways in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from common.emailkey import check_email, clean_email
from common.listing import shapes
from common.listing.addresses import read_addresses
from common.listing.cells import clean_cell, clean_text, split_last_first, split_name, unquote
from common.listing.columns import Columns, find_columns, role_of
from common.listing.decoding import decode, is_workbook
from common.listing.shapes import LONGEST_NAME, Field, PeopleList, PersonEntry, Problem, Source
from common.listing.tables import is_address, read_table
from common.listing.workbook import MAX_COLUMNS, read_sheets

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000

_FIELDS = ("email", "firstname", "lastname", "role")


class _Typed(NamedTuple):
    """A person as typed, cells cleaned."""

    email: str
    firstname: str
    lastname: str
    role: str = ""

    @property
    def is_somebody(self) -> bool:
        """A role alone is nobody: forms come with that column filled in."""
        return bool(self.email or self.firstname or self.lastname)


def read_list(
    data: bytes | str, *, filename: str = "", max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> PeopleList:
    """The people of a file (bytes) or of a paste (text).

    Understood are CSV with any usual delimiter and encoding, XLSX, and addresses as a mail program pastes them. What a
    file is shows in its content, not in its name; `filename` only tells a text file from a paste. Blank rows are
    skipped and not counted; rows with something wrong stay, with their problems; repeated addresses stay too.
    Raises ListError, and nothing else.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "replace"))
    if size > max_bytes:
        raise shapes.too_large(max_bytes)
    if isinstance(data, bytes) and is_workbook(data):
        return _read_workbook(data, max_rows)
    text = clean_text(data if isinstance(data, str) else decode(data))
    if not text.strip():
        raise shapes.empty()
    if "@" not in text:
        raise shapes.no_address()
    source: Source = "csv" if isinstance(data, bytes) or filename else "paste"
    rows = read_table(text)
    if rows is None:
        people = (_Typed(*address) for address in read_addresses(text))
        return PeopleList(_with_address(_entries(people, max_rows)), source)
    return _read_rows([[clean_cell(cell) for cell in row[:MAX_COLUMNS]] for row in rows], source, max_rows)


def from_rows(rows: Iterable[Mapping[str, object]], *, max_rows: int = MAX_ROWS) -> PeopleList:
    """The people of a form: mappings with `email`, `firstname`, `lastname` and `role`, each a text or None.

    Rows without any of these are skipped; other keys are ignored and named in `ignored_columns`.
    Raises ListError(empty or too_many_rows).
    """
    rows = list(rows)
    cells = ([clean_cell(str(row.get(name) or "")) for name in _FIELDS] for row in rows)
    entries = _entries((_Typed(*row) for row in cells), max_rows)
    if not entries:
        raise shapes.empty()
    ignored = dict.fromkeys(key for row in rows for key in row if key not in _FIELDS)
    return PeopleList(entries, "form", tuple(ignored))


def _read_workbook(data: bytes, max_rows: int) -> PeopleList:
    sheets = read_sheets(data, max_rows=max_rows)
    if not sheets:
        raise shapes.no_address()
    first, *others = sheets
    return _read_rows(first.rows, "xlsx", max_rows, tuple(sheet.title for sheet in others))


def _read_rows(
    rows: Sequence[Sequence[str]], source: Source, max_rows: int, ignored_sheets: tuple[str, ...] = ()
) -> PeopleList:
    rows = [row for row in rows if any(row)]
    columns = find_columns(rows)
    people = (_person(row, columns) for row in rows[columns.data_from :])
    entries = _with_address(_entries(people, max_rows))
    return PeopleList(entries, source, columns.ignored, ignored_sheets)


def _person(row: Sequence[str], columns: Columns) -> _Typed:
    found = {meaning: row[place] for meaning, place in columns.places.items() if place < len(row)}
    email = found.get("email", "")
    if not email:
        # A row that is shorter than the others, or has its cells in another order.
        meaning = next((meaning for meaning, cell in found.items() if is_address(cell)), "email")
        email = found.pop(meaning, "")
    if "full_name" in found:
        first, last = split_name(found["full_name"])
    elif "last_first" in found:
        first, last = split_last_first(found["last_first"])
    else:
        first, last = found.get("firstname", ""), found.get("lastname", "")
    if "<" in email and email.endswith(">"):
        # A cell copied from a mail program; the columns have the better name.
        address = next(read_addresses(email))
        email = address.email
        if not (first or last):
            first, last = address.firstname, address.lastname
    return _Typed(email, first, last, found.get("role", ""))


def _with_address(entries: tuple[PersonEntry, ...]) -> tuple[PersonEntry, ...]:
    if not any("@" in entry.email for entry in entries):
        raise shapes.no_address()
    return entries


def _entries(people: Iterable[_Typed], max_rows: int) -> tuple[PersonEntry, ...]:
    entries: list[PersonEntry] = []
    for person in people:
        person = person._replace(email=clean_email(unquote(person.email.removeprefix("mailto:"))))
        if not person.is_somebody:
            continue
        if len(entries) == max_rows:
            raise shapes.too_many_rows(max_rows)
        entries.append(_entry(len(entries) + 1, person))
    return tuple(entries)


def _entry(number: int, person: _Typed) -> PersonEntry:
    role = role_of(person.role)
    return PersonEntry(
        row=number,
        email=person.email,
        firstname=person.firstname,
        lastname=person.lastname,
        role=role or "",
        problems=(
            *_email_problems(person.email),
            *_name_problems(person),
            *([Problem("role", "unknown_role")] if role is None else []),
        ),
    )


def _email_problems(email: str) -> Iterator[Problem]:
    if email.startswith("="):
        yield Problem("email", "formula")
    elif (problem := check_email(email)) is not None:
        yield Problem("email", problem.value)


def _name_problems(person: _Typed) -> Iterator[Problem]:
    names: tuple[tuple[Field, str], ...] = (("firstname", person.firstname), ("lastname", person.lastname))
    for name, text in names:
        if len(text) > LONGEST_NAME:
            yield Problem(name, "name_too_long")
        elif "\ufffd" in text:
            yield Problem(name, "unreadable")
