"""Correcting rows in the review: what was typed there, and the list that comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from django.http import QueryDict

from common.emailkey import suspect_domain
from common.listing import PeopleList, PersonEntry, from_rows
from common.listing.shapes import ListError, Role, Source
from seats.models import AssignmentBatch, AssignmentRow
from seats.wording import problems_of

FIELDS = ("email", "firstname", "lastname", "role")
MEANT = "meant"  # the button that takes over the address that was probably meant
_NAME = re.compile(rf"({'|'.join(FIELDS)})-([0-9]{{1,9}})")

Corrections = dict[int, dict[str, str]]
"""By position: the fields as typed."""


def read(data: QueryDict) -> Corrections:
    """What was typed into rows of the review; fields are named `email-12` after the position of their row."""
    typed: Corrections = {}
    for name, value in data.items():
        match = _NAME.fullmatch(name)
        if match:
            typed.setdefault(int(match[2]), {})[match[1]] = str(value)
    meant = data.get(MEANT, "")
    if meant.isdecimal() and len(meant) < 10:
        typed.setdefault(int(meant), {})[MEANT] = ""
    return typed


def change_anything(batch: AssignmentBatch, typed: Corrections) -> bool:
    """Whether the corrections differ from what stands in the list."""
    if not typed:
        return False
    rows = AssignmentRow.objects.filter(batch=batch, position__in=typed)
    return any(_as_typed(row) | _cleaned(row, typed[row.position]) != _as_typed(row) for row in rows)


def corrected(batch: AssignmentBatch, typed: Corrections) -> PeopleList:
    """The whole list with the corrected rows; the others as they are, with what is wrong in them."""
    entries = [
        _corrected(row, typed[row.position]) if row.position in typed else _entry(row)
        for row in AssignmentRow.objects.filter(batch=batch).order_by("position")
    ]
    return PeopleList(
        tuple(entries),
        cast("Source", batch.source),
        tuple(batch.ignored_columns),
        tuple(batch.ignored_sheets),
    )


def _as_typed(row: AssignmentRow) -> dict[str, str]:
    unknown = any(problem["code"] == "unknown_role" for problem in row.problems)
    role = "" if unknown else row.role
    return {"email": row.email, "firstname": row.first_name, "lastname": row.last_name, "role": role}


def _cleaned(row: AssignmentRow, typed: Mapping[str, str]) -> dict[str, str]:
    if MEANT in typed:
        return {"email": suspect_domain(row.email) or row.email}
    return {name: " ".join(value.split()) for name, value in typed.items()}


def _corrected(row: AssignmentRow, typed: Mapping[str, str]) -> PersonEntry:
    cells = _as_typed(row) | _cleaned(row, typed)
    if cells == _as_typed(row):
        return _entry(row)
    try:
        [entry] = from_rows([cells]).rows
    except ListError:
        # Everything was emptied: the row stays, and says that its address is missing.
        [entry] = from_rows([{"lastname": "?"}]).rows
        entry = replace(entry, lastname="")
    return replace(entry, row=row.position)


def _entry(row: AssignmentRow) -> PersonEntry:
    return PersonEntry(
        row=row.position,
        email=row.email,
        firstname=row.first_name,
        lastname=row.last_name,
        role=cast("Role", row.role),
        problems=tuple(problems_of(row.problems)),
    )
