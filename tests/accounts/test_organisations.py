"""Organisations: naming, choosing and describing them; oneself."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError

from accounts.models import CustomerAccount, Member, Role
from accounts.services import create_account, set_account, set_member
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, OutboxMail
from tests.accounts.factories import IDENTITY, PASSWORD, make_account, make_member, make_person
from tests.accounts.helpers import browser, snapshot

pytestmark = pytest.mark.django_db


def test_a_person_without_organisation_names_one_and_goes_on():
    person = make_person(password=PASSWORD)
    client = browser(person)
    path = "/buy/SEATS?quantity=10"
    assert client.get("/organisation/", {"next": path}).status_code == 200
    response = client.post(
        "/organisation/", {"name": "  Port  de Brest ", "siren": "40483304800022", "next": path}
    )
    assert (response.status_code, response["Location"]) == (302, path)
    member = Member.objects.get()
    assert (member.person, member.role, member.account.name, member.account.slug, member.account.siren) == (
        person,
        "owner",
        "Port de Brest",
        "port-de-brest",
        "404833048",
    )
    assert member.accepted_at is not None


def test_a_wrong_siren_is_told_and_makes_nothing():
    client = browser(make_person(password=PASSWORD))
    response = client.post("/organisation/", {"name": "Port de Brest", "siren": "404833049"})
    assert (response.status_code, list(response.context["form"].errors)) == (200, ["siren"])
    assert not CustomerAccount.objects.exists()


def test_two_clicks_make_one_organisation():
    person = make_person()
    first = create_account(name="Port de Brest", owner=person)
    assert create_account(name="Port  de Brest", owner=person) == first
    assert CustomerAccount.objects.count() == 1


def test_organisations_of_the_same_name_have_slugs_of_their_own():
    one = create_account(name="Formation", owner=make_person())
    two = create_account(name="Formation", owner=make_person())
    three = create_account(name="株式会社", owner=make_person())
    assert one.slug == "formation"
    assert re.fullmatch(r"formation-[0-9a-f]{6}", two.slug)
    assert three.slug == "organisation"


def test_one_switches_between_ones_own_organisations_only():
    person = make_person(password=PASSWORD)
    make_member(Role.OWNER, person=person)
    second = make_member(Role.OWNER, person=person)
    foreign = make_account()
    client = browser(person)
    first_name = client.get("/settings/").context["request"].account.name
    assert first_name != second.account.name
    assert client.post("/switch/", {"account": second.account.slug, "next": "/team/"})["Location"] == "/team/"
    assert client.get("/settings/").context["request"].account == second.account
    assert client.post("/switch/", {"account": foreign.slug}).status_code == 404
    assert client.get("/settings/").context["request"].account == second.account
    assert client.get("/switch/").status_code == 405


def test_a_membership_that_ended_is_no_longer_chosen():
    person = make_person(password=PASSWORD)
    first = make_member(Role.OWNER, person=person)
    second = make_member(Role.VIEWER, person=person)
    client = browser(person)
    client.post("/switch/", {"account": second.account.slug})
    second.delete()
    assert client.get("/settings/").context["request"].account == first.account


def test_the_settings_keep_checked_numbers():
    owner = make_member(Role.OWNER)
    assert browser(owner.person).post("/settings/", IDENTITY)["Location"] == "/settings/"
    account = CustomerAccount.objects.get()
    assert (account.name, account.legal_name, account.siren, account.vat_number, account.city) == (
        "New name",
        "New name SAS",
        "404833048",
        "FR83404833048",
        "Brest",
    )
    assert AuditEntry.objects.get().verb == "account.changed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"siren": "123"}, "siren"),
        ({"vat_number": "FR00404833048"}, "vat_number"),
        ({"vat_number": "83404833048"}, "vat_number"),
        ({"vat_number": "BE0000000000", "country": "BE"}, "vat_number"),
        ({"name": ""}, "name"),
        ({"country": "ZZ"}, "country"),
    ],
)
def test_wrong_settings_are_told_beside_the_field_and_nothing_is_kept(change, field):
    owner = make_member(Role.OWNER)
    before = snapshot()
    response = browser(owner.person).post("/settings/", IDENTITY | change)
    assert (response.status_code, list(response.context["form"].errors)) == (200, [field])
    assert snapshot() == before


def test_numbers_of_other_countries_are_kept_as_typed():
    owner = make_member(Role.OWNER)
    browser(owner.person).post(
        "/settings/", IDENTITY | {"vat_number": "CHE-123.456.788  TVA", "country": "CH", "siren": ""}
    )
    assert CustomerAccount.objects.get().vat_number == "CHE-123.456.788 TVA"


def test_one_edits_ones_own_name_and_language():
    person = make_person(password=PASSWORD, first_name="", last_name="", name_is_guess=True)
    client = browser(person)
    response = client.post("/profile/", {"first_name": "Ana", "last_name": "Ruiz", "language": "fr"})
    assert (response["Location"], response.cookies["django_language"].value) == ("/profile/", "fr")
    person.refresh_from_db()
    assert (person.name, person.language, person.name_is_guess) == ("Ana Ruiz", "fr", False)
    assert 'lang="fr"' in client.get("/profile/").content.decode()


# --- services ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"slug": "with space"}, "slug"),
        ({"slug": "x" * 61}, "slug"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"owner_email": "two@@example.org"}, "owner"),
    ],
)
def test_a_bad_account_is_refused_with_its_key_and_nothing_is_made(change, key):
    values = {"slug": "demo", "name": "Demo", "owner_email": "o@example.org", "actor": OPERATOR}
    with pytest.raises(ValidationError) as caught:
        set_account(**(values | change))
    assert list(caught.value.message_dict) == [key]
    assert snapshot() == [[], [], [], [], [], []]


def test_setting_an_account_twice_renames_it_and_keeps_other_owners():
    first = set_account(slug="demo", name="Demo", owner_email="o@example.org", actor=OPERATOR)
    second = set_account(slug="demo", name="Demo 2", owner_email="p@example.org", actor=OPERATOR)
    assert first.pk == second.pk
    assert CustomerAccount.objects.get().name == "Demo 2"
    assert list(Member.objects.values_list("person__email", "role")) == [
        ("o@example.org", "owner"),
        ("p@example.org", "owner"),
    ]
    set_account(slug="demo", name="Demo 2", owner_email="P@example.org", actor=OPERATOR)
    assert OutboxMail.objects.count() == 2


def test_the_audit_says_who_changed_whom_without_an_address():
    owner = make_member(Role.OWNER)
    member = set_member(
        account=owner.account, email="ben@example.org", role="viewer", actor=Actor.person(owner.person_id)
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.object, entry.scope, entry.why) == (
        f"person:{owner.person_id}",
        "member.added",
        f"person:{member.person_id}",
        f"account:{owner.account_id}",
        "viewer",
    )
