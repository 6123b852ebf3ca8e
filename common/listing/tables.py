"""From text to rows of cells: which delimiter, which quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from common.listing.cells import holds_address, unquote
from common.listing.columns import HEADER_WITHIN, header_strength

Row = Sequence[str]

_DELIMITERS = ("\t", ";", "|", ",")
# Removed from every text beforehand: splits nothing, for a list of one column.
_ONE_COLUMN = "\x1f"
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<delimiter>[,;|\t])"?[^\S\n]*(?:\n|$)', re.IGNORECASE)
_ADDRESS = re.compile(r"""[<"']*[^\s<>,;"()]*@[^\s<>,;"()]*[>"']*""")
# A name and its address, as mail programs write them.
_NAMED_ADDRESS = re.compile(r"[^\s;,|<>][^\S\n]*<[^<>@\n]{0,320}@[^<>\n]{0,320}>")
_SAMPLED_LINES = 200
_LONGEST_ADDRESS_CELL = 400


def is_address(cell: str) -> bool:
    """Whether a cell is meant as one address, right or wrong, and nothing else."""
    return len(cell) < _LONGEST_ADDRESS_CELL and _ADDRESS.fullmatch(cell.strip()) is not None


def read_table(text: str) -> list[Row] | None:
    """The rows of a delimited text, or None where it is not one (a paste of addresses, or free text).

    The delimiter is the one under which a header is understood; without a header, the one that most often leaves an
    address alone in its cell, beside others.
    """
    if found := _SEPARATOR_LINE.match(text):
        return _rows(text[found.end() :], found["delimiter"])
    lines = list(islice((line for line in text.split("\n") if line.strip()), _SAMPLED_LINES))
    if (delimiter := _delimiter_of_header(lines)) is None:
        if _is_paste_of_addresses(lines):
            return None
        delimiter = _delimiter_of_rows(lines)
    return None if delimiter is None else _rows(text, delimiter)


def _delimiter_of_header(lines: Sequence[str]) -> str | None:
    best, chosen = (0, False), None
    for line in lines[:HEADER_WITHIN]:
        if holds_address(line):
            break
        for delimiter in _DELIMITERS:
            # Of two that are understood as well, the one that parts the columns: "email;service" is not one name.
            rank = (header_strength(_split_line(line, delimiter)), delimiter in line)
            if rank[0] and rank > best:
                # One column needs no delimiter, and its cells may well hold commas.
                best, chosen = rank, delimiter if delimiter in line else _ONE_COLUMN
    return chosen


def _is_paste_of_addresses(lines: Sequence[str]) -> bool:
    if any(_NAMED_ADDRESS.search(line) for line in lines):
        return True
    for line in lines:
        parts = re.findall(r"[^;,\s]+", line)
        if len(parts) > 1 and all(is_address(part) for part in parts):
            return True
    return False


def _delimiter_of_rows(lines: Sequence[str]) -> str | None:
    scores = {
        delimiter: sum(_has_address_cell(line, delimiter) for line in lines) for delimiter in _DELIMITERS
    }
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] else None


def _has_address_cell(line: str, delimiter: str) -> bool:
    cells = _split_line(line, delimiter)
    return len(cells) > 1 and any(is_address(cell) for cell in cells)


def _rows(text: str, delimiter: str) -> list[Row]:
    """All rows. Quotes that do not match may not swallow the rows that follow: then each line is read alone."""
    try:
        rows: list[Row] = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error:
        return [_split_line(line, delimiter) for line in text.split("\n")]
    if any(_swallowed(row, delimiter) for row in rows):
        return [_split_line(line, delimiter) for line in text.split("\n")]
    return rows


def _swallowed(row: Iterable[str], delimiter: str) -> bool:
    return any("\n" in cell and "@" in cell and delimiter in cell for cell in row)


def _split_line(line: str, delimiter: str) -> Row:
    if line.count('"') % 2:
        return [unquote(cell).strip('"') for cell in line.split(delimiter)]
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        # Longer than the reader accepts: no cell of it is of use anyway, but the row is there.
        return line.split(delimiter)
