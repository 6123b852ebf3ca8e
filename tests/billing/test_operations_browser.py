"""The operators' page in a real browser: readable at both widths, in both languages and themes; a job tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Person
from common.models import Job, OutboxMail
from courses.models import PlatformSite
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.e2e.test_checkout import sign_in
from tests.seats.factories import plan_list
from tests.seats.remote import FarPlatform, install

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SINCE = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
WHY = (
    "The course platform refuses the token. Make a new one for the service user and write it to MOODLE_TOKEN."
)


@pytest.fixture
def operator() -> Person:
    return Person.objects.create_superuser("operator@shop.example", "a good long password")


def outage(monkeypatch: pytest.MonkeyPatch, settings: Any) -> FarPlatform:
    """Five lists wait for a platform that refuses us, one was given up, and a mail too."""
    far = install(monkeypatch, settings)
    PlatformSite.objects.create(
        platform=far.name,
        failures=7,
        needs_admin=True,
        last_error=WHY,
        last_error_at=SINCE,
        last_ok_at=SINCE - timedelta(hours=3),
        open_until=timezone.now() + timedelta(minutes=1),
        lease_holder="worker-2@shop:4711",
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    account, course = make_account(name="Atelier de formation Durand & Fils"), make_course("EXCEL1")
    Job.objects.all().delete()
    far.is_away = True
    for number in range(6):
        plan_list(account, course, f"p{number}@x.org", f"q{number}@x.org")
    Job.objects.update(
        state="queued",
        finished_at=None,
        waiting_since=SINCE,
        not_before=timezone.now() + timedelta(minutes=4),
        attempt=42,
        last_error=WHY,
    )
    first = Job.objects.earliest("pk")
    Job.objects.filter(pk=first.pk).update(state="failed", waiting_since=None, last_error="ValueError")
    OutboxMail.objects.create(
        kind="invitation", to="somebody.with.a.long.name@organisation.example", event_key="1", state="failed"
    )
    return far


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser_page, axe, screenshot, operator, monkeypatch, settings, width, color_scheme, language
):
    page = browser_page(width=width, color_scheme=color_scheme, language=language)
    page.goto("/")
    sign_in(page, operator)
    look(page, axe, screenshot, f"empty-{color_scheme}")
    outage(monkeypatch, settings)
    look(page, axe, screenshot, f"outage-{color_scheme}")
    page.goto(reverse("billing:operations_mails"))
    axe(page)
    assert page.evaluate(TOO_WIDE) <= 0


def look(page: Page, axe: Any, screenshot: Any, name: str) -> None:
    page.goto(reverse("billing:operations"))
    axe(page)
    assert page.evaluate(TOO_WIDE) <= 0
    screenshot(page, f"operations-{name}")


def test_a_job_that_was_given_up_is_tried_again(browser_page, operator, monkeypatch, settings):
    far = outage(monkeypatch, settings)
    page = browser_page(language="en")
    page.goto("/")
    sign_in(page, operator)
    page.goto(reverse("admin:index"))
    page.get_by_role("link", name="What waits, and why").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What waits, and why")
    expect(page.get_by_text("2 pieces of work were given up")).to_be_visible()
    page.get_by_role("button", name="Try 2 people for EXCEL1 again").click()
    expect(page.get_by_text("It is tried again.")).to_be_visible()
    expect(page.get_by_text("1 piece of work was given up")).to_be_visible()
    assert not Job.objects.filter(state="failed").exists()
    far.is_away = False
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("pieces of work that waited for it go on")).to_be_visible()
    # Without a broker the work is done before the page comes back.
    assert not Job.objects.exclude(state="done").exists()
