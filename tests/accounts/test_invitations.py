"""Invitations: the one-use link, the temporary password, and their ends."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Invitation, Member, Person, Role
from accounts.services import (
    InvitationClosed,
    issue_password,
    issue_token,
    renew_invitation,
    revoke_invitations,
)
from common.models import AuditEntry, OutboxMail
from delegation.models import Delegation
from tests.accounts.factories import (
    OWN,
    PASSWORD,
    make_account,
    make_invitation,
    make_invited,
    make_member,
    make_person,
)
from tests.accounts.helpers import browser, letter, link, sign_in, use, who

pytestmark = pytest.mark.django_db


def test_only_the_hash_of_a_token_is_kept():
    invitation, token = make_invited()
    assert len(token) == 32
    assert invitation.token_hash != token
    assert token not in repr(Invitation.objects.values().get())
    assert invitation.notice_version == "7"
    assert invitation.expires_at is not None
    assert invitation.sent_at is not None
    assert invitation.expires_at - invitation.sent_at == timedelta(days=30)


def test_a_mail_sent_twice_carries_the_same_link():
    invitation, token = make_invited()
    assert issue_token(invitation_id=invitation.pk) == token


def test_tokens_of_different_invitations_differ():
    assert make_invited()[1] != make_invited()[1]


def test_looking_at_the_link_changes_nothing():
    invitation, token = make_invited(person=make_person(email="ben@example.org"))
    before = Invitation.objects.values().get(), Person.objects.filter(pk=invitation.person_id).values().get()
    page = browser().get(f"/invitation/{token}/")
    browser().head(f"/invitation/{token}/")
    assert page.status_code == 200
    assert "ben@example.org" in page.content.decode()
    assert invitation.account.name in page.content.decode()
    assert (
        Invitation.objects.values().get(),
        Person.objects.filter(pk=invitation.person_id).values().get(),
    ) == before


def test_choosing_a_password_takes_possession_and_signs_in():
    account = make_account()
    person = make_person(email="ben@example.org", first_name="", last_name="", name_is_guess=True)
    delegation = Delegation.objects.create(
        account=account, person=person, email=person.email, created_login=True
    )
    invitation, token = make_invited(account=account, person=person)
    client = browser()
    response = use(token, client)
    assert (response.status_code, response["Location"]) == (302, "/learn/")
    assert who(client) == person.pk
    person.refresh_from_db()
    invitation.refresh_from_db()
    delegation.refresh_from_db()
    assert person.check_password(OWN)
    assert (person.name, person.name_is_guess) == ("Ben Own", False)
    assert person.possessed_at is not None
    assert invitation.used_at == person.possessed_at
    assert EmailAddress.objects.get(user=person).verified
    assert delegation.accepted_at is not None
    assert AuditEntry.objects.filter(verb="invitation.used", scope=f"account:{account.pk}").count() == 1


def test_afterwards_one_signs_in_with_that_password():
    invitation, token = make_invited()
    use(token)
    client = browser()
    assert sign_in(client, invitation.person.email, OWN) == 302
    assert who(client) == invitation.person_id


def test_the_page_one_is_invited_to_follows():
    _, token = make_invited()
    page = browser().get(f"/invitation/{token}/", {"next": "/learn/SPOC1/"})
    assert 'name="next" value="/learn/SPOC1/"' in page.content.decode()
    assert use(token, next="/learn/SPOC1/")["Location"] == "/learn/SPOC1/"


def test_no_invitation_leads_to_another_site():
    _, token = make_invited()
    assert use(token, next="https://evil.example/")["Location"] == "/learn/"


def test_a_weak_password_or_a_missing_name_consumes_nothing():
    invitation, token = make_invited()
    assert use(token, password="short").status_code == 200
    assert use(token, first_name=" ").status_code == 200
    invitation.refresh_from_db()
    assert invitation.used_at is None
    assert not Person.objects.get(pk=invitation.person_id).has_usable_password()


def test_a_link_works_once():
    invitation, token = make_invited()
    use(token)
    again = browser()
    assert use(token, again, password="somebody else's password").status_code == 410
    assert again.get(f"/invitation/{token}/").status_code == 410
    assert who(again) is None
    assert Person.objects.get(pk=invitation.person_id).check_password(OWN)


CLOSED = {
    "expired": {"expires_at": timezone.now() - timedelta(seconds=1)},
    "used": {"used_at": timezone.now()},
    "replaced": {"replaced_at": timezone.now()},
    "revoked": {"revoked_at": timezone.now()},
}


@pytest.mark.parametrize("state", [*CLOSED, "unknown"])
def test_a_closed_link_lets_nobody_in_and_all_say_the_same(state):
    reference = browser().get("/invitation/no-such-token/")
    invitation, token = make_invited()
    if state != "unknown":
        Invitation.objects.filter(pk=invitation.pk).update(**CLOSED[state])
    else:
        token = "another-unknown-token"
    response = use(token)
    assert response.status_code == 410
    assert not Person.objects.get(pk=invitation.person_id).has_usable_password()

    def words(page) -> str:
        return re.sub(
            r'name="csrfmiddlewaretoken" value="[^"]*"|/invitation/[^/"]+/|next=[^"]*',
            "",
            page.content.decode(),
        )

    assert words(browser().get(f"/invitation/{token}/")) == words(reference)


def test_a_new_link_goes_to_the_same_address_only_and_the_old_one_dies():
    person = make_person(email="ben@example.org")
    invitation, token = make_invited(person=person)
    Invitation.objects.update(expires_at=timezone.now())
    response = browser().post(f"/invitation/{token}/renew/", {"email": "attacker@example.org"})
    assert response.status_code == 200
    mail = OutboxMail.objects.get()
    new = Invitation.objects.exclude(pk=invitation.pk).get()
    assert (mail.kind, mail.to, mail.ids) == ("invitation_renewed", "ben@example.org", {"invitation": new.pk})
    address = link(letter("ben@example.org"), "/invitation/")
    assert browser().get(f"/invitation/{token}/").status_code == 410
    client = browser()
    client.post(address, {"first_name": "Ben", "last_name": "Own", "password": OWN})
    assert who(client) == person.pk


def test_a_renewal_answers_the_same_whatever_has_become_of_the_link():
    pages = set()
    for state in ("expired", "used", "replaced", "revoked"):
        invitation, token = make_invited()
        Invitation.objects.filter(pk=invitation.pk).update(**CLOSED[state])
        response = browser().post(f"/invitation/{token}/renew/")
        pages.add((response.status_code, _without_token(response)))
    response = browser().post("/invitation/unknown/renew/")
    pages.add((response.status_code, _without_token(response)))
    assert len(pages) == 1
    assert sorted(mail.kind for mail in OutboxMail.objects.all()) == [
        "account_exists",
        "invitation_renewed",
        "invitation_renewed",
    ]


def _without_token(response) -> str:
    return re.sub(
        r'name="csrfmiddlewaretoken" value="[^"]*"|/invitation/[^/"]+/', "", response.content.decode()
    )


def test_an_account_that_revoked_its_invitation_is_not_renewed():
    invitation, token = make_invited()
    assert revoke_invitations(account_id=invitation.account_id, person_ids=[invitation.person_id]) == 1
    browser().post(f"/invitation/{token}/renew/")
    assert not OutboxMail.objects.exists()


def test_a_fourth_renewal_in_an_hour_mails_nothing_and_says_the_same():
    _, token = make_invited()
    pages = {_without_token(browser().post(f"/invitation/{token}/renew/")) for _ in range(4)}
    assert len(pages) == 1
    assert OutboxMail.objects.filter(kind="invitation_renewed").count() == 3


def test_renewing_needs_a_post():
    _, token = make_invited()
    assert browser().get(f"/invitation/{token}/renew/").status_code == 405


def test_guessing_tokens_is_limited():
    client = browser()
    for _ in range(60):
        client.get("/invitation/guess/")
    assert client.get("/invitation/guess/").status_code == 429


def test_somebody_who_has_a_password_meanwhile_signs_in_and_accepts():
    account, person = make_account(), make_person(password=PASSWORD)
    delegation = Delegation.objects.create(account=account, person=person, email=person.email)
    _, token = make_invited(account=account, person=person)
    EmailAddress.objects.create(user=person, email=person.email_key, verified=True, primary=True)
    Person.objects.filter(pk=person.pk).update(possessed_at=timezone.now())
    client = browser()
    page = client.get(f"/invitation/{token}/")
    assert page.status_code == 200
    assert page.context["sign_in"] == f"/sign/login/?next=%2Finvitation%2F{token}%2F"
    assert use(token, client).status_code == 200
    assert Person.objects.get().check_password(PASSWORD)
    sign_in(client, person.email, next=f"/invitation/{token}/")
    assert client.get(f"/invitation/{token}/").status_code == 200
    assert Invitation.objects.filter(used_at=None).exists()
    response = client.post(f"/invitation/{token}/")
    assert (response.status_code, response["Location"]) == (302, "/learn/")
    delegation.refresh_from_db()
    assert not Invitation.objects.filter(used_at=None).exists()
    assert delegation.accepted_at is not None
    assert Person.objects.get().check_password(PASSWORD)


def test_nobody_else_accepts_an_invitation():
    invitation, token = make_invited(person=make_person(password=PASSWORD, possessed_at=None))
    Person.objects.update(possessed_at=timezone.now())
    other = browser(make_person(password=PASSWORD))
    assert other.post(f"/invitation/{token}/").status_code == 200
    invitation.refresh_from_db()
    assert invitation.used_at is None


def test_whoever_is_signed_in_is_signed_out_when_an_invitation_is_used():
    invitation, token = make_invited()
    client = browser(make_person(email="other@example.org", password=PASSWORD))
    assert "other@example.org" in client.get(f"/invitation/{token}/").content.decode()
    use(token, client)
    assert who(client) == invitation.person_id


def test_a_member_who_is_invited_goes_to_what_waits_for_him():
    account, person = make_account(), make_person()
    member = make_member(Role.MANAGER, account=account, person=person)
    _, token = make_invited(account=account, person=person)
    client = browser()
    assert use(token, client)["Location"] == "/start/"
    assert client.get("/start/")["Location"] == "/seats/"
    assert Member.objects.get(pk=member.pk).accepted_at is not None


@pytest.mark.parametrize("change", ["used_at", "replaced_at", "revoked_at"])
def test_no_token_is_made_for_a_closed_invitation(change):
    invitation = make_invitation(**{change: timezone.now()})
    with pytest.raises(InvitationClosed):
        issue_token(invitation_id=invitation.pk)
    with pytest.raises(InvitationClosed):
        issue_password(invitation_id=invitation.pk)


def test_no_token_is_made_for_who_has_taken_possession_or_is_staff():
    for person in (make_person(possessed_at=timezone.now()), make_person(is_staff=True)):
        with pytest.raises(InvitationClosed):
            issue_token(invitation_id=make_invitation(person=person).pk)


def test_renewing_replaces_whichever_invitation_is_open():
    invitation, _ = make_invited()
    second = renew_invitation(invitation_id=invitation.pk)
    third = renew_invitation(invitation_id=invitation.pk)
    assert third.pk != second.pk
    second.refresh_from_db()
    assert second.replaced_at is not None
    assert Invitation.objects.filter(used_at=None, replaced_at=None, revoked_at=None).get() == third
