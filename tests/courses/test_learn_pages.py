"""Participants' pages: who gets in, what is counted, what is shown."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.selectors import get_shop
from courses.models import Enrolment, GroupMode, PageDone
from seats.models import Assignment, Seat, SeatPool
from tests.accounts.factories import make_account, make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment, put_into_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def course():
    return make_course("SPOC-1", pages=3, fullname="Reading well")


@pytest.fixture
def enrolment(course):
    return make_enrolment(course, opened_at=None)


@pytest.fixture
def client(enrolment):
    return browser(enrolment.person)


def addresses(course) -> list[str]:
    page = course.pages.first()
    return [reverse("portal:course", args=[course.shortname]), page_url(course, page)]


def page_url(course, page, name="portal:page") -> str:
    return reverse(name, args=[course.shortname, page.pk])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


# --- getting in --------------------------------------------------------------------------------------


def test_pages_of_courses_ask_who_one_is(course):
    for address in [*addresses(course), reverse("portal:my_courses")]:
        response = browser().get(address)
        assert response.status_code == 302
        assert response.headers["Location"].split("?")[0] == reverse("account_login")


@pytest.mark.parametrize("staff", [False, True])
def test_a_stranger_gets_404_everywhere_and_changes_nothing(course, enrolment, staff):
    stranger = browser(make_person(is_staff=staff, is_superuser=staff))
    page = course.pages.first()
    for address in [*addresses(course), reverse("portal:course", args=["no-such-course"])]:
        assert stranger.get(address).status_code == 404
    assert stranger.post(page_url(course, page, "portal:mark_page")).status_code == 404
    for name in ("portal:edit_page", "portal:move_page", "portal:delete_page"):
        assert stranger.post(page_url(course, page, name), {"title": "x"}).status_code == 404
    assert stranger.post(reverse("portal:new_page", args=["SPOC-1"]), {"title": "x"}).status_code == 404
    assert PageDone.objects.count() == 0
    assert course.pages.count() == 3


def test_a_page_of_another_course_is_not_here(client, enrolment):
    other = make_course("OTHER", pages=1)
    make_enrolment(other, enrolment.person)
    foreign = other.pages.get().pk
    assert client.get(reverse("portal:page", args=["SPOC-1", foreign])).status_code == 404
    assert client.post(reverse("portal:mark_page", args=["SPOC-1", foreign])).status_code == 404
    assert PageDone.objects.count() == 0


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**40])
def test_a_page_number_that_cannot_be_is_a_404(client, number):
    assert client.get(f"/learn/SPOC-1/{number}/").status_code == 404
    assert client.post(f"/learn/SPOC-1/{number}/mark/").status_code == 404


@pytest.mark.parametrize("name", ["%00", "a%00b", "%0A", "..", "%E2%80%AE", "a/b", "x" * 5000, "%FF"])
def test_a_strange_short_name_is_a_404(client, name):
    assert client.get(f"/learn/{name}/").status_code == 404


def test_a_short_name_is_exact(client):
    assert client.get("/learn/spoc-1/").status_code == 404


NOW = timezone.now()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"starts_at": NOW + timedelta(days=1)}, "It opens on"),
        ({"ends_at": NOW}, "Your access ended on"),
        ({"status": "suspended"}, "Your access is suspended"),
    ],
)
def test_who_may_not_enter_now_reads_why_and_nothing_is_recorded(client, course, enrolment, fields, words):
    Enrolment.objects.filter(pk=enrolment.pk).update(**fields)
    page = course.pages.first()
    for address in addresses(course):
        response = client.get(address)
        assert response.status_code == 403
        assert words in text_of(response)
        assert "Text 1" not in text_of(response)
    assert client.post(page_url(course, page, "portal:mark_page")).status_code == 403
    assert words in text_of(client.get(reverse("portal:my_courses")))
    enrolment.refresh_from_db()
    assert enrolment.opened_at is None
    assert PageDone.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"closed_at": NOW}, "This course is closed."), ({"visible": False}, "This course is not shown")],
)
def test_nobody_enters_a_closed_or_hidden_course(client, course, fields, words):
    type(course).objects.filter(pk=course.pk).update(**fields)
    for address in addresses(course):
        response = client.get(address)
        assert (response.status_code, words in text_of(response)) == (403, True)


def test_access_begins_with_its_start_and_is_over_at_its_end(client, course, enrolment, time_machine):
    start, end = enrolment.starts_at, enrolment.starts_at + timedelta(days=10)
    Enrolment.objects.filter(pk=enrolment.pk).update(ends_at=end)
    course_page = addresses(course)[0]
    for instant, status in [(start - SECOND, 403), (start, 200), (end - SECOND, 200), (end, 403)]:
        time_machine.move_to(instant, tick=False)
        assert browser(enrolment.person).get(course_page).status_code == status


def test_a_closed_door_says_whom_to_ask(client, course, enrolment):
    give_seat(enrolment, make_account(name="Ateliers Réunis"))
    Enrolment.objects.filter(pk=enrolment.pk).update(status="suspended")
    for address in (addresses(course)[0], reverse("portal:my_courses")):
        assert "Ateliers Réunis gave you this place" in text_of(client.get(address))


def give_seat(enrolment, account) -> Assignment:
    values = {"item_code": "SEATS", "item_name": "Seats", "bill_number": "B-1", "size": 1}
    pool = SeatPool.objects.create(account=account, line_key=uuid4(), purchased_at=timezone.now(), **values)
    seat = Seat.objects.create(pool=pool, account=account, ordinal=1, reference=uuid4().hex[:19])
    return Assignment.objects.create(
        seat=seat,
        account=account,
        person=enrolment.person,
        course=enrolment.course,
        role="student",
        email=enrolment.person.email,
        state="live",
        starts_at=enrolment.starts_at,
        created_by="operator",
    )


# --- opening -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_looking_at_the_course_or_a_page_opens_it_once(client, course, enrolment, which):
    address = addresses(course)[which]
    assert client.get(address).status_code == 200
    enrolment.refresh_from_db()
    first = enrolment.opened_at
    assert first is not None
    assert client.get(address).status_code == 200
    enrolment.refresh_from_db()
    assert enrolment.opened_at == first


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x-moz": "Prefetch"},
        {"x-purpose": "preview"},
    ],
)
def test_a_browser_that_fetches_ahead_opens_nothing_and_must_ask_again(client, course, enrolment, headers):
    for address in addresses(course):
        response = client.get(address, headers=headers)
        assert (response.status_code, response.headers["Cache-Control"]) == (503, "no-store")
    enrolment.refresh_from_db()
    assert enrolment.opened_at is None


def test_neither_a_head_request_nor_the_list_of_courses_opens_a_course(client, course, enrolment):
    for address in addresses(course):
        assert client.head(address).status_code == 200
    assert client.get(reverse("portal:my_courses")).status_code == 200
    enrolment.refresh_from_db()
    assert enrolment.opened_at is None


def test_opening_locks_the_seat(client, course, enrolment):
    assignment = give_seat(enrolment, make_account())
    client.get(addresses(course)[0])
    assignment.refresh_from_db()
    enrolment.refresh_from_db()
    assert assignment.opened_at is not None
    assert enrolment.opened_at is not None


def test_an_opening_before_the_seat_was_given_does_not_start_it(client, course, enrolment):
    Enrolment.objects.filter(pk=enrolment.pk).update(opened_at=enrolment.starts_at + SECOND)
    assignment = give_seat(enrolment, make_account())
    client.get(addresses(course)[0])
    assignment.refresh_from_db()
    assert assignment.opened_at is not None
    assert assignment.opened_at >= assignment.created_at


# --- reading -------------------------------------------------------------------------------------------


def test_a_page_is_marked_as_read_and_the_mark_is_taken_back(client, course, enrolment):
    page = course.pages.first()
    assert "Mark as read" in text_of(client.get(page_url(course, page)))
    for _ in range(2):
        response = client.post(page_url(course, page, "portal:mark_page"))
        assert (response.status_code, response.url) == (302, page_url(course, page))
        assert [(done.page_id, done.person_id) for done in PageDone.objects.all()] == [
            (page.pk, enrolment.person_id)
        ]
    assert "You have read this page." in text_of(client.get(page_url(course, page)))
    assert "1 / 3" in text_of(client.get(addresses(course)[0]))
    for _ in range(2):
        client.post(page_url(course, page, "portal:mark_page"), {"done": "0"})
        assert PageDone.objects.count() == 0


def test_marking_is_not_done_by_following_a_link(client, course):
    assert client.get(page_url(course, course.pages.first(), "portal:mark_page")).status_code == 405
    assert PageDone.objects.count() == 0


def test_pages_lead_to_the_one_before_and_the_one_after(client, course):
    first, second, third = course.pages.all()
    text = text_of(client.get(page_url(course, second)))
    assert "Previous: Page 1" in text
    assert "Next: Page 3" in text
    assert "Page 2 of 3" in text
    assert "Previous:" not in text_of(client.get(page_url(course, first)))
    assert "Next:" not in text_of(client.get(page_url(course, third)))


def test_the_course_leads_to_the_first_page_not_read(client, course, enrolment):
    first, second, third = course.pages.all()
    PageDone.objects.create(page=first, person=enrolment.person)
    text = text_of(client.get(addresses(course)[0]))
    assert f'href="{page_url(course, second)}">Continue' in text
    for page in (second, third):
        PageDone.objects.create(page=page, person=enrolment.person)
    text = text_of(client.get(addresses(course)[0]))
    assert f'href="{page_url(course, first)}">Read again' in text
    assert "Finished" in text


def test_what_a_page_says_is_sanitised(client, course):
    page = course.pages.first()
    page.body = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    page.save()
    html = client.get(page_url(course, page)).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert 'href="javascript' not in html


def test_my_courses_puts_open_ones_first_and_says_until_when(client, course, enrolment):
    Enrolment.objects.filter(pk=enrolment.pk).update(ends_at=timezone.now() + timedelta(days=3))
    ended = make_course("OLD", fullname="A closed book")
    make_enrolment(ended, enrolment.person, ends_at=timezone.now() - timedelta(hours=1))
    text = text_of(client.get(reverse("portal:my_courses")))
    assert "1 course is open to you." in text
    assert text.index("Reading well") < text.index("A closed book")
    assert "Until " in text
    assert 'href="/learn/OLD/"' not in text


def test_without_a_course_the_page_says_what_will_happen():
    text = text_of(browser(make_person()).get(reverse("portal:my_courses")))
    assert "You are not in a course yet." in text


def test_a_course_without_pages_is_a_page_all_the_same(enrolment):
    make_enrolment(make_course("EMPTY"), enrolment.person)
    response = browser(enrolment.person).get("/learn/EMPTY/")
    assert response.status_code == 200
    assert "This course has no page yet." in text_of(response)


# --- people --------------------------------------------------------------------------------------------


def people_of_two_groups(mode):
    course = make_course("GROUPS", groups_mode=mode)
    names = {
        "Anne A": "student",
        "Alain A": "student",
        "Theo A": "teacher",
        "Bea B": "student",
        "Tim B": "teacher",
    }
    people = {
        name: make_enrolment(
            course, make_person(first_name=name.split()[0], last_name=name.split()[1]), role=role
        )
        for name, role in names.items()
    }
    for letter in "AB":
        put_into_group(f"{letter}-0001", *(row for name, row in people.items() if name.endswith(letter)))
    return people


def test_with_separate_groups_a_session_reads_nothing_of_the_other():
    people = people_of_two_groups(GroupMode.SEPARATE)
    for viewer in ("Anne A", "Theo A"):
        text = text_of(browser(people[viewer].person).get("/learn/GROUPS/"))
        assert all(name in text for name in ("Anne A", "Alain A", "Theo A"))
        assert not any(name in text for name in ("Bea B", "Tim B", "B-0001"))


def test_with_visible_groups_one_s_own_group_is_shown_first_and_all_on_demand():
    viewer = browser(people_of_two_groups(GroupMode.VISIBLE)["Anne A"].person)
    mine, everybody = (text_of(viewer.get(f"/learn/GROUPS/{query}")) for query in ("", "?people=all"))
    assert "Alain A" in mine
    assert "Bea B" not in mine
    assert all(name in everybody for name in ("Alain A", "Theo A", "Bea B", "Tim B", "B-0001"))


def test_without_groups_everybody_is_shown():
    viewer = browser(people_of_two_groups(GroupMode.NONE)["Anne A"].person)
    text = text_of(viewer.get("/learn/GROUPS/"))
    assert all(name in text for name in ("Alain A", "Theo A", "Bea B", "Tim B"))


def test_who_has_not_opened_the_course_is_counted_but_not_named(client, course):
    make_enrolment(course, make_person(first_name="Secret", last_name="Person"), opened_at=None)
    text = text_of(client.get(addresses(course)[0]))
    assert "Secret" not in text
    assert "1 more person has not opened the course yet." in text


def test_no_address_is_shown_to_other_participants(client, course):
    make_enrolment(course, make_person(email="private@example.org"))
    assert "private@example.org" not in text_of(client.get(addresses(course)[0]))


@pytest.mark.parametrize("count", [1, 120])
def test_a_course_takes_the_same_number_of_queries_whatever_its_size(count, django_assert_max_num_queries):
    course = make_course("BIG", pages=count, groups_mode=GroupMode.VISIBLE)
    enrolments = [make_enrolment(course) for _ in range(count)]
    put_into_group("A", *enrolments)
    client = browser(enrolments[0].person)
    get_shop()
    with django_assert_max_num_queries(14):
        assert client.get("/learn/BIG/").status_code == 200


@pytest.mark.parametrize("query", ["page=9999999999", "page=x", "page=-1", "people=%00", "people=all&page=2"])
def test_strange_questions_are_answered(client, course, query):
    assert client.get(f"{addresses(course)[0]}?{query}").status_code == 200
