"""Sign-up with a verified address, in the browser's own words."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.services import NewPerson, ensure_person
from common.models import OutboxMail
from shopseats import settings as project
from tests.accounts.factories import PASSWORD, make_person
from tests.accounts.helpers import browser, letter, letters, link, sign_in, who

pytestmark = pytest.mark.django_db

FORM = {
    "first_name": "Ana",
    "last_name": "Ruiz",
    "email": "ana@example.org",
    "password1": PASSWORD,
}


def sign_up(client: Client, **changes: str):
    return client.post("/sign/signup/", FORM | changes)


def test_sign_up_sends_a_link_and_lets_nobody_in_before_it_is_followed():
    client = browser()
    response = sign_up(client)
    assert (response.status_code, response["Location"]) == (302, "/sign/confirm-email/")
    person = Person.objects.get()
    assert (person.email, person.first_name, person.last_name, person.language) == (
        "ana@example.org",
        "Ana",
        "Ruiz",
        "en",
    )
    assert person.possessed_at is None
    assert who(client) is None
    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.to, mail.ids) == (
        "account_confirm_email",
        "ana@example.org",
        {"address": EmailAddress.objects.get().pk, "next": ""},
    )


def test_looking_at_the_link_changes_nothing_and_the_button_signs_in():
    client = browser()
    sign_up(client)
    address = link(letter("ana@example.org"), "/sign/confirm-email/")
    scanner = Client()
    assert scanner.get(address).status_code == 200
    assert not EmailAddress.objects.get().verified
    assert client.get(address).status_code == 200
    assert not EmailAddress.objects.get().verified
    response = client.post(address)
    assert (response.status_code, response["Location"]) == (302, "/start/")
    assert EmailAddress.objects.get().verified
    assert who(client) == Person.objects.get().pk
    assert Person.objects.get().possessed_at is not None


@pytest.mark.parametrize("path", ["/buy/SEATS?quantity=10", "/seats/?course=SPOC1"])
def test_the_page_one_was_on_the_way_to_survives_sign_up(path):
    client = browser()
    page = client.get("/sign/signup/", {"next": path})
    assert f'name="next" value="{path}"' in page.content.decode()
    sign_up(client, next=path)
    confirm = link(letter("ana@example.org"), "/sign/confirm-email/")
    assert client.post(confirm)["Location"] == path


@pytest.mark.parametrize("path", ["/buy/SEATS?quantity=10", "/seats/?course=SPOC1"])
def test_the_page_one_was_on_the_way_to_survives_a_confirmation_on_the_phone(path):
    sign_up(browser(), next=path)
    confirm = link(letter("ana@example.org"), "/sign/confirm-email/")
    phone = browser()
    assert phone.post(confirm, {"password": PASSWORD})["Location"] == path
    assert who(phone) == Person.objects.get().pk


@pytest.mark.parametrize("path", ["/buy/SEATS?quantity=10", "/seats/?course=SPOC1"])
def test_the_page_one_was_on_the_way_to_survives_sign_in(path):
    person = make_person(password=PASSWORD)
    EmailAddress.objects.create(user=person, email=person.email_key, verified=True, primary=True)
    client = browser()
    response = client.post("/sign/login/", {"login": person.email, "password": PASSWORD, "next": path})
    assert response["Location"] == path


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_link_leads_to_another_site(path):
    sign_up(browser(), next=path)
    text = letter("ana@example.org")
    assert "evil" not in text
    assert "javascript" not in text
    phone = browser()
    response = phone.post(link(text, "/sign/confirm-email/"), {"password": PASSWORD, "next": path})
    assert response["Location"] == "/start/"


def test_in_another_browser_the_link_alone_lets_nobody_in():
    """Somebody who signs up with my address gains nothing when I follow the link."""
    sign_up(browser(), password1="the password of a stranger")
    confirm = link(letter("ana@example.org"), "/sign/confirm-email/")
    owner = browser()
    assert owner.post(confirm).status_code == 200
    assert owner.post(confirm, {"password": "my own password"}).status_code == 200
    assert not EmailAddress.objects.get().verified
    assert who(owner) is None


def test_a_link_works_once():
    client = browser()
    sign_up(client)
    confirm = link(letter("ana@example.org"), "/sign/confirm-email/")
    client.post(confirm)
    for response in (browser().get(confirm), browser().post(confirm, {"password": PASSWORD})):
        assert response.status_code == 410


def test_a_link_dies_after_three_days(settings):
    client = browser()
    sign_up(client)
    confirm = link(letter("ana@example.org"), "/sign/confirm-email/")
    settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 0
    assert client.post(confirm).status_code == 410
    assert not EmailAddress.objects.get().verified


def page_without_tokens(response) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", response.content.decode())


def test_sign_up_answers_the_same_for_known_and_unknown_addresses():
    make_person(email="known@example.org", password=PASSWORD, possessed_at=timezone.now())
    make_person(email="brought@example.org")
    pages = []
    for email in ("new@example.org", "known@example.org", "brought@example.org"):
        client = browser()
        response = sign_up(client, email=email)
        assert (response.status_code, response["Location"]) == (302, "/sign/confirm-email/")
        pages.append(page_without_tokens(client.get("/sign/confirm-email/")))
    assert pages[0] == pages[1] == pages[2]
    assert [mail.kind for mail in OutboxMail.objects.order_by("id")] == [
        "account_confirm_email",
        "account_exists",
        "account_exists",
    ]


def test_sign_up_hashes_a_password_before_it_looks_whether_the_address_is_known(monkeypatch):
    """The hash is what takes time; it is made once for every address."""
    steps: list[str] = []

    def hashing(raw: str) -> str:
        steps.append("hash")
        return make_password(raw)

    def looking(entry: NewPerson) -> tuple[Person, bool]:
        steps.append("look")
        return ensure_person(entry)

    monkeypatch.setattr("accounts.forms.signing.make_password", hashing)
    monkeypatch.setattr("accounts.forms.signing.ensure_person", looking)
    make_person(email="known@example.org")
    for email in ("known@example.org", "new@example.org"):
        steps.clear()
        sign_up(browser(), email=email)
        assert steps == ["hash", "look"]


def test_nothing_of_a_known_person_is_changed_by_a_sign_up():
    known = make_person(
        email="Known@example.org", password=PASSWORD, first_name="Old", possessed_at=timezone.now()
    )
    before = Person.objects.filter(pk=known.pk).values().get()
    sign_up(browser(), email="known@EXAMPLE.org", password1="another password entirely")
    assert Person.objects.filter(pk=known.pk).values().get() == before
    assert EmailAddress.objects.count() == 0
    text = letter("Known@example.org")
    assert "You can sign in already" in letters("Known@example.org")[0].subject
    assert link(text, "/sign/login/") == "/sign/login/"


def test_somebody_an_account_brought_in_signs_up_and_takes_possession():
    brought = make_person(email="ben@example.org", first_name="Ben", last_name="Typed")
    path = "/seats/?course=SPOC1"
    sign_up(browser(), email="ben@example.org", next=path)
    key = link(letter("ben@example.org"), "/sign/password/reset/key/")
    client = browser()
    form_page = client.get(key)
    assert form_page.status_code == 302
    assert Person.objects.get().possessed_at is None
    response = client.post(form_page["Location"], {"password1": "my very own password", "next": path})
    assert (response.status_code, response["Location"]) == (302, path)
    brought.refresh_from_db()
    assert brought.possessed_at is not None
    assert brought.check_password("my very own password")
    assert EmailAddress.objects.get(user=brought).verified
    assert who(client) == brought.pk


def test_a_second_sign_up_before_the_first_is_confirmed_makes_no_second_person():
    sign_up(browser())
    sign_up(browser(), email=" ANA@example.org", password1="a different password")
    assert Person.objects.count() == 1
    assert Person.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("password", "accepted"), [("elevenchars", False), ("twelve chars", True), ("qwertyuiop123", False)]
)
def test_a_password_has_twelve_characters_and_is_not_a_common_one(password, accepted):
    response = sign_up(browser(), password1=password)
    assert (response.status_code == 302) is accepted
    assert Person.objects.exists() is accepted


@pytest.mark.parametrize(
    "email", ["", "no-at", "two@@example.org", "é@example.org", "a@nodot", "a b@example.org"]
)
def test_a_bad_address_is_told_beside_the_field_and_nothing_is_made(email):
    response = sign_up(browser(), email=email)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["email"]
    assert not Person.objects.exists()
    assert not OutboxMail.objects.exists()


def test_passwords_are_kept_as_argon2():
    assert project.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"
    hashed = Argon2PasswordHasher().encode(PASSWORD, "some-salt-here")
    assert hashed.startswith("argon2$argon2id$")


def test_passwords_may_be_pasted_and_managers_may_fill_them():
    page = browser().get("/sign/signup/").content.decode()
    assert 'autocomplete="new-password"' in page
    assert "onpaste" not in page


def test_signing_in_before_the_address_is_confirmed_sends_another_link():
    sign_up(browser())
    cache.clear()
    client = browser()
    assert sign_in(client, "ana@example.org") == 302
    assert who(client) is None
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["account_confirm_email"] * 2


def test_pages_for_managing_several_addresses_do_not_exist():
    client = browser(make_person(password=PASSWORD))
    assert client.get("/sign/email/").status_code == 404
