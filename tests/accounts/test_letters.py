"""What the mails about signing in and about teams say, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts import mails
from accounts.models import Invitation, Member, Person, Role, SignInCode
from accounts.services import ask_for_code, set_member, touch_possession
from accounts.services.addresses import unverified_address, verify_address
from accounts.services.codes import text_of_code
from catalog.selectors import get_shop
from common.audit import Actor
from common.models import OutboxMail
from common.outbox import Draft, deliver_due, queue
from tests.accounts.factories import PASSWORD, make_account, make_invitation, make_member, make_person

pytestmark = pytest.mark.django_db


def sent(draft: Draft, language: str = "en") -> EmailMultiAlternatives:
    """Queue a draft in a language and let it leave."""
    queue(draft)
    OutboxMail.objects.update(language=language)
    assert deliver_due() == 1
    message = mail.outbox[-1]
    assert isinstance(message, EmailMultiAlternatives)
    return message


def html(message: EmailMultiAlternatives) -> str:
    return str(message.alternatives[0][0])


def cancelled(draft: Draft) -> bool:
    """Whether a draft turns out to be pointless: nothing leaves, and it is not tried again."""
    queue(draft)
    return deliver_due() == 0 and OutboxMail.objects.get().state == OutboxMail.State.CANCELLED


def code_draft(email: str) -> Draft:
    """What asking for a code queues, taken out of the outbox again."""
    ask_for_code(email=email, next_path="/learn/")
    row = OutboxMail.objects.get()
    row.delete()
    return Draft(kind=row.kind, to=row.to, event_key=row.event_key, ids=row.ids)


def every_letter() -> dict[str, Draft]:
    person = make_person(email="ben@example.org", first_name="Ben", last_name="Own")
    known = make_person(email="kim@example.org", password=PASSWORD, possessed_at=timezone.now())
    nopass = make_person(email="lou@example.org", possessed_at=timezone.now())
    account = make_account(name="Port & Co")
    member = make_member(Role.OWNER, account=account, person=person)
    invitation = make_invitation(account=account, person=person)
    return {
        "confirm": mails.confirm_email(unverified_address(person), next_path="/buy/SEATS?quantity=10"),
        "reset": mails.reset(person, next_path=""),
        "exists, not possessed": mails.exists(person, next_path=""),
        "exists": mails.exists(known, next_path="/seats/"),
        "unknown": mails.unknown("nobody@example.org"),
        "exists, without a password": mails.exists(nopass, next_path="/seats/"),
        "code": code_draft(known.email),
        "code, unknown": code_draft("nobody@example.org"),
        "changed": mails.password_changed(person),
        "invited": mails.member_invited(member, invitation_id=invitation.pk),
        "added": mails.member_added(make_member(Role.BUYER, account=account, person=known)),
        "renewed": mails.invitation_renewed(invitation),
    }


LETTERS = (
    "confirm",
    "reset",
    "exists, not possessed",
    "exists",
    "exists, without a password",
    "unknown",
    "code",
    "code, unknown",
    "changed",
    "invited",
    "added",
    "renewed",
)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_has_the_seller_one_button_and_the_same_link_in_both_parts(name, language):
    shop = get_shop()
    shop.name, shop.mail_sender, shop.help_email = "Les Cours", "cours@example.org", "aide@example.org"
    shop.save()
    message = sent(every_letter()[name], language)
    assert message.from_email == "Les Cours <cours@example.org>"
    assert message.reply_to == ["aide@example.org"]
    assert message.subject
    text = str(message.body)
    assert "Les Cours" in text
    assert "&amp;" not in text
    links = re.findall(r'class="action"[^>]*><a href="([^"]+)"', html(message))
    assert len(links) == 1
    assert links[0].replace("&amp;", "&") in text
    assert not re.search(r"\baccounts?\b|\bcomptes?\b", text, re.IGNORECASE)


def test_a_reset_is_worded_for_its_reader():
    message = sent(mails.reset(make_person(email="ben@example.org"), next_path="/learn/"))
    assert message.to == ["ben@example.org"]
    assert message.subject == "Choose a new password"
    assert "A new password was asked for, for your user name ben@example.org." in str(message.body)
    assert re.search(r"/sign/password/reset/key/\w+-[\w-]+/\?next=%2Flearn%2F", str(message.body))
    last = "You did not ask for it? Then do nothing: your password stays as it is."
    assert last in str(message.body)
    assert last in html(message)


def test_a_code_is_worded_for_its_reader():
    draft = code_draft(make_person(email="ben@example.org").email)
    SignInCode.objects.update(
        created_at=datetime(2099, 3, 1, 9, tzinfo=UTC), expires_at=datetime(2099, 3, 1, 9, 15, tzinfo=UTC)
    )
    message = sent(draft)
    digits = text_of_code(SignInCode.objects.get())
    text = str(message.body)
    assert message.to == ["ben@example.org"]
    assert message.subject == "Your code to sign in"
    assert "A code was asked for to sign in at" in text
    assert "as ben@example.org." in text
    assert f"Your code: {digits[:4]}\u00a0{digits[4:]}\n" in text
    assert "It works once, until 1 March 2099 at 10:15." in text
    assert "/sign/code/confirm/?next=%2Flearn%2F" in text
    assert f"<strong>{digits[:4]}\u00a0{digits[4:]}</strong>" in html(message)
    assert digits not in text.replace("\u00a0", " ")


def test_who_signs_in_with_codes_is_not_told_of_a_password_he_has_not():
    person = make_person(email="lou@example.org", possessed_at=timezone.now())
    text = str(sent(mails.exists(person, next_path="")).body)
    assert "you sign in with lou@example.org and a code that we mail." in text
    assert "If you would rather have a password" in text


def test_an_invitation_names_who_invites_the_organisation_the_user_name_and_the_day():
    owner = make_member(
        Role.OWNER,
        account=make_account(name="Port de Brest"),
        person=make_person(first_name="Olga", last_name="Own", password=PASSWORD),
    )
    set_member(
        account=owner.account,
        email="ben@example.org",
        role="manager",
        actor=Actor.person(owner.person_id),
    )
    OutboxMail.objects.update(language="en")
    deliver_due()
    (message,) = mail.outbox
    text = str(message.body)
    assert "Olga Own of Port de Brest invites you to" in text
    assert "You now give the seats of Port de Brest" in text
    assert "Your user name: ben@example.org" in text
    assert "temporary" not in text
    assert "The link works once, until " in text
    assert Invitation.objects.get().sent_at is not None


def test_with_the_setting_an_invitation_carries_a_temporary_password(settings):
    settings.SHOPSEATS_CREDENTIALS = "password"
    member = make_member(Role.VIEWER, person=make_person(email="ben@example.org"))
    invitation = make_invitation(account=member.account, person=member.person)
    message = sent(mails.member_invited(member, invitation_id=invitation.pk))
    found = re.search(r"Your temporary password: (\S+)", str(message.body))
    assert found is not None
    member.person.refresh_from_db()
    assert member.person.check_password(found.group(1))
    assert "/invitation/" not in str(message.body)
    assert found.group(1) not in repr(OutboxMail.objects.values().get())


def test_an_invited_member_who_came_in_meanwhile_reads_that_he_signs_in():
    member = make_member(Role.VIEWER, person=make_person(email="ben@example.org"))
    invitation = make_invitation(account=member.account, person=member.person)
    touch_possession(member.person)
    message = sent(mails.member_invited(member, invitation_id=invitation.pk))
    assert "You sign in as usual, as ben@example.org." in str(message.body)


def test_letters_without_a_subject_any_more_are_cancelled():
    member = make_member(Role.VIEWER)
    draft = mails.member_added(member)
    member.delete()
    assert cancelled(draft)


def test_a_confirmed_address_is_not_asked_about_again():
    person = make_person()
    draft = mails.confirm_email(unverified_address(person), next_path="")
    verify_address(person)
    assert cancelled(draft)


def test_a_closed_access_gets_no_link():
    person = make_person()
    draft = mails.reset(person, next_path="")
    Person.objects.update(is_active=False)
    assert cancelled(draft)


def test_a_revoked_invitation_is_not_mailed():
    invitation = make_invitation()
    draft = mails.invitation_renewed(invitation)
    Invitation.objects.update(revoked_at=timezone.now())
    assert cancelled(draft)


def test_a_mail_that_left_twice_leads_in_both_times():
    """A crash between the send and its record repeats the mail: neither link may be dead."""
    member = make_member(Role.VIEWER, person=make_person(email="ben@example.org"))
    invitation = make_invitation(account=member.account, person=member.person)
    first = sent(mails.member_invited(member, invitation_id=invitation.pk))
    OutboxMail.objects.update(state=OutboxMail.State.QUEUED)
    assert deliver_due() == 1
    assert str(mail.outbox[-1].body) == str(first.body)


def test_names_are_escaped_in_the_html():
    account = make_account(name="<script>alert(1)</script>")
    member = make_member(Role.VIEWER, account=account, person=make_person(email="ben@example.org"))
    message = sent(mails.member_added(member))
    assert "<script>" not in html(message)
    assert "<script>alert(1)</script>" in str(message.body)
    assert Member.objects.count() == 1
