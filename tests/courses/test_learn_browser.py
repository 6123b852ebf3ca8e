"""Participants' and teachers' pages in a real browser: axe finds nothing, nothing is too wide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Person
from courses.models import Enrolment, GroupMode, PageDone
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment, put_into_group

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TEXT = """Un paragraphe avec **du gras**, *de l’italique* et [un lien](https://example.org).

## Une partie

- un
- deux

| Colonne | Nombre |
|---|---|
| une ligne avec beaucoup de texte qui doit pouvoir passer à la ligne | 12 |

> Une citation.

```
une ligne de code assez longue pour ne pas tenir sur un téléphone, et qui ne doit pas élargir la page
```
"""


def sign_in(page: Page, person: Person, base_url: str) -> None:
    cookie = browser(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": base_url}])


@pytest.fixture
def enrolment() -> Enrolment:
    """Somebody with courses in every state; the first has groups, people and pages."""
    now = timezone.now()
    course = make_course(
        "SPOC-1",
        pages=4,
        fullname="SPOC Appropriation Moodle",
        summary="Quatre semaines pour **apprivoiser** Moodle.",
        groups_mode=GroupMode.SEPARATE,
    )
    course.pages.update(body=TEXT)
    person = make_person(first_name="Jeanne", last_name="Martin")
    mine = make_enrolment(course, person, ends_at=now + timedelta(days=90))
    others = [
        make_enrolment(course, make_person(first_name=name, last_name="Durand"), role=role)
        for name, role in [("Paul", "student"), ("Inès", "student"), ("Théo", "teacher")]
    ]
    others.append(make_enrolment(course, opened_at=None))
    put_into_group("CMD-2027-0001", mine, *others)
    PageDone.objects.create(page=course.pages.all()[0], person=person)
    make_enrolment(make_course(fullname="Bureautique"), person)
    make_enrolment(make_course(fullname="Sécurité"), person, starts_at=now + timedelta(days=4))
    make_enrolment(make_course(fullname="Anglais"), person, ends_at=now - timedelta(hours=1))
    make_enrolment(make_course(fullname="Droit"), person, status="suspended")
    return mine


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_reading_and_editing_are_readable(browser_page, axe, screenshot, enrolment, language, width):
    page = browser_page(width=width, language=language)
    sign_in(page, enrolment.person, browser_page.base_url)
    first, second = enrolment.course.pages.all()[:2]
    suspended = Enrolment.objects.get(status="suspended").course
    reading = {
        "courses": "/learn/",
        "course": "/learn/SPOC-1/",
        "page-read": f"/learn/SPOC-1/{first.pk}/",
        "page": f"/learn/SPOC-1/{second.pk}/",
        "closed": f"/learn/{suspended.shortname}/",
    }
    editing = {
        "course-editor": "/learn/SPOC-1/",
        "pages": "/learn/SPOC-1/pages/",
        "edit": f"/learn/SPOC-1/{first.pk}/edit/",
        "delete": f"/learn/SPOC-1/{first.pk}/delete/",
    }
    for role, addresses in (("student", reading), ("editingteacher", editing)):
        Enrolment.objects.filter(pk=enrolment.pk).update(role=role)
        for name, address in addresses.items():
            page.goto(address)
            axe(page)
            assert page.evaluate(TOO_WIDE) <= 0, name
            screenshot(page, f"learn-{name}")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_participant_reads_a_course_to_its_end(browser_page, enrolment, javascript):
    page = browser_page(width=360, language="en", javascript=javascript)
    sign_in(page, enrolment.person, browser_page.base_url)
    page.goto("/learn/")
    page.get_by_role("link", name="SPOC Appropriation Moodle").click()
    page.get_by_role("link", name="Continue").click()
    for number in (2, 3, 4):
        expect(page.get_by_role("heading", name=f"Page {number}")).to_be_visible()
        page.get_by_role("button", name="Mark as read").click()
        expect(page.get_by_text("You have read this page.")).to_be_visible()
        if number < 4:
            page.get_by_role("link", name=f"Next: Page {number + 1}").click()
    page.get_by_role("link", name="Back to the course").click()
    expect(page.get_by_text("Finished")).to_be_visible()
    assert PageDone.objects.filter(person=enrolment.person).count() == 4
