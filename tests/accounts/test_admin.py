"""People and organisations in the back office."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import CustomerAccount, Member, Person, Role
from tests.accounts.factories import PASSWORD, make_account, make_member, make_person
from tests.accounts.helpers import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return browser(Person.objects.create_superuser("root@example.org", PASSWORD))


def test_people_are_found_by_address_however_it_is_typed(staff):
    make_person(email="Ana.Ruiz@example.org")
    make_person(email="other@example.org")
    page = staff.get(reverse("admin:accounts_person_changelist"), {"q": " ANA.ruiz@Example.org"})
    assert [person.email for person in page.context["cl"].result_list] == ["Ana.Ruiz@example.org"]


def test_a_person_is_made_without_a_password(staff):
    response = staff.post(
        reverse("admin:accounts_person_add"),
        {"email": " Ana@example.org ", "first_name": "Ana", "last_name": "Ruiz", "usable_password": "false"},
    )
    assert response.status_code == 302
    person = Person.objects.get(email_key="ana@example.org")
    assert person.email == "Ana@example.org"
    assert not person.has_usable_password()
    assert person.possessed_at is None


@pytest.mark.parametrize("email", ["ROOT@example.org", "two@@example.org"])
def test_a_taken_or_bad_address_is_told_beside_the_field(staff, email):
    response = staff.post(reverse("admin:accounts_person_add"), {"email": email, "usable_password": "false"})
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["email"]
    assert Person.objects.count() == 1


def test_a_person_is_edited(staff):
    person = make_person(email="ana@example.org")
    page = reverse("admin:accounts_person_change", args=[person.pk])
    assert staff.get(page).status_code == 200
    response = staff.post(
        page,
        {
            "email": "ana@example.com",
            "first_name": "Ana",
            "last_name": "R",
            "language": "en",
            "is_active": "on",
        },
    )
    assert response.status_code == 302
    person.refresh_from_db()
    assert (person.email, person.email_key, person.last_name) == ("ana@example.com", "ana@example.com", "R")


def members_form(account: CustomerAccount, *members: tuple[Member | None, Person, str]) -> dict[str, object]:
    data: dict[str, object] = {
        "name": account.name,
        "slug": account.slug,
        "country": "FR",
        "members-TOTAL_FORMS": len(members),
        "members-INITIAL_FORMS": sum(1 for member, _, _ in members if member),
        "members-MIN_NUM_FORMS": 1,
        "members-MAX_NUM_FORMS": 1000,
    }
    for number, (member, person, role) in enumerate(members):
        data[f"members-{number}-id"] = member.pk if member else ""
        data[f"members-{number}-account"] = account.pk
        data[f"members-{number}-person"] = person.pk
        data[f"members-{number}-role"] = role
    return data


def test_an_organisation_is_edited_with_its_members(staff):
    owner = make_member(Role.OWNER)
    page = reverse("admin:accounts_customeraccount_change", args=[owner.account_id])
    assert staff.get(page).status_code == 200
    viewer = make_person()
    response = staff.post(
        page, members_form(owner.account, (owner, owner.person, "owner"), (None, viewer, "viewer"))
    )
    assert response.status_code == 302
    assert list(Member.objects.values_list("person", "role")) == [
        (owner.person_id, "owner"),
        (viewer.pk, "viewer"),
    ]


def test_an_organisation_keeps_an_owner_in_the_back_office_too(staff):
    owner = make_member(Role.OWNER)
    page = reverse("admin:accounts_customeraccount_change", args=[owner.account_id])
    response = staff.post(page, members_form(owner.account, (owner, owner.person, "viewer")))
    assert response.status_code == 200
    assert "keeps at least one owner" in response.content.decode()
    owner.refresh_from_db()
    assert owner.role == "owner"


def test_organisations_are_found_by_a_member(staff):
    member = make_member(Role.OWNER)
    make_account()
    page = staff.get(reverse("admin:accounts_customeraccount_changelist"), {"q": member.person.email})
    assert [account.pk for account in page.context["cl"].result_list] == [member.account_id]


def test_a_new_organisation_proposes_its_short_name(staff):
    assert staff.get(reverse("admin:accounts_customeraccount_add")).status_code == 200
