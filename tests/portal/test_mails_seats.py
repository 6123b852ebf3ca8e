"""The mails that people who were given a seat receive."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from accounts.models import Invitation, Person
from common import outbox
from common.audit import Actor
from common.models import OutboxMail
from seats.services import release
from tests.accounts.factories import make_account, make_person
from tests.catalog.factories import make_shop
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SHOPSEATS_URL = "https://shop.example"
    return make_shop(
        name="Atelier",
        notice_fr="Voici pourquoi ; merci.",
        notice_en="Here is why.",
        notice_version="2026-11",
    )


@pytest.fixture
def manager():
    return make_person(email="manager@example.org", first_name="Inès", last_name="Robert")


def given(manager, email="new@example.org", language="en", **pool):
    """Give a seat to somebody and send the mail; the text of it."""
    account = make_account(name="Demo Industries")
    make_pool(account, seats=1, **pool)
    course = make_course("EXCEL1", fullname="Excel: the basics")
    give(account, course, email, Actor.person(manager.pk))
    Person.objects.filter(email_key=email).update(language=language)
    OutboxMail.objects.filter(to=email).update(language=language)
    mail.outbox.clear()
    outbox.deliver_due()
    [sent] = [one for one in mail.outbox if one.to == [email]]
    return sent


def test_an_invitation_says_who_invites_to_which_course_until_when_and_how_to_get_in(shop, manager):
    sent = given(manager, access_seconds=int(timedelta(days=30).total_seconds()))
    text = sent.body
    assert sent.subject == "Your place in “Excel: the basics”"
    assert sent.from_email == "Atelier <bonjour@atelier.example>"
    assert sent.reply_to == ["aide@atelier.example"]
    assert "Inès Robert of Demo Industries invites you to Atelier." in text
    assert "Course: Excel: the basics" in text
    assert re.search(r"Access: until \d+ \w+ \d{4} at \d\d:\d\d", text)
    assert "Your user name: new@example.org" in text
    assert "Here is why." in text
    assert "(Information notice, version 2026-11)" in text
    assert "Write to aide@atelier.example" in text


def test_the_link_of_an_invitation_is_kept_as_a_hash_only_and_carries_the_way_to_the_course(shop, manager):
    text = given(manager).body
    [token] = re.findall(r"https://shop\.example/invitation/(\w+)/\?next=%2Flearn%2FEXCEL1%2F", text)
    invitation = Invitation.objects.get()
    assert token not in (invitation.token_hash or "")
    assert len(invitation.token_hash or "") == 64
    assert invitation.notice_version == "2026-11"
    [row] = OutboxMail.objects.filter(kind="invitation").values()
    assert token not in str(row)


def test_the_same_letter_is_html_and_plain_text(shop, manager):
    sent = given(manager)
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    for words in ("Demo Industries", "Excel: the basics", "new@example.org", "Here is why."):
        assert words in html, html


def test_in_french_the_invitation_has_french_spaces(shop, manager):
    text = given(manager, language="fr").body
    assert "Voici pourquoi\u202f; merci." in text
    assert "Votre identifiant\u202f: new@example.org" in text


def test_with_temporary_passwords_the_mail_carries_one_and_the_row_does_not(shop, manager, settings):
    settings.SHOPSEATS_CREDENTIALS = "password"
    text = given(manager).body
    [password] = re.findall(r"Your temporary password: (\S+)", text)
    person = Person.objects.get(email_key="new@example.org")
    assert person.check_password(password)
    assert person.must_change_password
    assert password not in str(list(OutboxMail.objects.values()))


def test_somebody_who_signs_in_already_gets_news_and_no_password_step(shop, manager):
    make_person(email="known@example.org", password="a long enough password")
    Person.objects.filter(email_key="known@example.org").update(possessed_at="2026-01-01T00:00:00Z")
    text = given(manager, email="known@example.org").body
    assert "You sign in as usual, as known@example.org." in text
    assert "/invitation/" not in text
    assert reverse("account_login") in text
    assert "Here is why." in text


def test_a_seat_taken_back_before_the_mail_left_is_not_announced(shop, manager):
    account = make_account()
    make_pool(account, seats=1)
    assignment = give(account, make_course("EXCEL1"), "new@example.org", Actor.person(manager.pk))
    release(reference=assignment.seat.reference, account_id=account.pk, actor=Actor.person(manager.pk))
    mail.outbox.clear()
    outbox.deliver_due()
    assert [one.to for one in mail.outbox] == []


def test_what_somebody_typed_cannot_forge_a_header(shop):
    manager = make_person(email="m@example.org", first_name="Eve\r\nBcc: x@example.org", last_name="R")
    sent = given(manager)
    assert "\n" not in sent.subject
    assert sent.recipients() == ["new@example.org"]
