"""A course space in a real browser: bought, written, filled with people, ended, and open again when it is renewed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Person, Role
from billing.production import produce
from billing.services import OrderLine, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from courses.models import CourseSpace, Enrolment
from courses.services import expire_spaces, make_backup
from delegation.services import Delegated, delegate
from tests.accounts.factories import make_member, make_person
from tests.accounts.helpers import letter, link
from tests.billing.factories import Customer, plain_item
from tests.courses.factories import make_category, make_enrolment, make_template
from tests.e2e.test_checkout import sign_in

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
Axe = Callable[[Page], None]
Picture = Callable[[Page, str], Any]
WISH = {"fullname": "Accueillir un nouveau collègue", "idnumber": "ACCUEIL"}


def order(customer: Customer, item: CatalogItem, data: dict[str, str]) -> None:
    """An order of one unit, paid and delivered."""
    bill = customer.place(OrderLine(item, 1, customer_data=(data,)))
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)


def buy(customer: Customer) -> CourseSpace:
    """A space with three places."""
    make_template(pages=2)
    item = plain_item(
        "SPACE",
        name_fr="Espace de cours",
        name_en="Course space",
        handler="buycourse",
        params=f"coursecategory={make_category('Spaces').pk}&template=MODEL&maxparticipants=3",
        renewable=True,
    )
    order(customer, item, WISH)
    return CourseSpace.objects.select_related("course", "owner", "account").get()


def known(space: CourseSpace, *names: str) -> list[Person]:
    """People the organisation answers for."""
    people = [make_person(email=f"{name.lower()}@demo.example") for name in names]
    delegate(
        account_id=space.account_id,
        entries=[
            Delegated(person.pk, True, person.email, name, "Durand")
            for person, name in zip(people, names, strict=True)
        ],
    )
    return people


def test_a_space_is_written_filled_ended_and_renewed(
    browser_page: Any, time_machine: Any, mailoutbox: Any
) -> None:
    customer = Customer()
    space = buy(customer)
    page = browser_page(language="en")
    page.goto("/")
    sign_in(page, space.owner)

    # He edits a page of his course.
    page.goto("/learn/ACCUEIL/")
    page.get_by_role("link", name="Edit the pages").click()
    page.get_by_role("link", name="Page 1", exact=True).click()
    page.get_by_label("Title").fill("The first day")
    page.get_by_role("button", name="Save the page").click()
    expect(page.get_by_role("heading", name="The first day")).to_be_visible()

    # He puts two people into it, and reads how many places are left.
    page.goto("/learn/ACCUEIL/")
    page.get_by_role("link", name="Participants and backups").click()
    expect(page.get_by_text("3 places left of 3.")).to_be_visible()
    page.get_by_role("link", name="Put people into the course").first.click()
    page.get_by_label("Paste or type the list").fill("Ann <ann@demo.example>\nBen <ben@demo.example>")
    page.get_by_role("button", name="Put them into the course").click()
    expect(page.get_by_text("2 people are in the course now")).to_be_visible()
    expect(page.get_by_text("1 place left of 3.")).to_be_visible()

    # One more than there are places: nobody comes in, and the list is still there.
    page.get_by_role("link", name="Put people into the course").first.click()
    page.get_by_label("Paste or type the list").fill("c@demo.example d@demo.example")
    page.get_by_role("button", name="Put them into the course").click()
    expect(page.get_by_text("There is only 1 place left: nobody was put into the course.")).to_be_visible()
    expect(page.get_by_label("Paste or type the list")).to_have_value("c@demo.example d@demo.example")
    assert Enrolment.objects.filter(course=space.course, role="student").count() == 2

    # A backup.
    page.goto(f"/spaces/{space.reference}/")
    page.get_by_role("button", name="Make a backup").click()
    expect(page.get_by_text("The backup is made.")).to_be_visible()

    # Ann comes by her mail.
    guest = browser_page(width=360, language="en")
    guest.goto(link(letter("ann@demo.example"), "/invitation/"))
    guest.get_by_label("Last name").fill("Martin")
    guest.locator("input[type=password]").fill("a long password of mine")
    guest.locator(".form__actions .button--primary").click()
    expect(guest.get_by_role("heading", name=WISH["fullname"])).to_be_visible()

    # Its time is over: neither of them gets in any more.
    time_machine.move_to(space.ends_at + timedelta(hours=1))
    assert expire_spaces(now=timezone.now()) == 1
    for visitor, person in ((page, space.owner), (guest, Person.objects.get(email_key="ann@demo.example"))):
        sign_in(visitor, person)
        visitor.goto("/learn/ACCUEIL/")
        expect(visitor.get_by_text("This course is closed.")).to_be_visible()
    page.get_by_role("link", name="Go to the course space").click()
    expect(page.get_by_text("The time of this space was over on")).to_be_visible()
    assert page.get_by_role("link", name="Put people into the course").count() == 0

    # Renewed by an order, everything is as it was.
    extension = plain_item("EXTEND", handler="extendenrolperiod", params="extension=180")
    order(customer, extension, {"reference": space.reference})
    guest.goto("/learn/ACCUEIL/")
    expect(guest.get_by_role("link", name="The first day")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 place left of 3.")).to_be_visible()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_of_a_space_are_readable(
    browser_page: Any, axe: Axe, screenshot: Picture, width: int, language: str
) -> None:
    space = buy(Customer())
    CourseSpace.objects.update(max_participants=12)
    ann, ben, _cleo, dan = known(space, "Anne-Laure", "Bernard", "Cléo", "Danièle")
    make_enrolment(space.course, ann)
    make_enrolment(space.course, ben, opened_at=None)
    make_enrolment(space.course, dan, status="suspended")
    make_enrolment(space.course, role="teacher")
    for with_users in (False, True):
        backup = make_backup(course_id=space.course_id, with_users=with_users, actor=OPERATOR)
    manager = make_member(Role.MANAGER, account=space.account).person
    page = browser_page(width=width, language=language)
    page.goto("/")

    def look(name: str, address: str, *, status: int = 200) -> None:
        response = page.goto(address)
        assert response is not None
        assert response.status == status, name
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        screenshot(page, f"space-{name}")

    own = f"/spaces/{space.reference}/"
    sign_in(page, space.owner)
    look("01-owner", own)
    look("02-course", "/learn/ACCUEIL/")
    look("03-restore", f"{own}backups/{backup.pk}/restore/")
    look("04-delete-backup", f"{own}backups/{backup.pk}/delete/")
    sign_in(page, manager)
    look("05-manager", own)
    look("06-add", f"{own}people/")
    page.locator("textarea").fill("bad@@demo.example")
    page.locator(".button--primary").click()
    expect(page.get_by_role("alert").or_(page.locator(".form-errors")).first).to_be_visible()
    axe(page)
    screenshot(page, "space-07-mistake")
    Enrolment.objects.exclude(person=space.owner).delete()
    look("08-nobody", own)
    expire_spaces(now=space.ends_at)
    look("09-over", own)
    sign_in(page, space.owner)
    look("10-closed", "/learn/ACCUEIL/", status=403)
    expect(page).to_have_url(re.compile("/learn/ACCUEIL/"))
