"""Writing CSV that a spreadsheet opens as it was meant: no formulas, accents intact, columns apart."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from common.languages import is_french

# A cell that begins like this is calculated, or hides the one that is; full-width forms are folded by some programs.
_DANGEROUS = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


def neutralise(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would take it for a formula.

    `restore` takes it away again, so that an exported list can be read back as it was.
    """
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def restore(cell: str) -> str:
    """The cell as it was before `neutralise`."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell, 1) else cell


def write_csv(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, language: str | None = None
) -> bytes:
    """A CSV file: UTF-8 with a byte order mark, `;` between the cells in French and `,` otherwise.

    Text is neutralised. Numbers are not, and a Decimal gets the comma of French; None is an empty cell, anything else
    its `str`. Without a language the active one is used.
    """
    french = is_french(language)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if french else ",", lineterminator="\r\n")
    writer.writerow([neutralise(name) for name in header])
    writer.writerows([_cell(value, french) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def _cell(value: object, french: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",") if french else f"{value:f}"
    if isinstance(value, int | float):
        return str(value)
    return neutralise(str(value))
