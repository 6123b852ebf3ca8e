"""`listhandlers` and `checkparams`."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    output = io.StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def test_listhandlers_prints_every_handler_with_its_parameters() -> None:
    documents: list[dict[str, Any]] = json.loads(run("listhandlers", "--json"))
    by_name = {document["name"]: document for document in documents}
    assert [document["name"] for document in documents] == [
        "generateseats",
        "setuponecoursesession",
        "buycourse",
        "enrolonecourse",
        "extendenrolperiod",
    ]
    assert set(documents[0]) == {"name", "label", "parameters", "customer_data", "seat_mode"}
    assert by_name["generateseats"]["label"] == "Unassigned seats"
    assert {name: document["seat_mode"] for name, document in by_name.items()} == {
        "generateseats": "none",
        "setuponecoursesession": "quantity",
        "buycourse": "none",
        "enrolonecourse": "none",
        "extendenrolperiod": "none",
    }
    assert {
        name: [(field["name"], field["required"], field["default"]) for field in document["parameters"]]
        for name, document in by_name.items()
    } == {
        "generateseats": [
            ("courselist", False, None),
            ("supervisor", False, "teacher"),
            ("packsize", False, "1"),
            ("validity", False, None),
            ("duration", False, None),
            ("endtime", False, None),
            ("customersupport", False, None),
        ],
        "setuponecoursesession": [
            ("coursename", True, None),
            ("role", False, "student"),
            ("enrolname", False, "manual"),
            ("supervisor", False, "teacher"),
            ("requiredroles", False, "learner,tutor"),
            ("autoenrolsupervisor", False, "0"),
            ("starttime", False, None),
            ("endtime", False, None),
            ("duration", False, None),
            ("customersupport", False, None),
        ],
        "buycourse": [
            ("coursecategory", True, None),
            ("template", False, None),
            ("duration", False, "365"),
            ("customersupport", False, None),
            ("maxparticipants", False, None),
        ],
        "enrolonecourse": [
            ("coursename", True, None),
            ("role", False, "student"),
            ("starttime", False, None),
            ("endtime", False, None),
            ("duration", False, None),
            ("customersupport", False, None),
        ],
        "extendenrolperiod": [("extension", True, None)],
    }
    assert {
        name: [field["name"] for field in document["customer_data"]] for name, document in by_name.items()
    } == {
        "generateseats": [],
        "setuponecoursesession": [],
        "buycourse": ["fullname", "idnumber"],
        "enrolonecourse": [],
        "extendenrolperiod": ["reference"],
    }
    assert by_name["generateseats"]["parameters"][2] == {
        "name": "packsize",
        "required": False,
        "default": "1",
        "help": "Seats made for each unit bought.",
    }


def test_listhandlers_prints_text_without_json() -> None:
    text = run("listhandlers")
    assert "setuponecoursesession - Set up a training session (seat mode quantity)\n" in text
    assert "\n  coursename*: Short name of the course.\n" in text
    assert "\n  packsize [1]: Seats made for each unit bought.\n" in text
    assert "\n  asked per unit: reference: " in text


def test_checkparams_prints_dates_as_text() -> None:
    text = run(
        "checkparams",
        "--handler=setuponecoursesession",
        "--params=coursename=SCI&duration=180",
        "--at=2026-11-20T10:00:00+01:00",
    )
    assert text == "starts: 2026-11-20T10:00:00+01:00\nends: 2027-05-19T11:00:00+02:00\ncourses: none\n"


def test_checkparams_prints_errors_as_text() -> None:
    text = run("checkparams", "--handler=setuponecoursesession", "--params=coursename=SCI&duration=0")
    assert text == "duration: Write a whole number of days from 1 to 36500.\n"


def test_checkparams_reads_an_instant_without_offset_in_the_sellers_zone() -> None:
    document = json.loads(
        run(
            "checkparams",
            "--handler=buycourse",
            "--params=coursecategory=1",
            "--at=2026-11-20T10:00",
            "--json",
        )
    )
    assert document == {
        "starts": "2026-11-20T10:00:00+01:00",
        "ends": "2027-11-20T10:00:00+01:00",
        "courses": [],
        "errors": [],
    }


def test_checkparams_names_the_key_of_an_alias_as_it_was_typed() -> None:
    document = json.loads(
        run(
            "checkparams",
            "--handler=setuponecoursesession",
            "--params=coursename=SCI&enddate=2026-01-01",
            "--at=2026-11-20T10:00",
            "--json",
        )
    )
    assert document["errors"] == [
        {"key": "enddate", "message": "The end (2026-01-02 00:00) is not after the start (2026-11-20 10:00)."}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--handler=nothing", "--params=a=b"],
            (
                "handler: There is no automation “nothing”. There are: generateseats, setuponecoursesession, "
                "buycourse, enrolonecourse, extendenrolperiod."
            ),
        ),
        (
            ["--handler=generateseats", "--params=", "--at=soon"],
            "at: “soon” is not an ISO 8601 instant such as 2027-01-04T09:00:00+01:00.",
        ),
    ],
)
def test_checkparams_refuses_bad_arguments_with_exit_2(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        run("checkparams", *arguments)
    assert caught.value.returncode == 2
    assert str(caught.value) == message
