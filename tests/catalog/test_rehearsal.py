"""The rehearsal of an item: what it would deliver, to whom, until when. Nothing happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import Person
from catalog.models import CatalogItem, ItemQuestion
from catalog.rehearsal import Rehearsal, rehearse
from tests.accounts.factories import make_person
from tests.catalog.factories import make_item, make_tier
from tests.courses.factories import make_category, make_course

AT = datetime.fromisoformat("2026-11-20T10:00:00+01:00")


@pytest.fixture(autouse=True)
def _english(db: None) -> None:
    translation.activate("en")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(Person.objects.create_superuser("staff@shop.example", language="en"))
    client.cookies.load({"django_language": "en"})
    return client


def rehearsed_item(handler: str = "", params: str = "", **changes: Any) -> CatalogItem:
    item: Any = make_item(name_en="Something", handler=handler, params=params, **changes)
    return CatalogItem.objects.select_related("shop").get(pk=item.pk)


def told(item: CatalogItem, quantity: int = 1) -> Rehearsal:
    return rehearse(item, quantity=quantity, at=AT)


def everything() -> dict[str, list[Any]]:
    """Every row of the house but sessions of the browser."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.label != "sessions.Session"
    }


def test_unassigned_seats_are_told_with_courses_and_both_limits():
    make_course("SPOC-M1")
    make_course("SPOC-M2")
    params = "courselist=SPOC-*&packsize=5&validity=10&duration=30&supervisor=teacher"
    assert told(rehearsed_item("generateseats", params), 2).delivery == [
        "10 seats are made, and nobody sits in them yet.",
        "Courses today: SPOC-M1, SPOC-M2.",
        "A person put in as a tutor gets the role teacher.",
        "The seats can be given until 30 November 2026 at 10:00.",
        "Access counts from the day a seat is given: one given at the purchase lasts until 20 December 2026 at 10:00.",
        "A mail goes to the buyer and to the owners and seat managers: the seats are ready to be given.",
    ]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ("", "Whoever gets a seat has access without an end."),
        ("endtime=2027-07-31", "Seats and access both last until 31 July 2027 inclusive."),
    ],
)
def test_the_end_of_access_is_told_as_people_read_it(params, sentence):
    make_course("SPOC-M1")
    assert told(rehearsed_item("generateseats", params)).delivery[4] == sentence


def test_a_session_is_told_with_people_roles_group_dates_and_mails():
    make_course("SPOC-M1", fullname="Moodle basics")
    params = "coursename=SPOC-M1&endtime=2027-07-31&autoenrolsupervisor=1"
    found = told(rehearsed_item("setuponecoursesession", params, seat_mode="quantity"), 4)
    assert "The buyer names 4 people." in found.order
    assert found.delivery == [
        "4 people named at the purchase take a seat each and are enrolled in “Moodle basics”.",
        "Learners get the role student.",
        "Tutors get the role teacher.",
        "The buyer tutors too, without a seat, with the role teacher.",
        "All of them are in one group, named after the order.",
        "Access starts on 20 November 2026 at 10:00 and lasts until 31 July 2027 inclusive.",
        "Whoever is enrolled already keeps the dates he has, and his seat is free for this course.",
        "A mail goes to each of them: an invitation where the login is new. Another one goes to the buyer.",
    ]


def test_a_course_space_is_told_with_category_content_owner_and_end():
    category = make_category(name="Spaces")
    params = f"coursecategory={category.pk}&duration=10&maxparticipants=12"
    assert told(rehearsed_item("buycourse", params), 3).delivery == [
        "3 course spaces are made in the category “Spaces”; the buyer names each.",
        "It starts as an empty course.",
        "The buyer owns it, edits it and puts people into it.",
        "At most 12 people may learn there.",
        "Access starts on 20 November 2026 at 10:00 and lasts until 30 November 2026 at 10:00.",
        "A mail tells the buyer when it is ready.",
    ]


def test_the_buyers_own_place_is_told_and_ordered_once_only():
    make_course("SPOC-M1", fullname="Moodle basics")
    make_course("HELP", is_support=True)
    item = rehearsed_item("enrolonecourse", "coursename=SPOC-M1&customersupport=HELP")
    assert told(item).delivery == [
        "The buyer takes one seat and is enrolled in “Moodle basics” with the role student.",
        "Access starts on 20 November 2026 at 10:00 and has no end.",
        "A mail tells the buyer when it is done.",
        "When the order is placed, the buyer is enrolled in the support course HELP.",
    ]
    assert told(item, 2).delivery == ["At most 1 of “Something” can be ordered at once."]


def test_an_extension_is_told_in_days_for_all_units():
    assert told(rehearsed_item("extendenrolperiod", "extension=30"), 2).delivery == [
        "The product that the buyer names by its reference ends 60 days of 24 hours later.",
        "A mail tells the buyer when it is done.",
    ]


def test_what_stands_in_the_way_is_told_instead():
    found = told(rehearsed_item("enrolonecourse", "coursename=GONE"))
    assert (found.fails, found.delivery) == (True, [])
    assert [finding.code for finding in found.findings] == ["course_unknown"]
    over = told(rehearsed_item("setuponecoursesession", "coursename=GONE&endtime=2020-01-01"))
    assert (over.fails, over.delivery) == (True, [])


def test_an_item_without_automation_delivers_nothing():
    assert told(make_item()).delivery == ["Nothing is delivered automatically."]


def test_price_tiers_and_questions_are_told():
    item = make_item(price=1000)
    make_tier(item=item, up_to=9, price=1200)
    ItemQuestion.objects.create(item=item, name="size", label_fr="Taille", label_en="Size", scope="unit")
    ItemQuestion.objects.create(item=item, name="ref", label_fr="Référence", position=1)
    assert told(item, 10).order == [
        "10 × €10.00 each, €100.00 in all.",
        "Asked for each unit: Size",
        "Asked once: Référence",
        "A mail confirms the order to the buyer.",
    ]
    assert told(item, 2).order[0] == "2 × €12.00 each, €24.00 in all."


def test_the_page_tells_it_and_changes_nothing(staff):
    make_course("SPOC-M1")
    item = rehearsed_item("generateseats", "courselist=SPOC-M1")
    url = reverse("admin:catalog_item_rehearsal", args=[item.pk])
    assert url in staff.get(reverse("admin:catalog_catalogitem_change", args=[item.pk])).content.decode()
    before = everything()
    page = staff.get(url, {"quantity": "7", "day": "2026-11-20"}).content.decode()
    assert "7 seats are made, and nobody sits in them yet." in page
    assert "Courses today: SPOC-M1." in page
    assert "1 seat is made" in staff.get(url).content.decode()
    assert everything() == before


@pytest.mark.parametrize("asked", [{"quantity": "0"}, {"quantity": "x"}, {"day": "9999-12-31"}, {"day": "?"}])
def test_a_question_that_makes_no_sense_is_answered_with_the_field(staff, asked):
    item = make_item()
    page = staff.get(reverse("admin:catalog_item_rehearsal", args=[item.pk]), asked)
    assert page.status_code == 200
    assert page.context["found"] is None
    assert set(page.context["form"].errors) == set(asked)


def test_only_staff_who_may_see_items_may_rehearse_them(client, staff):
    item = make_item()
    url = reverse("admin:catalog_item_rehearsal", args=[item.pk])
    assert staff.get(reverse("admin:catalog_item_rehearsal", args=[987654])).status_code == 404
    person = make_person(email="reader@shop.example", is_staff=True)
    other = Client()
    other.force_login(person)
    assert other.get(url).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="view_catalogitem"))
    assert other.get(url).status_code == 200
    assert Client().get(url).status_code == 302
