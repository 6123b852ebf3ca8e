"""Signing in with a mailed code: who gets in, and what it means for the login."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as configured
from django.utils import timezone

from accounts.adapter import AccountAdapter
from accounts.models import Person, Role, SignInCode
from accounts.services.addresses import unverified_address, verify_address
from tests.accounts.factories import OWN, PASSWORD, make_invitation, make_member, make_person
from tests.accounts.helpers import (
    ask_for_code,
    browser,
    code_in,
    enter_code,
    letter,
    letters,
    link,
    sign_in,
    who,
)

pytestmark = pytest.mark.django_db

ASK, ENTER = "/sign/code/", "/sign/code/confirm/"


def come_in(person: Person, **extra: str):
    """Sign in with a code in a new browser."""
    client = browser()
    ask_for_code(client, person.email, **extra)
    response = enter_code(client, code_in(letters(person.email)[-1]), **extra)
    return client, response


def test_somebody_without_a_password_signs_in_with_the_mailed_code():
    person = make_person()
    client = browser()
    asked = ask_for_code(client, person.email)
    assert (asked.status_code, asked["Location"]) == (302, ENTER)
    page = client.get(ENTER).content.decode()
    assert f"We have written to {person.email}." in page
    assert who(client) is None
    response = enter_code(client, code_in(letter(person.email)))
    assert (response.status_code, response["Location"]) == (302, "/start/")
    assert who(client) == person.pk
    assert SignInCode.objects.get().used_at is not None


@pytest.mark.parametrize(
    "typed", ["ana@example.org", "ANA@Example.Org", "  ana@example.org ", "ana@example.org\u200b"]
)
def test_one_asks_for_a_code_however_the_address_is_typed(typed):
    person = make_person(email="Ana@example.org")
    client = browser()
    ask_for_code(client, typed)
    enter_code(client, code_in(letter("Ana@example.org")))
    assert who(client) == person.pk


@pytest.mark.parametrize(
    "pasted",
    ["{0}{1}", " {0} {1} ", "{0}\u00a0{1}", "{0}-{1}", "\t{0}\u202f{1}\n", "Your code: {0} {1}."],
)
def test_the_code_may_be_pasted_with_spaces_and_words(pasted):
    person = make_person()
    client = browser()
    ask_for_code(client, person.email)
    code = code_in(letter(person.email))
    enter_code(client, pasted.format(code[:4], code[4:]))
    assert who(client) == person.pk


def test_digits_of_another_script_count():
    person = make_person()
    client = browser()
    ask_for_code(client, person.email)
    enter_code(client, "".join(chr(0xFF10 + int(digit)) for digit in code_in(letter(person.email))))
    assert who(client) == person.pk


def test_the_field_offers_digits_and_what_just_arrived():
    client = browser()
    ask_for_code(client, "ana@example.org")
    page = client.get(ENTER).content.decode()
    assert 'inputmode="numeric"' in page
    assert 'autocomplete="one-time-code"' in page
    assert "maxlength" not in page


def test_the_sign_in_page_leads_to_a_code_without_typing_the_address_again():
    person = make_person()
    client = browser()
    page = client.get("/sign/login/?next=/learn/").content.decode()
    assert f'formaction="{ASK}"' in page
    # What its second button sends: the whole form.
    form = {"login": person.email, "password": "", "remember": "on", "next": "/learn/"}
    response = client.post(ASK, form)
    assert response["Location"] == f"{ENTER}?next=%2Flearn%2F"
    assert "checked" in client.get(response["Location"]).content.decode()


def test_the_page_one_was_on_the_way_to_survives_the_mail():
    path = "/buy/SEATS?quantity=3"
    person = make_person()
    client = browser()
    assert ask_for_code(client, person.email, next=path)["Location"] == f"{ENTER}?{urlencode({'next': path})}"
    text = letter(person.email)
    page = client.get(link(text, ENTER)).content.decode()
    assert f'name="next" value="{path}"' in page
    assert enter_code(client, code_in(text), next=path)["Location"] == path


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_page_of_another_site_is_not_gone_to(path):
    _, response = come_in(make_person(), next=path)
    assert response["Location"] == "/start/"


def test_who_has_never_been_in_takes_possession_and_his_address_is_verified():
    member = make_member(Role.VIEWER, person=make_person())
    make_invitation(person=member.person, account=member.account)
    come_in(member.person)
    person = Person.objects.get(pk=member.person_id)
    member.refresh_from_db()
    assert person.possessed_at is not None
    assert member.accepted_at is not None
    assert list(EmailAddress.objects.values_list("user", "email", "verified", "primary")) == [
        (person.pk, person.email_key, True, True)
    ]
    assert not person.has_usable_password()


def test_asking_alone_changes_nothing_of_the_person():
    person = make_person()
    before = Person.objects.values().get(pk=person.pk)
    ask_for_code(browser(), person.email)
    letter(person.email)
    assert Person.objects.values().get(pk=person.pk) == before
    assert not EmailAddress.objects.exists()


def test_a_login_without_password_lives_by_codes_alone():
    person = make_person(possessed_at=timezone.now())
    verify_address(person)
    client, _ = come_in(person)
    page = client.get("/profile/")
    assert page.status_code == 200
    form = {"first_name": "Ana", "last_name": "Ruiz", "language": "en"}
    assert client.post("/profile/", form)["Location"] == "/profile/"
    person.refresh_from_db()
    assert (person.name, person.has_usable_password()) == ("Ana Ruiz", False)
    # Whoever wants a password gets one through the mailbox.
    assert client.get("/sign/password/change/")["Location"] == "/sign/password/set/"
    assert client.get("/sign/password/set/")["Location"] == "/sign/password/reset/"
    client.post("/sign/logout/")
    again, _ = come_in(person)
    assert who(again) == person.pk


def test_a_person_with_a_password_keeps_it():
    person = make_person(password=PASSWORD, possessed_at=timezone.now())
    verify_address(person)
    client, _ = come_in(person)
    assert who(client) == person.pk
    assert sign_in(browser(), person.email) == 302


def test_a_temporary_password_is_replaced_before_anything_else_is_seen():
    person = make_person(password="temporary", must_change_password=True)
    client, _ = come_in(person, next="/learn/")
    assert who(client) == person.pk
    assert client.get("/learn/")["Location"] == "/password/?next=%2Flearn%2F"
    assert client.post("/password/", {"password": OWN, "next": "/learn/"})["Location"] == "/learn/"
    person.refresh_from_db()
    assert (person.check_password(OWN), person.must_change_password) == (True, False)


def test_a_second_factor_is_asked_for_after_a_code_too(monkeypatch):
    stages = AccountAdapter.get_login_stages
    monkeypatch.setattr(
        AccountAdapter, "get_login_stages", lambda self: [*stages(self), "tests.accounts.helpers.FactorStage"]
    )
    staff = Person.objects.create_superuser("root@example.org", PASSWORD)
    client, response = come_in(staff, next="/admin/")
    assert response["Location"] == "/second-factor/"
    assert client.session["account_login"]["redirect_url"] == "/admin/"
    assert who(client) is None
    assert client.get("/admin/").status_code == 302
    staff.refresh_from_db()
    assert staff.possessed_at is None


def test_staff_come_into_the_back_office_with_a_code():
    staff = Person.objects.create_superuser("root@example.org", PASSWORD)
    client, response = come_in(staff, next="/admin/")
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert Person.objects.get(pk=staff.pk).check_password(PASSWORD)


@pytest.mark.parametrize(("ticked", "lasts"), [({"remember": "on"}, True), ({}, False)])
def test_one_stays_signed_in_on_this_device_if_one_says_so(ticked, lasts):
    person = make_person()
    client = browser()
    ask_for_code(client, person.email)
    enter_code(client, code_in(letter(person.email)), **ticked)
    assert client.session.get_expire_at_browser_close() is not lasts
    if lasts:
        assert client.session.get_expiry_age() == configured.SESSION_COOKIE_AGE


def test_who_is_signed_in_is_asked_for_nothing():
    client = browser(make_person(possessed_at=timezone.now()))
    assert client.get(ASK)["Location"] == "/start/"
    assert client.get(f"{ENTER}?next=/learn/")["Location"] == "/learn/"
    assert ask_for_code(client, "ana@example.org")["Location"] == "/start/"
    assert not SignInCode.objects.exists()


# --- a sign-up that was never confirmed --------------------------------------------------------------


def sign_up(client, email: str) -> None:
    form = {"first_name": "Ana", "last_name": "Ruiz", "email": email, "password1": PASSWORD}
    assert client.post("/sign/signup/", form).status_code == 302


def test_whoever_signed_up_with_somebody_else_s_address_gains_nothing_by_its_owner_s_code():
    stranger = browser()
    sign_up(stranger, "owner@example.org")
    person = Person.objects.get(email="owner@example.org")
    client = browser()
    ask_for_code(client, person.email)
    enter_code(client, code_in(letters(person.email)[-1]))
    assert who(client) == person.pk
    person.refresh_from_db()
    assert not person.has_usable_password()
    assert sign_in(browser(), person.email) == 200
    assert stranger.get("/start/").status_code == 302
    assert who(stranger) is None


def test_a_sign_up_confirmed_by_a_code_in_its_own_browser_keeps_its_password():
    client = browser()
    sign_up(client, "ana@example.org")
    ask_for_code(client, "ana@example.org")
    enter_code(client, code_in(letters("ana@example.org")[-1]))
    person = Person.objects.get(email="ana@example.org")
    assert who(client) == person.pk
    assert person.check_password(PASSWORD)
    other = browser()
    sign_in(other, "ana@example.org")
    assert who(other) == person.pk


def test_a_password_given_by_an_operator_stays():
    person = make_person(password=PASSWORD)
    come_in(person)
    assert Person.objects.get(pk=person.pk).check_password(PASSWORD)


@pytest.mark.parametrize(
    "fields",
    [
        {"possessed_at": datetime(2027, 1, 1, tzinfo=UTC)},  # he has been in before
        {"is_staff": True},  # whoever made him staff vouches for him
        {"must_change_password": True},  # it came through the mailbox
    ],
)
def test_a_password_that_is_its_owner_s_outlives_an_address_that_was_not_confirmed_yet(fields):
    person = make_person(password=PASSWORD, **fields)
    unverified_address(person)
    come_in(person)
    assert Person.objects.get(pk=person.pk).check_password(PASSWORD)


def test_somebody_else_s_sign_up_in_this_browser_vouches_for_no_password():
    stranger = browser()
    sign_up(stranger, "owner@example.org")
    client = browser()
    sign_up(client, "ana@example.org")
    ask_for_code(client, "owner@example.org")
    enter_code(client, code_in(letters("owner@example.org")[-1]))
    person = Person.objects.get(email="owner@example.org")
    assert who(client) == person.pk
    assert not person.has_usable_password()
