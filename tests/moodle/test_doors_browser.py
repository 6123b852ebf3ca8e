"""From the mail into the course, with a Moodle's own sign-in page at the end of the way."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Person
from accounts.services import verify_address
from common.audit import Actor
from courses.models import Course, PlatformLogin
from tests.accounts.factories import make_account, make_person
from tests.accounts.helpers import letters, link
from tests.courses.factories import make_enrolment
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, use_peer
from tests.seats.factories import give, make_pool

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "My-very-own-passw0rd"


@pytest.fixture
def course(settings: Any, moodle_peer: MoodlePeer) -> Course:
    use_peer(settings, moodle_peer)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    there = moodle_peer.site.add_course("EXCEL1", "Excel", moodle_peer.site.add_category("Office"))
    return mirror(there)


def given(course: Course, email: str) -> str:
    """The text of the mail to whoever was given a seat."""
    account = make_account(name="Ateliers Réunis")
    make_pool(account, seats=1)
    give(account, course, email, Actor("system"))
    return str(letters(email)[-1].body)


def sign_in_there(page: Page, username: str) -> None:
    page.locator("#username").fill(username)
    page.locator("#password").fill(PASSWORD)
    page.locator("#loginbtn").click()
    expect(page.get_by_role("heading", name="Excel", exact=True)).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_newcomer_is_in_his_course_with_the_password_he_has_chosen(
    browser_page: Any, course: Course, javascript: bool
) -> None:
    text = given(course, "lea@example.org")
    page = browser_page(width=360, language="en", javascript=javascript)
    page.goto(link(text, "/invitation/"))
    page.get_by_label("First name").fill("Léa")
    page.get_by_label("Last name").fill("Martin")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password and begin").click()
    page.get_by_role("link", name="Open “Excel”").click()
    sign_in_there(page, "lea@example.org")


def test_somebody_known_goes_straight_there(
    browser_page: Any, course: Course, moodle_peer: MoodlePeer
) -> None:
    moodle_peer.site.add_user("zoe", "Zoe@Example.org", password=PASSWORD)
    text = given(course, "zoe@example.org")
    assert ": zoe\n" in text
    page = browser_page(width=360, language="en")
    page.goto(next(word for word in text.split() if word.startswith(moodle_peer.url)))
    sign_in_there(page, "zoe")


def test_after_signing_in_here_the_way_leads_on_to_the_course(browser_page: Any, course: Course) -> None:
    person: Person = make_person(email="ada@example.org", password=PASSWORD)
    verify_address(person)
    make_enrolment(course, person)
    PlatformLogin.objects.create(
        person=person, platform="moodle", username="ada", remote_id=99, is_ours=False
    )
    page = browser_page(width=1280, language="en")
    page.goto("/learn/EXCEL1/")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    # A page of ours that leads on by itself: the browser would have stopped a redirect.
    expect(page.locator("#loginbtn")).to_be_visible()
