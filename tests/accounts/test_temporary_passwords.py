"""Temporary passwords (SHOPSEATS_CREDENTIALS=password): mailed, changed at once, ended with their invitation."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Invitation, Person
from accounts.services import InvitationClosed, issue_password, renew_invitation, revoke_invitations
from delegation.models import Delegation
from tests.accounts.factories import OWN, make_account, make_invitation, make_invited, make_person
from tests.accounts.helpers import browser, letter, link, sign_in, use, who

pytestmark = pytest.mark.django_db


def make_temporary(settings, **fields) -> tuple[Invitation, str]:
    settings.SHOPSEATS_CREDENTIALS = "password"
    invitation = make_invitation(**fields)
    password = issue_password(invitation_id=invitation.pk)
    invitation.refresh_from_db()
    return invitation, password


def test_a_temporary_password_is_kept_as_a_hash_only(settings):
    invitation, password = make_temporary(settings)
    person = Person.objects.get(pk=invitation.person_id)
    assert re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", password)
    assert password not in repr(Person.objects.values().get(pk=person.pk))
    assert person.check_password(password)
    assert person.must_change_password
    assert person.possessed_at is None


def test_a_mail_sent_twice_carries_the_same_temporary_password(settings):
    invitation, password = make_temporary(settings)
    assert issue_password(invitation_id=invitation.pk) == password


def test_the_first_sign_in_with_a_temporary_password_sees_nothing_but_the_choice_of_another(settings):
    account, person = make_account(), make_person()
    delegation = Delegation.objects.create(account=account, person=person, email=person.email)
    invitation, password = make_temporary(settings, account=account, person=person)
    client = browser()
    assert sign_in(client, person.email, password, next="/learn/") == 302
    assert who(client) == person.pk
    assert client.get("/learn/?a=1")["Location"] == "/password/?next=%2Flearn%2F%3Fa%3D1"
    assert client.post("/team/")["Location"] == "/password/"
    assert client.get("/password/").status_code == 200
    assert client.post("/password/", {"password": password}).status_code == 200
    assert client.post("/password/", {"password": "short"}).status_code == 200
    response = client.post("/password/", {"password": OWN, "next": "/learn/?a=1"})
    assert (response.status_code, response["Location"]) == (302, "/learn/?a=1")
    assert who(client) == person.pk
    person.refresh_from_db()
    invitation.refresh_from_db()
    delegation.refresh_from_db()
    assert person.check_password(OWN)
    assert not person.must_change_password
    assert person.possessed_at is not None
    assert invitation.used_at is not None
    assert delegation.accepted_at is not None
    assert EmailAddress.objects.get(user=person).verified
    assert client.get("/password/")["Location"] == "/start/"


def test_who_has_no_name_yet_gives_it_with_the_password(settings):
    person = make_person(first_name="", last_name="", name_is_guess=True)
    _, password = make_temporary(settings, person=person)
    client = browser()
    sign_in(client, person.email, password)
    assert list(client.get("/password/").context["form"].fields) == ["first_name", "last_name", "password"]
    assert client.post("/password/", {"password": OWN}).status_code == 200
    client.post("/password/", {"first_name": "Ben", "last_name": "Own", "password": OWN})
    person.refresh_from_db()
    assert (person.name, person.name_is_guess) == ("Ben Own", False)
    assert person.check_password(OWN)


def test_one_may_sign_out_before_choosing(settings):
    invitation, password = make_temporary(settings)
    client = browser()
    sign_in(client, invitation.person.email, password)
    client.post("/sign/logout/")
    assert who(client) is None


def test_a_temporary_password_dies_with_its_invitation(settings):
    invitation, password = make_temporary(settings)
    Invitation.objects.update(expires_at=timezone.now())
    client = browser()
    assert sign_in(client, invitation.person.email, password) == 200
    assert who(client) is None
    assert Person.objects.get(pk=invitation.person_id).possessed_at is None


def test_a_revoked_invitation_takes_its_temporary_password_along(settings):
    invitation, password = make_temporary(settings)
    revoke_invitations(account_id=invitation.account_id, person_ids=[invitation.person_id])
    assert sign_in(browser(), invitation.person.email, password) == 200


def test_who_comes_too_late_asks_for_a_link_to_choose_a_password(settings):
    invitation, _ = make_temporary(settings, person=make_person(email="ben@example.org"))
    Invitation.objects.update(expires_at=timezone.now())
    browser().post("/sign/password/reset/", {"email": "ben@example.org"})
    client = browser()
    form = client.get(link(letter("ben@example.org"), "/sign/password/reset/key/"))["Location"]
    client.post(form, {"password1": OWN})
    assert who(client) == invitation.person_id
    assert client.get("/start/")["Location"] == "/"


def test_a_renewed_invitation_mails_a_new_temporary_password(settings):
    invitation, first = make_temporary(settings, person=make_person(email="ben@example.org"))
    new = renew_invitation(invitation_id=invitation.pk)
    second = issue_password(invitation_id=new.pk)
    assert second != first
    person = Person.objects.get(pk=invitation.person_id)
    assert person.check_password(second)
    assert not person.check_password(first)


def test_who_has_chosen_a_password_is_never_given_a_temporary_one(settings):
    invitation, token = make_invited()
    use(token)
    other = make_invitation(person=Person.objects.get(pk=invitation.person_id))
    with pytest.raises(InvitationClosed):
        issue_password(invitation_id=other.pk)
    assert Person.objects.get(pk=invitation.person_id).check_password(OWN)
