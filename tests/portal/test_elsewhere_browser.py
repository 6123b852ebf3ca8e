"""Courses that live elsewhere, in a real browser: the password, the ways in, people on their way into a space."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Role
from common import jobs
from common.models import Job
from courses.models import Enrolment, PlatformLogin
from tests.accounts.factories import OWN, make_account, make_invited, make_member, make_person
from tests.courses.factories import make_course, make_enrolment, make_space
from tests.courses.test_learn_browser import TOO_WIDE, sign_in
from tests.portal.elsewhere import Elsewhere, address_of, install_elsewhere
from tests.portal.test_space_people import inside

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Elsewhere:
    return install_elsewhere(monkeypatch, settings)


def invited(platform: Elsewhere, email: str) -> str:
    """The path of somebody's invitation to the course SPOC-1."""
    person = make_person(email=email, first_name="Léa", last_name="Martin")
    platform.ensure_logins([person.pk])
    course = make_course(f"SPOC-{person.pk}", fullname="SPOC Appropriation Moodle")
    make_enrolment(course, person, opened_at=None)
    _invitation, token = make_invited(person=person, account=make_account(name="Ateliers Réunis"))
    return f"/invitation/{token}/?next=/learn/{course.shortname}/"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_from_the_mail_to_the_course(
    browser_page: Any, axe: Any, screenshot: Any, platform: Elsewhere, language: str, width: int
) -> None:
    page = browser_page(width=width, language=language)

    def look(name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        screenshot(page, f"elsewhere-{name}")

    page.goto(invited(platform, "lea@example.org"))
    look("invitation")
    platform.is_away = True
    page.locator("input[name=password]").fill(OWN)
    page.locator("main form .button--primary").click()
    expect(page.locator("input[name=first_name]")).to_have_value("Léa")
    look("invitation-away")
    platform.is_away = False
    page.locator("input[name=password]").fill(OWN)
    page.locator("main form .button--primary").click()
    way = page.locator("main a.button--primary")
    expect(way).to_have_attribute("href", address_of(Enrolment.objects.get().course))
    look("password-set")
    page.goto("/learn/")
    look("my-courses")
    page.goto("/profile/")
    look("profile")
    page.goto("/courses/password/")
    look("password")
    PlatformLogin.objects.update(password_set_at=None)
    page.goto("/learn/")
    look("my-courses-no-password")
    PlatformLogin.objects.update(is_ours=False)
    page.goto("/courses/password/")
    look("password-not-ours")


def test_the_two_taps_from_the_mail_without_javascript(browser_page: Any, platform: Elsewhere) -> None:
    page = browser_page(width=360, language="en", javascript=False)
    page.goto(invited(platform, "lea@example.org"))
    page.get_by_label("Choose a password").fill(OWN)
    page.get_by_role("button", name="Set the password and begin").click()
    link = page.get_by_role("link", name="Open “SPOC Appropriation Moodle”")
    expect(link).to_have_attribute("href", address_of(Enrolment.objects.get().course))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_people_on_their_way_into_a_space(
    browser_page: Any, axe: Any, screenshot: Any, platform: Elsewhere, language: str, width: int
) -> None:
    owner = make_member(Role.OWNER)
    course = make_course("MINE", is_space=True, fullname="Notre cours")
    space = make_space(course, account=owner.account, owner=owner.person, max_participants=9)
    make_enrolment(course, make_person(email="paul@example.org"))
    page = browser_page(width=width, language=language)
    sign_in(page, owner.person, browser_page.base_url)
    platform.is_away = True
    platform.refuses = {"bad@example.org": "bad_address"}
    page.goto(f"/spaces/{space.reference}/people/")
    page.locator("textarea").fill("Léa Martin <lea@example.org>\nbad@example.org")
    page.locator("main form.give .button--primary").click()
    waiting = page.locator("#way li")
    expect(waiting).to_have_count(2)
    axe(page)
    assert page.evaluate(TOO_WIDE) <= 0
    screenshot(page, "elsewhere-space-waits")
    platform.is_away = False
    Job.objects.filter(state=Job.State.QUEUED).update(not_before=timezone.now())
    jobs.run_due()
    assert "lea@example.org" in inside(space)
    # The page reads itself anew.
    expect(waiting).to_have_count(0)
    expect(page.get_by_text("bad@example.org")).to_be_visible()
    axe(page)
    assert page.evaluate(TOO_WIDE) <= 0
    screenshot(page, "elsewhere-space-told")
