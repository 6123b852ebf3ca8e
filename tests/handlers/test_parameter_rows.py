"""Every row of the table of parameter strings, by the library and by the command."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from handlers.params import PeriodError
from handlers.registry import get_handler

ROWS = json.loads((Path(__file__).parents[1] / "data" / "parameters.json").read_text(encoding="utf-8"))


def outcome(row: dict[str, Any]) -> dict[str, Any]:
    handler = get_handler(row["handler"])
    parsed = handler.read(row["params"])
    if parsed.errors:
        assert len(parsed.errors) == 1
        assert parsed.values == {}
        return {"error": parsed.errors[0].key}
    try:
        period = handler.period(
            parsed.values,
            purchased_at=datetime.fromisoformat(row["purchased_at"]),
            renewable=row["renewable"],
            zone=ZoneInfo(row["zone"]),
        )
    except PeriodError as error:
        return {"error": error.key}
    return {"start": period.starts.isoformat(), "end": period.ends.isoformat() if period.ends else None}


def row_id(row: dict[str, Any]) -> str:
    return f"{row['handler']}:{row['params']}"


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_a_row_means_what_the_table_says(row: dict[str, Any]) -> None:
    assert outcome(row) == row["expect"]


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_checkparams_prints_what_the_table_says(row: dict[str, Any]) -> None:
    output = io.StringIO()
    flags = ["--renewable"] if row["renewable"] else []
    call_command(
        "checkparams",
        f"--handler={row['handler']}",
        f"--params={row['params']}",
        f"--at={row['purchased_at']}",
        "--json",
        *flags,
        stdout=output,
    )
    document = json.loads(output.getvalue())
    expected = row["expect"]
    if "error" in expected:
        assert [error["key"] for error in document["errors"]] == [expected["error"]]
        assert document["errors"][0]["message"]
        assert (document["starts"], document["ends"], document["courses"]) == (None, None, [])
    else:
        assert document == {
            "starts": expected["start"],
            "ends": expected["end"],
            "courses": [],
            "errors": [],
        }
