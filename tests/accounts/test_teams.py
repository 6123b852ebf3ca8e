"""Organisations, their teams, and who may change what."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Member, Role
from accounts.services import LastOwner, set_member
from common.audit import OPERATOR
from common.models import OutboxMail
from tests.accounts.factories import IDENTITY, PASSWORD, make_account, make_member, make_person
from tests.accounts.helpers import browser, letter, link, snapshot, who

pytestmark = pytest.mark.django_db

# --- every role on every action ---------------------------------------------------------------------------

ACTIONS = {
    "read the team": ("get", "/team/", {}),
    "add a member": ("post", "/team/", {"email": "new@example.org", "role": "manager"}),
    "change a role": ("post", "/team/{other}/role/", {"role": "buyer"}),
    "remove a member": ("post", "/team/{other}/remove/", {}),
    "write again": ("post", "/team/{other}/write/", {}),
    "read the settings": ("get", "/settings/", {}),
    "change the settings": ("post", "/settings/", IDENTITY),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "role", ["owner", "buyer", "manager", "viewer", "owner elsewhere", "no member", "nobody"]
)
def test_only_owners_see_and_change_the_team_and_the_settings(role, action):
    account = make_account()
    make_member(Role.OWNER, account=account)
    other = make_member(Role.VIEWER, account=account, person=make_person())
    if role == "nobody":
        client = browser()
    elif role == "no member":
        client = browser(make_person(password=PASSWORD))
    elif role == "owner elsewhere":
        client = browser(make_member(Role.OWNER).person)
    else:
        client = browser(make_member(Role(role), account=account).person)
    method, path, data = ACTIONS[action]
    before = snapshot()
    response = getattr(client, method)(path.format(other=other.pk), data)
    changed = snapshot() != before
    if role == "owner":
        assert response.status_code == (200 if method == "get" else 302)
        assert changed is (method == "post")
    elif role == "nobody":
        assert (response.status_code, changed) == (302, False)
        assert response["Location"].startswith("/sign/login/?next=/")
    elif role == "no member" or (role == "owner elsewhere" and "{other}" in path):
        assert (response.status_code, changed) == (404, False)
    elif role == "owner elsewhere":
        # The same address shows his own organisation.
        assert response.status_code == (200 if method == "get" else 302)
        assert list(Member.objects.filter(account=account).values_list("role", flat=True)) == [
            "owner",
            "viewer",
        ]
        assert CustomerAccount.objects.get(pk=account.pk).name == account.name
    else:
        assert (response.status_code, changed) == (403, False)


@pytest.mark.parametrize("path", ["role", "remove", "write"])
def test_changes_need_a_post(path):
    member = make_member(Role.OWNER)
    before = snapshot()
    assert browser(member.person).get(f"/team/{member.pk}/{path}/").status_code == 405
    assert snapshot() == before


def test_an_owner_of_two_organisations_changes_either_whichever_is_chosen():
    person = make_person(password=PASSWORD)
    make_member(Role.OWNER, person=person)
    second = make_member(Role.OWNER, person=person)
    viewer = make_member(Role.VIEWER, account=second.account)
    assert browser(person).post(f"/team/{viewer.pk}/role/", {"role": "buyer"}).status_code == 302
    viewer.refresh_from_db()
    assert viewer.role == "buyer"


def test_an_owner_of_one_and_viewer_of_another_may_not_change_the_other():
    person = make_person(password=PASSWORD)
    make_member(Role.OWNER, person=person)
    other = make_member(Role.OWNER)
    make_member(Role.VIEWER, account=other.account, person=person)
    before = snapshot()
    assert browser(person).post(f"/team/{other.pk}/remove/").status_code == 403
    assert snapshot() == before


# --- adding ---------------------------------------------------------------------------------------------


def words(response) -> str:
    text = response.content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|/team/\d+/|role-\d+', "", text)


def test_adding_somebody_says_the_same_for_known_and_unknown_addresses():
    """The known one has a name, a password and another organisation; nothing of it shows."""
    make_member(
        person=make_person(
            email="Some.Body@example.org", first_name="Grace", password=PASSWORD, possessed_at=timezone.now()
        )
    )
    pages = []
    for email in ("some.body@example.org", "some.blue@example.org"):
        owner = make_member(
            Role.OWNER, account=make_account(name="Same"), person=make_person(email=f"o-{email}")
        )
        client = browser(owner.person)
        page = client.post("/team/", {"email": email, "role": "manager"}, follow=True)
        assert page.redirect_chain == [("/team/", 302)]
        pages.append(words(page).replace(email, "E").replace(owner.person.name, "O"))
    assert "has not come yet" in pages[0]
    assert "Grace" not in pages[0]
    assert pages[0] == pages[1]
    assert [(mail.kind, mail.to) for mail in OutboxMail.objects.order_by("id")] == [
        ("member_added", "Some.Body@example.org"),
        ("member_invited", "some.blue@example.org"),
    ]


def test_an_added_person_chooses_a_password_and_shows_with_his_name():
    owner = make_member(Role.OWNER, person=make_person(first_name="Olga", last_name="Own", password=PASSWORD))
    browser(owner.person).post("/team/", {"email": "ben@example.org", "role": "buyer"})
    text = letter("ben@example.org")
    assert f"Olga Own of {owner.account.name} invites you" in text
    assert "ben@example.org" in text
    client = browser()
    client.post(
        link(text, "/invitation/"),
        {"first_name": "Ben", "last_name": "Own", "password": "my very own password"},
    )
    member = Member.objects.get(person__email="ben@example.org")
    assert (who(client), member.role) == (member.person_id, "buyer")
    assert member.accepted_at is not None
    assert "Ben Own" in browser(owner.person).get("/team/").content.decode()


def test_staff_who_are_added_are_written_to_and_never_invited():
    owner = make_member(Role.OWNER)
    staff = make_person(is_staff=True)
    browser(owner.person).post("/team/", {"email": staff.email, "role": "viewer"})
    assert not Invitation.objects.exists()
    assert OutboxMail.objects.get().kind == "member_added"


def test_somebody_who_is_in_the_team_is_not_added_again():
    owner = make_member(Role.OWNER)
    viewer = make_member(Role.VIEWER, account=owner.account)
    before = snapshot()
    response = browser(owner.person).post("/team/", {"email": viewer.person.email.upper(), "role": "owner"})
    assert (response.status_code, list(response.context["form"].errors)) == (200, ["email"])
    assert snapshot() == before


@pytest.mark.parametrize(
    "data",
    [
        {"email": "two@@example.org", "role": "viewer"},
        {"email": "", "role": "viewer"},
        {"email": "new@example.org", "role": "boss"},
    ],
)
def test_bad_input_adds_nobody(data):
    owner = make_member(Role.OWNER)
    before = snapshot()
    assert browser(owner.person).post("/team/", data).status_code == 200
    assert snapshot() == before


def test_writing_again_kills_the_older_link_and_is_limited():
    owner = make_member(Role.OWNER)
    client = browser(owner.person)
    client.post("/team/", {"email": "ben@example.org", "role": "viewer"})
    first = link(letter("ben@example.org"), "/invitation/")
    member = Member.objects.get(person__email="ben@example.org")
    for _ in range(4):
        client.post(f"/team/{member.pk}/write/")
    assert OutboxMail.objects.filter(to="ben@example.org").count() == 4
    assert browser().get(first).status_code == 410


def test_a_hundred_members_are_read_in_pages_with_the_same_number_of_queries():
    owner = make_member(Role.OWNER)
    client = browser(owner.person)
    client.get("/team/")
    with CaptureQueriesContext(connection) as few:
        client.get("/team/")
    for _ in range(99):
        make_member(Role.VIEWER, account=owner.account, person=make_person())
    with CaptureQueriesContext(connection) as many:
        page = client.get("/team/")
    assert len(page.context["page"]) == 50
    assert len(few) == len(many)


# --- the last owner --------------------------------------------------------------------------------------


def test_the_last_owner_is_neither_removed_nor_made_something_else():
    owner = make_member(Role.OWNER)
    make_member(Role.MANAGER, account=owner.account)
    client = browser(owner.person)
    before = snapshot()
    for path, data in ((f"/team/{owner.pk}/remove/", {}), (f"/team/{owner.pk}/role/", {"role": "buyer"})):
        page = client.post(path, data, follow=True)
        assert "keeps at least one owner" in page.content.decode()
    with pytest.raises(LastOwner):
        set_member(account=owner.account, email=owner.person.email, role="viewer", actor=OPERATOR)
    assert snapshot() == before


def test_one_of_two_owners_may_leave():
    owner = make_member(Role.OWNER)
    make_member(Role.OWNER, account=owner.account)
    assert browser(owner.person).post(f"/team/{owner.pk}/remove/")["Location"] == "/"
    assert not Member.objects.filter(pk=owner.pk).exists()
