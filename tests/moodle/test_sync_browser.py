"""The shop admin asks for the courses of a Moodle, and sees them, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from courses.models import Course
from tests.accounts.factories import make_person
from tests.courses.test_learn_browser import sign_in
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import use_peer

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_synchronise_now_and_mark_a_template(
    browser_page: Any, screenshot: Any, settings: Any, moodle_peer: MoodlePeer, language: str
) -> None:
    use_peer(settings, moodle_peer)
    moodle_peer.site.add_course("SPOC-1", "Lire", groupmode=1)
    moodle_peer.site.add_course("MODEL", "Modèle", groups=["G"], manual=False)
    page = browser_page(width=1280, language=language)
    sign_in(page, make_person(is_staff=True, is_superuser=True), browser_page.base_url)
    page.goto("/admin/courses/course/")
    page.locator("form[action$='/synchronise/'] input[type=submit]").click()
    page.goto("/admin/courses/course/")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    screenshot(page, "admin-courses-moodle")
    page.get_by_role("link", name="MODEL", exact=True).click()
    expect(page.locator("main input[type=checkbox]")).to_have_count(3)
    page.locator("input[name=is_template]").check()
    screenshot(page, "admin-course-moodle")
    page.locator("input[name=_save]").click()
    expect(page.locator(".messagelist")).to_be_visible()
    course = Course.objects.get(shortname="MODEL")
    assert (course.is_template, course.groups_found) == (True, 1)
