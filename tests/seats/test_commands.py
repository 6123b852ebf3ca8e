"""The commands of DESIGN section 9 that this app has, with their JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from accounts.models import CustomerAccount, Person
from courses.models import Course
from seats.models import Assignment, AssignmentBatch, AssignmentRow, SeatPool
from seats.services import record_opening
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, references, states

pytestmark = pytest.mark.django_db

SEAT_KEYS = ["reference", "session", "item", "state", "course", "email", "role", "group", "starts", "ends"]


@pytest.fixture
def account() -> CustomerAccount:
    return make_account(slug="acme")


@pytest.fixture
def course() -> Course:
    return make_course("EXCEL")


@pytest.fixture
def pool(account) -> SeatPool:
    return make_pool(account, 3, bill_number="CMD-1", access_seconds=86_400)


@pytest.fixture
def run(capsys):
    """Run a command; its JSON document."""

    def run(*args: Any) -> Any:
        call_command(*map(str, args), "--json")
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str | bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


class TestAssignseats:
    def assign(self, path: Path, *more: str) -> list[str]:
        return ["assignseats", "--account", "acme", "--course", "EXCEL", "--file", str(path), *more]

    LIST = "email;firstname;lastname\nnew@x.org;Ada;L\nKNOWN@x.org;;\nin@x.org;;\nnew@x.org;;\nbad;;\nc@x.org;;\nd@x.org;;\n"

    def test_rows_with_verdict_outcome_seat_and_totals(self, account, course, pool, run, write):
        make_person(email="known@x.org")
        make_enrolment(course, make_person(email="in@x.org"))

        document = run(*self.assign(write(self.LIST)))

        assert list(document) == ["course", "rows", "totals"]
        assert document["course"] == "EXCEL"
        assert [list(row) for row in document["rows"]] == [
            ["row", "email", "verdict", "outcome", "seat", "message"]
        ] * 7
        seats = references(pool)
        assert [(row["row"], row["verdict"], row["outcome"], row["seat"]) for row in document["rows"]] == [
            (1, "new_account", "assigned", seats[0]),
            (2, "existing_account", "assigned", seats[1]),
            (3, "already_enrolled", "unchanged", None),
            (4, "duplicate", "unchanged", None),
            (5, "invalid", "refused", None),
            (6, "new_account", "assigned", seats[2]),
            (7, "no_seat", "refused", None),
        ]
        assert all(row["message"] for row in document["rows"])
        assert document["totals"] == {
            "new_account": 2,
            "existing_account": 1,
            "already_enrolled": 1,
            "duplicate": 1,
            "invalid": 1,
            "no_seat": 1,
            "not_allowed": 0,
            "seats_used": 3,
            "free_left": 0,
        }

    def test_a_dry_run_tells_the_same_and_leaves_nothing_behind(self, account, course, pool, run, write):
        people = list(Person.objects.all())

        document = run(*self.assign(write("new@x.org\nbad@\n"), "--dry-run"))

        assert [(row["verdict"], row["outcome"], row["seat"]) for row in document["rows"]] == [
            ("new_account", None, None),
            ("invalid", None, None),
        ]
        assert (document["totals"]["seats_used"], document["totals"]["free_left"]) == (1, 2)
        assert not AssignmentBatch.objects.exists()
        assert not AssignmentRow.objects.exists()
        assert list(Person.objects.all()) == people
        assert states(account) == {"free": 3}

    def test_which_courses_the_seats_cover_is_another_matter_than_free_seats(
        self, account, course, run, write
    ):
        make_pool(account, 2, courselist="WORD")

        document = run(*self.assign(write("a@x.org")))

        assert [(row["verdict"], row["outcome"]) for row in document["rows"]] == [("not_allowed", "refused")]
        assert (document["totals"]["seats_used"], document["totals"]["free_left"]) == (0, 2)

    @pytest.mark.parametrize("fields", [{"is_space": True}, {"is_template": True}, {"is_support": True}])
    @pytest.mark.parametrize("courselist", ["", "EXCEL", "*"])
    def test_no_command_reaches_a_course_space_a_template_or_a_support_course(
        self, account, run, write, fields, courselist
    ):
        make_course("EXCEL", **fields)
        make_pool(account, 2, courselist=courselist)

        document = run(*self.assign(write("a@x.org")))

        assert [(row["verdict"], row["outcome"]) for row in document["rows"]] == [("not_allowed", "refused")]
        assert not Person.objects.exists()
        assert states(account) == {"free": 2}

    def test_a_workbook_with_french_headers(self, account, course, pool, run, tmp_path):
        workbook = Workbook()
        sheet = workbook.create_sheet(index=0)
        sheet.append(["Prénom", "Nom", "Courriel", "Rôle", "Service"])
        sheet.append(["Zoé", "Œuvre", "zoe@x.org", "tuteur", "RH"])
        path = tmp_path / "people.xlsx"
        workbook.save(path)

        run(*self.assign(path))

        assignment = Assignment.objects.get()
        assert (assignment.first_name, assignment.role) == ("Zoé", "teacher")

    def test_the_same_file_again_changes_nothing(self, account, course, pool, run, write):
        path = write("a@x.org\nb@x.org\n")
        run(*self.assign(path))

        document = run(*self.assign(path))

        assert [row["outcome"] for row in document["rows"]] == ["unchanged", "unchanged"]
        assert (document["totals"]["seats_used"], document["totals"]["free_left"]) == (0, 1)

    @pytest.mark.parametrize(
        ("change", "key"),
        [
            ({"--account": "nowhere"}, "account"),
            ({"--course": "NOWHERE"}, "course"),
            ({"--file": "/no/such/file.csv"}, "file"),
        ],
    )
    def test_bad_arguments_exit_2_with_the_key_and_change_nothing(self, course, pool, write, change, key):
        arguments = self.assign(write("a@x.org"))
        for name, value in change.items():
            arguments[arguments.index(name) + 1] = value

        with pytest.raises(CommandError, match=rf"^{key}: ") as error:
            call_command(*arguments, "--json")

        assert error.value.returncode == 2
        assert not AssignmentBatch.objects.exists()

    @pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"no address in here"])
    def test_what_is_no_list_is_one_clear_message(self, account, course, pool, write, content):
        with pytest.raises(CommandError, match=r"^file: ") as error:
            call_command(*self.assign(write(content)), "--json")

        assert error.value.returncode == 2
        assert not AssignmentBatch.objects.exists()

    def test_a_text_for_people_too(self, account, course, pool, write, capsys):
        call_command(*self.assign(write("a@x.org")))

        out = capsys.readouterr().out
        assert "a@x.org  new_account  assigned" in out
        assert "seats_used: 1" in out


class TestListseats:
    def test_each_seat_is_an_object(self, account, course, pool, run):
        given = give(account, course, "ada@x.org")

        document = run("listseats", "--account", "acme")

        assert [list(seat) for seat in document] == [SEAT_KEYS] * 3
        assert document[0] == {
            "reference": given.seat.reference,
            "session": None,
            "item": "SEATS",
            "state": "assigned",
            "course": "EXCEL",
            "email": "ada@x.org",
            "role": "student",
            "group": "CMD-1",
            "starts": document[0]["starts"],
            "ends": document[0]["ends"],
        }
        assert document[0]["starts"][-6] in "+-"
        assert set(document[1].values()) == {references(pool)[1], None, "SEATS", "free"}

    def test_filters(self, account, course, pool, run):
        give(account, course, "ada@x.org")

        assert len(run("listseats", "--account", "acme", "--course", "EXCEL")) == 1
        assert len(run("listseats", "--account", "acme", "--state", "free")) == 2
        assert run("listseats", "--account", "acme", "--state", "free", "--course", "EXCEL") == []

    @pytest.mark.parametrize(
        ("name", "value"), [("--account", "nowhere"), ("--course", "NOWHERE"), ("--state", "x")]
    )
    def test_bad_arguments_exit_2(self, account, name, value):
        arguments = {"--account": "acme"} | {name: value}

        with pytest.raises(CommandError) as error:
            call_command("listseats", *[text for pair in arguments.items() for text in pair], "--json")

        assert error.value.returncode == 2 or "invalid choice" in str(error.value)


class TestReleaseseat:
    def test_the_seat_is_printed_free(self, account, course, pool, run):
        given = give(account, course, "ada@x.org")

        document = run("releaseseat", given.seat.reference.lower().replace("-", " "), "--why", "typo")

        assert list(document) == SEAT_KEYS
        assert (document["state"], document["email"]) == ("free", None)

    def test_a_started_seat_is_printed_unchanged_with_exit_1(self, account, course, pool, capsys):
        given = give(account, course, "ada@x.org")
        record_opening(person_id=given.holder_id, course_id=course.pk)

        with pytest.raises(CommandError) as error:
            call_command("releaseseat", given.seat.reference, "--json")

        assert error.value.returncode == 1
        assert json.loads(capsys.readouterr().out)["state"] == "consumed"

    def test_an_unknown_reference_exits_2(self):
        with pytest.raises(CommandError, match=r"^reference: ") as error:
            call_command("releaseseat", "AAAA-BBBB", "--json")

        assert error.value.returncode == 2


class TestReplaceseat:
    def test_the_seat_is_printed_with_the_new_person(self, account, course, pool, run):
        given = give(account, course, "ada@x.org")

        document = run("replaceseat", given.seat.reference, "--email", "bob@x.org", "--firstname", "Bob")

        assert (document["state"], document["email"], document["course"]) == (
            "assigned",
            "bob@x.org",
            "EXCEL",
        )
        assert Person.objects.get(email="bob@x.org").first_name == "Bob"

    def test_somebody_already_enrolled_is_refused_with_exit_1(self, account, course, pool, capsys):
        given = give(account, course, "ada@x.org")
        make_enrolment(course, make_person(email="in@x.org"))

        with pytest.raises(CommandError) as error:
            call_command("replaceseat", given.seat.reference, "--email", "in@x.org", "--json")

        assert error.value.returncode == 1
        assert json.loads(capsys.readouterr().out)["email"] == "ada@x.org"

    def test_a_bad_address_exits_2(self, account, course, pool):
        given = give(account, course, "ada@x.org")

        with pytest.raises(CommandError, match=r"^email: ") as error:
            call_command("replaceseat", given.seat.reference, "--email", "bad", "--json")

        assert error.value.returncode == 2


def test_seathistory_tells_every_step(account, course, pool, run):
    given = give(account, course, "ada@x.org")
    run("releaseseat", given.seat.reference)

    document = run("seathistory", given.seat.reference)

    assert list(document[0]) == [
        "at", "step", "by", "email", "course", "role", "starts", "ends", "reason", "why",
    ]  # fmt: skip
    assert [(step["step"], step["email"], step["by"], step["reason"]) for step in document] == [
        ("made", None, None, None),
        ("given", "ada@x.org", "operator", None),
        ("ended", "ada@x.org", "operator", "taken_back"),
    ]
