"""`manage.py listdelegations`."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from delegation.services import Delegated, delegate
from tests.accounts.factories import make_account, make_person

pytestmark = pytest.mark.django_db


def test_the_people_of_an_account_are_printed(capsys):
    account = make_account(slug="acme")
    created, found = make_person(email="new@x.org"), make_person(email="known@x.org")
    delegate(
        account_id=account.pk,
        entries=[Delegated(created.pk, True, "new@x.org"), Delegated(found.pk, False, "Known@x.org")],
    )

    call_command("listdelegations", "--account", "acme", "--json")

    document = json.loads(capsys.readouterr().out)
    assert [list(row) for row in document] == [["email", "created_by_account", "status", "since"]] * 2
    assert [(row["email"], row["created_by_account"], row["status"]) for row in document] == [
        ("new@x.org", True, "invited"),
        ("Known@x.org", False, "invited"),
    ]
    call_command("listdelegations", "--account", "acme")
    assert "new@x.org" in capsys.readouterr().out


def test_an_unknown_account_is_a_bad_argument():
    with pytest.raises(CommandError, match="account: ") as error:
        call_command("listdelegations", "--account", "nowhere", "--json")

    assert error.value.returncode == 2
