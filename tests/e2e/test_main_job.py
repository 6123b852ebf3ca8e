"""The main job in a browser: a training manager buys ten seats and gives them to ten people, without help."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Person
from courses.models import Course, Enrolment
from portal.sample import load_sample
from portal.sample.load import person_with_password
from seats.models import Assignment
from tests.accounts.helpers import letter, letters, link
from tests.courses.factories import make_enrolment
from tests.e2e.main_job import TOO_WIDE, Look, buy, confirm, sign_up

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

Axe = Callable[[Page], None]
Picture = Callable[[Page, str], Any]

NEW = ["david@lavallee.example", "emma@lavallee.example", "fanny@lavallee.example", "hugo@lavallee.example"]
PASTE = f"""\
Anne Moreau <Anne.Moreau@lavallee.example>; Boris Petit <boris@lavallee.example>
"Roux, Chloé" <chloe@lavallee.example>; "Leroy, David" <{NEW[0]}>
Emma Simon <{NEW[1]}>; Fanny Michel <{NEW[2]}>; Hugo Blanc <{NEW[3]}>
Jeanne Henry <jeanne@lavallee.example>; DAVID@lavallee.example
karim@@lavallee.example
"""


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_manager_buys_ten_seats_and_gives_them_to_ten_people(
    browser_page: Any, axe: Axe, screenshot: Picture, width: int, language: str
) -> None:
    load_sample()
    _known_people()

    def look(page: Page, name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        screenshot(page, f"main-{name}")

    manager = browser_page(width=width, language=language)
    sign_up(manager, look)
    bill = buy(manager, look)
    confirm(browser_page(language=language), bill)
    _give(manager, look)
    _take_part(browser_page(width=width, language=language), look)

    # The manager sees that one of the seats has been started.
    manager.goto("/seats/?course=EXCEL1")
    look(manager, "12-my-seats-started")
    assert Assignment.objects.exclude(opened_at=None).get().email == NEW[1]


def _known_people() -> None:
    for email in ("anne.moreau@lavallee.example", "boris@lavallee.example", "chloe@lavallee.example"):
        person_with_password(email, first_name="Known", last_name="Before")
    course = Course.objects.get(shortname="EXCEL1")
    make_enrolment(course, Person.objects.get(email_key="chloe@lavallee.example"), opened_at=None)


def _give(page: Page, look: Look) -> None:
    page.goto("/seats/?course=EXCEL1")
    look(page, "08-my-seats")
    page.locator("main a.button--primary[href*='/seats/give/'], main a[href*='/seats/give/']").first.click()
    page.wait_for_url("**/seats/give/**")
    page.locator("[name='paste']").fill(PASTE)
    look(page, "09-give")
    page.locator(".form__actions .button--primary").click()
    page.wait_for_url(re.compile(r"/seats/lists/\d+/$"))
    # Seven people are new to the course; Chloé is in it already, David stands twice, Karim has no address.
    expect(page.locator("main .button--primary").first).to_contain_text("7")
    look(page, "10-review")
    page.locator("main .button--primary").first.click()
    expect(page.locator("h1")).to_contain_text("7")
    look(page, "11-result")
    rows = dict(Assignment.objects.values_list("email", "state"))
    assert len(rows) == 7
    assert set(rows.values()) == {Assignment.State.LIVE}
    page.goto("/seats/")
    words = {"fr": "10 achetés", "en": "10 bought"}[page.locator("html").get_attribute("lang") or ""]
    expect(page.locator(".seats-total").first).to_contain_text(words)


def _take_part(page: Page, look: Look) -> None:
    """A new participant follows the mailed link, chooses a password and is in the course in two taps."""
    for known in ("anne.moreau@lavallee.example", "boris@lavallee.example"):
        assert "/invitation/" not in str(letters(known)[-1].body)
    assert letters("chloe@lavallee.example") == []
    page.goto(link(letter(NEW[1]), "/invitation/"))
    look(page, "13-invitation")
    for field in page.locator("main input[type='password']").all():
        field.fill("une phrase assez longue")
    page.locator("main .button--primary").click()
    page.wait_for_url("**/learn/EXCEL1/")
    expect(page.locator("h1")).to_contain_text("Excel")
    look(page, "14-course")
    page.goto("/learn/")
    look(page, "15-my-courses")
    assert Enrolment.objects.get(person__email_key=NEW[1]).opened_at is not None
