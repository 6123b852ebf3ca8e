"""Courses that live elsewhere: every way to a course leads there, and the pages of our own are gone."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person, Role
from common.audit import Actor
from courses.models import Course, Enrolment, PlatformLogin
from seats.models import Assignment
from tests.accounts.factories import make_account, make_member, make_person
from tests.accounts.helpers import browser, letter, link
from tests.courses.factories import make_course, make_enrolment, make_space
from tests.portal.elsewhere import Elsewhere, address_of, install_elsewhere
from tests.seats.factories import give, make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Elsewhere:
    return install_elsewhere(monkeypatch, settings)


def ready(platform: Elsewhere, person: Person) -> Person:
    """The person has chosen his password there."""
    platform.ensure_logins([person.pk])
    PlatformLogin.objects.filter(person=person).update(password_set_at=timezone.now())
    return person


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- pages --------------------------------------------------------------------------------------------


def test_my_courses_leads_to_the_courses(platform: Elsewhere) -> None:
    mine = make_enrolment(make_course("EXCEL1", fullname="Excel: the basics"))
    ready(platform, mine.person)
    page = text_of(browser(mine.person).get("/learn/"))
    assert f'<a href="{address_of(mine.course)}">Excel: the basics</a>' in page
    assert f"You sign in to the courses as <strong>{mine.person.email}</strong>." in page
    assert "Choose another password" in page
    assert "not started" not in page


def test_what_is_not_open_says_why_and_leads_nowhere(platform: Elsewhere) -> None:
    mine = make_enrolment(make_course("EXCEL1"), status=Enrolment.Status.SUSPENDED)
    client = browser(ready(platform, mine.person))
    page = text_of(client.get("/learn/"))
    assert "Your access is suspended" in page
    assert address_of(mine.course) not in page
    assert client.get("/learn/EXCEL1/").status_code == 403


def test_the_address_of_a_course_leads_on(platform: Elsewhere) -> None:
    mine = make_enrolment(make_course("EXCEL1"))
    client = browser(ready(platform, mine.person))
    response = client.get("/learn/EXCEL1/")
    assert (response.status_code, response.headers["Location"]) == (302, address_of(mine.course))
    assert Enrolment.objects.get().opened_at == mine.opened_at


def test_after_a_form_of_ours_a_page_leads_on_because_browsers_stop_a_redirect(platform: Elsewhere) -> None:
    mine = make_enrolment(make_course("EXCEL1"))
    client = browser(ready(platform, mine.person))
    response = client.get("/learn/EXCEL1/", headers={"referer": "http://testserver/sign/login/"})
    assert response.status_code == 200
    assert f'<meta http-equiv="refresh" content="0; url={address_of(mine.course)}">' in text_of(response)


def test_strangers_learn_nothing(platform: Elsewhere) -> None:
    make_course("EXCEL1")
    client = browser(make_person())
    assert client.get("/learn/EXCEL1/").status_code == 404
    assert browser().get("/learn/EXCEL1/").headers["Location"] == "/sign/login/?next=/learn/EXCEL1/"


def test_pages_of_our_own_are_not_there(platform: Elsewhere) -> None:
    mine = make_enrolment(make_course("EXCEL1", pages=2), role="editingteacher")
    page = mine.course.pages.get(position=1)
    client = browser(ready(platform, mine.person))
    paths = [
        "pages/",
        "pages/new/",
        "backups/",
        "backups/1/",
        f"{page.pk}/",
        f"{page.pk}/edit/",
        f"{page.pk}/delete/",
    ]
    assert [client.get(f"/learn/EXCEL1/{path}").status_code for path in paths] == [404] * len(paths)
    for path in (f"{page.pk}/mark/", f"{page.pk}/move/", "backups/"):
        assert client.post(f"/learn/EXCEL1/{path}").status_code == 404


def test_a_space_leads_to_its_course_and_has_no_backups(platform: Elsewhere) -> None:
    owner = make_member(Role.OWNER)
    space = make_space(account=owner.account, owner=owner.person)
    client = browser(ready(platform, owner.person))
    page = text_of(client.get(f"/spaces/{space.reference}/"))
    assert f'href="{address_of(space.course)}"' in page
    assert "Edit the pages" not in page
    assert "Backups" not in page
    for path in ("backups/", "backups/1/restore/"):
        assert client.post(f"/spaces/{space.reference}/{path}").status_code == 403


@pytest.mark.parametrize("how", ["gone", "never there"])
def test_a_course_that_the_platform_does_not_have_is_closed(
    platform: Elsewhere, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    mine = make_enrolment(make_course("EXCEL1", pages=1))
    if how == "gone":
        Course.objects.update(missing_since=timezone.now())
    else:
        monkeypatch.setattr(platform, "course_urls", lambda ids: [""] * len(ids))
    client = browser(ready(platform, mine.person))
    assert "This course is closed." in text_of(client.get("/learn/"))
    assert client.get("/learn/EXCEL1/").status_code == 403
    page = mine.course.pages.get()
    assert client.get(f"/learn/EXCEL1/{page.pk}/").status_code == 404


# --- mails ----------------------------------------------------------------------------------------------


def given(platform: Elsewhere, person: Person) -> Assignment:
    """A seat for somebody whom the platform knows; its mail is queued."""
    account = make_account(name="Demo Industries")
    make_pool(account, seats=1)
    platform.ensure_logins([person.pk])
    return give(account, make_course("EXCEL1", fullname="Excel"), person.email, Actor("system"))


def mail_of(assignment: Assignment) -> str:
    return letter(assignment.email)


def test_the_invitation_names_the_user_name_and_no_password(platform: Elsewhere) -> None:
    text = mail_of(given(platform, make_person(email="lea@example.org")))
    assert "Your user name for the courses: lea@example.org" in text
    assert "Your temporary password" not in text
    assert link(text, "/invitation/").endswith("?next=%2Flearn%2FEXCEL1%2F")


def test_the_news_lead_straight_to_the_course(platform: Elsewhere) -> None:
    person = ready(platform, make_person(email="lea@example.org", possessed_at=timezone.now()))
    assignment = given(platform, person)
    text = mail_of(assignment)
    assert address_of(assignment.course) in text
    assert "Your user name for the courses: lea@example.org" in text
    assert "/sign/login/" not in text


def test_whoever_had_a_login_there_is_told_its_name(platform: Elsewhere) -> None:
    platform.known = {"lea@example.org"}
    person = make_person(email="lea@example.org", possessed_at=timezone.now())
    assignment = given(platform, person)
    text = mail_of(assignment)
    assert f"Your user name for the courses: old-{person.pk}" in text
    assert address_of(assignment.course) in text


def test_whoever_has_no_password_there_yet_is_led_to_choosing_it(platform: Elsewhere) -> None:
    person = make_person(email="lea@example.org", possessed_at=timezone.now())
    text = mail_of(given(platform, person))
    assert (
        "Only a password for the courses is missing: sign in here as lea@example.org and choose it." in text
    )
    path = link(text, "/sign/login/")
    assert path == "/sign/login/?next=%2Fcourses%2Fpassword%2F%3Fnext%3D%252Flearn%252FEXCEL1%252F"
    assert browser(person).get("/courses/password/?next=%2Flearn%2FEXCEL1%2F").status_code == 200
