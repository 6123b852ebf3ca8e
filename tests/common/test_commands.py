"""The base of commands that print one JSON document."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext_lazy, override

from common.commands import JsonCommand, json_value


class Sample(JsonCommand):
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key")
        parser.add_argument("--at")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["key"] == "bad":
            self.refuse("key", "bad is not good.")
        self.emit({"at": self.instant("at", options["at"]), "price": Decimal(100)}, ["one", "two"])
        if options["key"] == "failed":
            self.fail("It failed.")


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(Sample(), *arguments, stdout=output)
    return output.getvalue()


def test_with_json_it_prints_one_document_and_nothing_else() -> None:
    assert json.loads(run("--json", "--at=2027-01-04T09:00")) == {
        "at": "2027-01-04T09:00:00+01:00",
        "price": "100.00",
    }


def test_without_json_it_prints_the_text() -> None:
    assert run() == "one\ntwo\n"


def test_a_refusal_names_the_key_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "sample"])
    with pytest.raises(SystemExit) as caught:
        Sample().run_from_argv(["manage.py", "sample", "--json", "--key=bad"])
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "CommandError: key: bad is not good.\n"


def test_bad_news_ends_with_1_after_the_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        Sample().run_from_argv(["manage.py", "sample", "--json", "--key=failed"])
    assert caught.value.code == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["price"] == "100.00"
    assert printed.err == "CommandError: It failed.\n"


@pytest.mark.parametrize("text", ["tomorrow", "2027-02-30", "9999-12-31T23:59:59-23:00", ""])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(f"--at={text}")
    assert caught.value.returncode == 2
    assert str(caught.value) == f"at: “{text}” is not an ISO 8601 instant such as 2027-01-04T09:00:00+01:00."


def test_values_that_json_does_not_know() -> None:
    assert json_value(Decimal("1234.5")) == "1234.50"
    assert json_value(datetime(2027, 7, 31, 22, tzinfo=UTC)) == "2027-08-01T00:00:00+02:00"
    assert json_value(date(2027, 7, 31)) == "2027-07-31"
    assert json_value(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
    with override("fr"):
        assert json_value(gettext_lazy("Yes")) == "Oui"


@pytest.mark.parametrize("value", [datetime(2027, 7, 31), {1}, b"x"])
def test_anything_else_is_an_error_of_the_programmer(value: object) -> None:
    with pytest.raises(TypeError):
        json_value(value)
