"""setaccount, setmember, createsuperuser."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import CustomerAccount, Member, Person, Role
from common.models import AuditEntry
from tests.accounts.factories import PASSWORD, make_account, make_member
from tests.accounts.helpers import snapshot

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> object:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def refused(*arguments: str) -> str:
    """The reason of a refusal: exit 2, and nothing changed."""
    before = snapshot()
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, "--json", stdout=StringIO())
    assert caught.value.returncode == 2
    assert snapshot() == before
    return str(caught.value)


def test_setaccount_creates_an_organisation_with_an_owner():
    assert run("setaccount", "demo", "--name", "Demo", "--owner", "Owner@example.org") == {
        "slug": "demo",
        "name": "Demo",
        "members": [{"email": "Owner@example.org", "role": "owner"}],
    }
    assert AuditEntry.objects.filter(actor="operator", verb="account.created").count() == 1


def test_setaccount_again_renames_and_adds_an_owner():
    run("setaccount", "demo", "--name", "Demo", "--owner", "owner@example.org")
    assert run("setaccount", "demo", "--name", "Demo 2", "--owner", "second@example.org") == {
        "slug": "demo",
        "name": "Demo 2",
        "members": [
            {"email": "owner@example.org", "role": "owner"},
            {"email": "second@example.org", "role": "owner"},
        ],
    }
    assert CustomerAccount.objects.count() == 1


def test_setmember_adds_and_changes():
    run("setaccount", "demo", "--name", "Demo", "--owner", "owner@example.org")
    expected = {"account": "demo", "email": "m@example.org", "role": "manager"}
    assert run("setmember", "demo", "m@example.org", "--role", "manager") == expected
    assert run("setmember", "demo", "M@example.org", "--role", "viewer") == expected | {"role": "viewer"}
    assert Member.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("setaccount", "with space", "--name", "Demo", "--owner", "o@example.org"), "slug"),
        (("setaccount", "demo", "--name", " ", "--owner", "o@example.org"), "name"),
        (("setaccount", "demo", "--name", "Demo", "--owner", "nobody"), "owner"),
        (("setmember", "missing", "m@example.org", "--role", "manager"), "slug"),
        (("setmember", "known", "m@@example.org", "--role", "manager"), "email"),
        (("setmember", "known", "m@example.org", "--role", "boss"), "role"),
    ],
)
def test_bad_arguments_name_their_key_and_change_nothing(arguments, key):
    make_account(slug="known")
    assert refused(*arguments).startswith(f"{key}: ")


def test_the_last_owner_stays_an_owner():
    owner = make_member(Role.OWNER, account=make_account(slug="demo"))
    assert refused("setmember", "demo", owner.person.email, "--role", "viewer").startswith("role: ")


def test_as_text_the_members_are_listed():
    out = StringIO()
    call_command("setaccount", "demo", "--name", "Demo", "--owner", "o@example.org", stdout=out)
    assert out.getvalue().splitlines() == ["demo: Demo", "  owner: o@example.org"]


def test_createsuperuser_works(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", "Root@example.org", stdout=StringIO())
    person = Person.objects.get()
    assert (person.email, person.email_key, person.is_staff, person.is_superuser) == (
        "Root@example.org",
        "root@example.org",
        True,
        True,
    )
    assert person.check_password(PASSWORD)
