"""Sign-in, sign-out, forgotten passwords."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person, Role
from accounts.services import verify_address
from common.models import OutboxMail
from tests.accounts.factories import PASSWORD, make_member, make_person
from tests.accounts.helpers import browser, letter, letters, link, sign_in, who

pytestmark = pytest.mark.django_db


def make_known(**fields) -> Person:
    """Somebody whose address is confirmed."""
    person = make_person(**({"password": PASSWORD} | fields))
    verify_address(person)
    return person


@pytest.mark.parametrize(
    "typed", ["ana@example.org", "ANA@Example.Org", "  ana@example.org ", "ana@example.org\u200b"]
)
def test_one_signs_in_however_the_address_is_typed(typed):
    person = make_known(email="Ana@example.org")
    client = browser()
    assert sign_in(client, typed) == 302
    assert who(client) == person.pk


def test_signing_in_is_taking_possession():
    person = make_known()
    assert person.possessed_at is None
    sign_in(browser(), person.email)
    person.refresh_from_db()
    assert person.possessed_at is not None


def test_the_first_instant_of_possession_stays():
    first = timezone.now()
    person = make_known(possessed_at=first)
    sign_in(browser(), person.email)
    person.refresh_from_db()
    assert person.possessed_at == first


def test_a_wrong_password_and_an_unknown_address_are_answered_with_the_same_page():
    make_known(email="known@example.org")
    pages = []
    for email in ("known@example.org", "other@example.org"):
        response = browser().post("/sign/login/", {"login": email, "password": "not the password"})
        assert response.status_code == 200
        text = response.content.decode().replace(email, "")
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text))
    assert pages[0] == pages[1]


def test_an_unknown_address_costs_a_hash_too(monkeypatch):
    hashed = []
    monkeypatch.setattr(Person, "set_password", lambda self, raw: hashed.append(raw))
    sign_in(browser(), "nobody@example.org", "not the password")
    assert hashed == ["not the password"]


def test_the_sixth_wrong_password_in_five_minutes_is_refused_and_so_is_the_right_one():
    person = make_known()
    for _ in range(5):
        assert sign_in(browser(), person.email, "not the password") == 200
    client = browser()
    response = client.post("/sign/login/", {"login": person.email, "password": PASSWORD})
    assert response.status_code == 200
    assert "Too many attempts" in response.content.decode()
    assert who(client) is None


def test_typing_the_address_otherwise_does_not_give_more_attempts():
    make_known(email="ana@example.org")
    for typed in (
        "ana@example.org",
        "ANA@example.org",
        " ana@example.org",
        "Ana@Example.org",
        "ana@example.ORG",
    ):
        sign_in(browser(), typed, "not the password")
    client = browser()
    sign_in(client, "aNa@example.org")
    assert who(client) is None


def test_the_eleventh_wrong_password_from_one_place_is_refused_whatever_the_address():
    person = make_known()
    for number in range(10):
        sign_in(browser(), f"person-{number}@example.org", "not the password")
    client = browser()
    sign_in(client, person.email)
    assert who(client) is None


def test_the_thirty_first_visit_of_the_form_in_a_minute_is_refused():
    person = make_known()
    for _ in range(30):
        assert sign_in(browser(), person.email) == 302
    assert sign_in(browser(), person.email) == 429


def test_a_closed_access_lets_nobody_in():
    person = make_known(is_active=False)
    client = browser()
    response = client.post("/sign/login/", {"login": person.email, "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/sign/inactive/")
    assert client.get("/sign/inactive/").status_code == 200
    assert who(client) is None
    person.refresh_from_db()
    assert person.possessed_at is None


def test_staff_sign_in_to_the_back_office_through_the_same_page():
    staff = Person.objects.create_superuser("root@example.org", PASSWORD)
    client = browser()
    door = client.get("/admin/")
    assert (door.status_code, door["Location"]) == (302, "/admin/login/?next=/admin/")
    assert client.get(door["Location"])["Location"] == "/sign/login/?next=%2Fadmin%2F"
    response = client.post("/sign/login/", {"login": staff.email, "password": PASSWORD, "next": "/admin/"})
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    staff.refresh_from_db()
    assert staff.possessed_at is not None
    assert EmailAddress.objects.get(user=staff).verified


def test_the_back_office_is_closed_to_others():
    assert browser(make_known()).get("/admin/").status_code == 302
    assert browser(make_known()).get("/admin/login/").status_code == 403


def test_signing_in_accepts_the_memberships_that_waited():
    member = make_member(Role.VIEWER)
    verify_address(member.person)
    assert member.accepted_at is None
    sign_in(browser(), member.person.email)
    member.refresh_from_db()
    assert member.accepted_at is not None


def test_my_seats_on_a_course_asks_for_sign_in_and_comes_back():
    member = make_member(Role.MANAGER)
    verify_address(member.person)
    client = browser()
    door = client.get("/seats/?course=SPOC1")["Location"]
    assert door == "/sign/login/?next=/seats/%3Fcourse%3DSPOC1"
    page = client.get(door)
    assert page.context["signup_url"] == "/sign/signup/?next=%2Fseats%2F%3Fcourse%3DSPOC1"
    form = {"login": member.person.email, "password": PASSWORD, "next": "/seats/?course=SPOC1"}
    back = client.post(door, form)["Location"]
    assert back == "/seats/?course=SPOC1"
    assert client.get(back).status_code == 200


def test_signing_out_needs_the_button():
    client = browser(make_known())
    assert client.get("/sign/logout/").status_code == 200
    assert who(client) is not None
    client.post("/sign/logout/")
    assert who(client) is None


# --- forgotten passwords ----------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_through_the_mailbox_and_signs_in():
    person = make_known(email="ana@example.org", possessed_at=timezone.now())
    client = browser()
    path = "/buy/SEATS?quantity=10"
    response = client.post("/sign/password/reset/", {"email": "ANA@example.org", "next": path})
    assert (response.status_code, response["Location"]) == (302, "/sign/password/reset/done/")
    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.ids) == ("account_reset", {"person": person.pk, "next": path})
    door = client.get(link(letter("ana@example.org"), "/sign/password/reset/key/"))
    page = client.get(door["Location"])
    assert f'name="next" value="{path}"' in page.content.decode()
    response = client.post(door["Location"], {"password1": "my very own password", "next": path})
    assert response["Location"] == path
    assert who(client) == person.pk
    person.refresh_from_db()
    assert person.check_password("my very own password")
    assert [mail.kind for mail in OutboxMail.objects.order_by("id")] == [
        "account_reset",
        "account_password_changed",
    ]


def test_a_reset_link_works_once():
    person = make_known()
    browser().post("/sign/password/reset/", {"email": person.email})
    address = link(letter(person.email), "/sign/password/reset/key/")
    client = browser()
    client.post(client.get(address)["Location"], {"password1": "my very own password"})
    other = browser()
    response = other.get(address)
    assert response.status_code == 200
    assert "This link no longer works" in response.content.decode()
    person.refresh_from_db()
    assert person.check_password("my very own password")


def test_a_weak_password_is_refused_behind_the_link():
    person = make_known()
    browser().post("/sign/password/reset/", {"email": person.email})
    client = browser()
    form = client.get(link(letter(person.email), "/sign/password/reset/key/"))["Location"]
    assert client.post(form, {"password1": "short"}).status_code == 200
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_reset_answers_the_same_for_known_unknown_and_closed_addresses():
    make_known(email="known@example.org")
    make_known(email="closed@example.org", is_active=False)
    make_person(email="brought@example.org")
    answers = set()
    for email in ("known@example.org", "unknown@example.org", "closed@example.org", "brought@example.org"):
        client = browser()
        response = client.post("/sign/password/reset/", {"email": email})
        page = client.get(response["Location"]).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)
        answers.add((response.status_code, response["Location"], page))
    assert len(answers) == 1
    assert [mail.kind for mail in OutboxMail.objects.order_by("id")] == [
        "account_reset",
        "account_unknown",
        "account_unknown",
        "account_reset",
    ]
    assert "nobody signs in there with unknown@example.org" in letter("unknown@example.org")


def test_a_reset_takes_as_many_statements_for_known_and_unknown_addresses():
    make_known(email="known@example.org")
    counts = set()
    for email in ("known@example.org", "unknown@example.org"):
        client = browser()
        with CaptureQueriesContext(connection) as queries:
            client.post("/sign/password/reset/", {"email": email})
        counts.add(len(queries))
    assert len(counts) == 1


def test_the_sixth_request_for_an_address_in_a_minute_is_refused():
    person = make_known()
    for _ in range(5):
        assert browser().post("/sign/password/reset/", {"email": person.email}).status_code == 302
    assert browser().post("/sign/password/reset/", {"email": person.email}).status_code == 429
    assert OutboxMail.objects.count() == 5


def test_a_password_is_changed_by_who_knows_it_and_its_owner_is_told():
    person = make_known()
    client = browser(person)
    wrong = client.post("/sign/password/change/", {"oldpassword": "no", "password1": "my very own password"})
    assert wrong.status_code == 200
    right = client.post(
        "/sign/password/change/", {"oldpassword": PASSWORD, "password1": "my very own password"}
    )
    assert right["Location"] == "/profile/"
    assert who(client) == person.pk
    person.refresh_from_db()
    assert person.check_password("my very own password")
    assert letters(person.email)[0].subject == "Your password was changed"


def test_no_secret_is_kept_in_the_outbox():
    person = make_known()
    browser().post("/sign/password/reset/", {"email": person.email})
    cache.clear()
    letters(person.email)
    row = OutboxMail.objects.values().get()
    address = link(letter(person.email), "/sign/password/reset/key/")
    token = address.rstrip("/").rpartition("/")[2]
    assert token not in repr(row)
