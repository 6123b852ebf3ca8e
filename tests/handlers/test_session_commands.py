"""A session from the command line, as an operator sets it up and looks at it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import Bill
from common.references import check_reference
from tests.catalog.factories import make_shop

pytestmark = pytest.mark.django_db

PEOPLE = """\
Courriel;Nom;Prénom;Rôle;Service
Ada@Demo.example;Byron;Ada;apprenant;R&D
ben@demo.example;;;;
tom@demo.example;Tuteur;Tom;tuteur;RH
"""


def command(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="cp1252")
    return path


@pytest.fixture
def _shop() -> None:
    make_shop()
    command("setcourse", "SPOC", "--fullname=SPOC Moodle", "--groups=separate")
    command("setaccount", "demo", "--name=Demo", "--owner=owner@demo.example")
    item = command(
        "setitem", "SPOCM1", "--name=SPOC Appropriation Moodle", "--price=10.00", "--price-includes-tax",
        "--handler=setuponecoursesession", "--params=coursename=SPOC&duration=180", "--seat-mode=quantity",
        "--renewable",
    )  # fmt: skip
    assert item["code"] == "SPOCM1"
    assert command("checkitems", "SPOCM1") == []


@pytest.mark.usefixtures("_shop")
def test_ordered_paid_delivered_and_looked_at(people):
    placed = command(
        "placeorder", "--account=demo", "--item=SPOCM1", "--quantity=3", f"--participants={people}",
        "--at=2026-11-20T10:00:00+01:00",
    )  # fmt: skip
    assert placed["total"] == "30.00"
    number = placed["bill"]
    command("markpaid", number, "--at=2026-11-21T09:30:00+01:00")
    runs = command("produce", number)
    assert [(run["phase"], run["state"], run["delivered"]) for run in runs] == [
        ("prepare", "done", {"seats": 0, "enrolments": 0, "spaces": 0, "accounts_created": 0}),
        ("deliver", "done", {"seats": 3, "enrolments": 3, "spaces": 0, "accounts_created": 3}),
    ]
    assert command("produce", number, "--takeover", "--retry-failed") == runs
    assert command("showbill", number)["complete"] is True

    starts, ends = "2026-11-21T09:30:00+01:00", "2027-05-20T10:30:00+02:00"
    seats = command("listseats", "--account=demo")
    assert [(seat["email"], seat["role"]) for seat in seats] == [
        ("Ada@Demo.example", "student"),
        ("ben@demo.example", "student"),
        ("tom@demo.example", "teacher"),
    ]
    [session] = {seat["session"] for seat in seats}
    assert check_reference(session)
    assert len({session, *(seat["reference"] for seat in seats)}) == 4
    for seat in seats:
        shown = {key: seat[key] for key in ("item", "state", "course", "group", "starts", "ends")}
        assert shown == {
            "item": "SPOCM1", "state": "assigned", "course": "SPOC", "group": number, "starts": starts, "ends": ends,
        }  # fmt: skip
    assert [
        (row["email"], row["role"], row["ends"], row["groups"]) for row in command("listenrolments", "SPOC")
    ] == [
        ("Ada@Demo.example", "student", ends, [number]),
        ("ben@demo.example", "student", ends, [number]),
        ("tom@demo.example", "teacher", ends, [number]),
    ]
    assert [
        (row["email"], row["created_by_account"]) for row in command("listdelegations", "--account=demo")
    ] == [
        ("Ada@Demo.example", True),
        ("ben@demo.example", True),
        ("tom@demo.example", True),
    ]
    assert [(mail["to"], mail["kind"]) for mail in command("listmail", "--to=tom@demo.example")] == [
        ("tom@demo.example", "invitation")
    ]


@pytest.mark.usefixtures("_shop")
def test_a_seat_too_few_changes_nothing(people):
    with pytest.raises(
        CommandError, match="participants: 2 participants are to be named here, not 3"
    ) as refused:
        command("placeorder", "--account=demo", "--item=SPOCM1", "--quantity=2", f"--participants={people}")
    assert refused.value.returncode == 2
    assert Bill.objects.count() == 0
