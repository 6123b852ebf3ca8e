"""A seat of a remote platform in a real browser: what waits is said, asked about, and then shown as done or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone
from playwright.sync_api import Page, expect

from common import jobs
from common.models import Job
from courses.services import open_course
from tests.courses.factories import make_course
from tests.e2e.test_seats_pages import TOO_SMALL, TOO_WIDE, Axe, Picture, organisation, sign_in
from tests.seats.factories import give, make_pool
from tests.seats.remote import FarPlatform, install

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _a_worker_of_our_own() -> Iterator[None]:
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


def work() -> None:
    for job in Job.objects.filter(kind="seats.change", state="queued"):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        jobs.run(job.pk)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_seat_that_is_taken_back_far_away(
    browser_page: Any, axe: Axe, screenshot: Picture, far: FarPlatform, width: int, language: str
) -> None:
    account, manager = organisation()
    make_pool(account, 3)
    course = make_course("EXCEL1", fullname="Excel, les bases")
    anne = give(account, course, "anne.moreau-delagarde@lavallee.example")
    boris = give(account, course, "boris@lavallee.example")
    page: Page = browser_page(width=width, language=language)
    sign_in(page, manager, browser_page.base_url)

    def look(name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        assert page.evaluate(TOO_SMALL) == [], name
        screenshot(page, f"waiting-{name}")

    # The seat itself: it waits, the platform is away, it is back.
    page.goto(f"/seats/{anne.seat.reference}/")
    page.locator("#release button").click()
    waits = page.locator("#change-way .notice--waits")
    expect(waits).to_be_visible()
    expect(page.locator("#release")).to_have_count(0)
    look("1-seat")
    said = waits.inner_text()
    far.is_away = True
    work()
    expect(waits).not_to_have_text(said, use_inner_text=True)
    look("2-away")
    far.is_away = False
    work()
    expect(page.locator(".undo")).to_be_visible()
    expect(page.locator("#change-way .notice")).to_have_count(0)
    look("3-free")

    # In the list: it waits, and is refused because the course was opened after all.
    page.goto("/seats/all/")
    page.locator(".seat-list__actions button").first.click()
    expect(page.locator("#changes-way .notice--waits")).to_be_visible()
    expect(page.locator(".seat-list .tag--waits")).to_have_count(1)
    look("4-list")
    open_course(person_id=boris.holder_id, course_id=course.pk)
    work()
    expect(page.locator("#changes-way .notice--error")).to_be_visible()
    expect(page.locator(".seat-list .tag--waits")).to_have_count(0)
    look("5-refused")
    page.goto(f"/seats/{boris.seat.reference}/")
    expect(page.locator("#change-way .notice--error")).to_be_visible()
    look("6-refused-seat")
