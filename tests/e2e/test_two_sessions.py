"""Two organisations each buy a session of the same course: neither sees the other's people (seed "Mise en place")."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import CustomerAccount, Person, Role
from billing.models import Bill
from billing.production import produce
from billing.services import record_payment
from common.audit import OPERATOR
from courses.models import Enrolment, GroupMember
from courses.services import open_course
from portal.sample import load_sample
from portal.sample.load import IDENTITY, person_with_password
from seats.models import Session
from tests.accounts.factories import make_account, make_member
from tests.e2e.test_checkout import sign_in

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

Axe = Callable[[Page], None]
Picture = Callable[[Page, str], Any]


def test_two_sessions_of_one_course_do_not_see_each_other(
    browser_page: Any, axe: Axe, screenshot: Picture
) -> None:
    load_sample()
    houses = {name: _house(name) for name in ("alpha", "beta")}
    for name, buyer in houses.items():
        _buy(browser_page(language="en"), name, buyer, axe, screenshot)
    for bill in Bill.objects.all():
        assert bill.gross == 4000  # 4 × 10.00, a tutor's seat costs what a learner's costs
        record_payment(number=bill.number, actor=OPERATOR)
        produce(numbers=[bill.number], actor=OPERATOR)
    assert Session.objects.count() == 2
    groups = GroupMember.objects.values_list("group__name", "person__email_key")
    for name in houses:
        number = Bill.objects.get(account__slug=name).number
        assert {email for group, email in groups if group == number} == set(_people(name))
    for one in Enrolment.objects.filter(course__shortname="SPOCMOODLE"):
        open_course(person_id=one.person_id, course_id=one.course_id)
    for name, other in (("alpha", "beta"), ("beta", "alpha")):
        page = browser_page(language="en")
        page.goto("/")
        sign_in(page, Person.objects.get(email_key=f"ann@{name}.example"))
        page.goto("/learn/SPOCMOODLE/")
        expect(page.locator("main")).to_contain_text(f"Cleo {name.title()}")
        expect(page.locator("main")).to_contain_text(f"Tom {name.title()}")
        expect(page.locator("main")).not_to_contain_text(other.title())
        axe(page)
        screenshot(page, f"two-sessions-{name}")


def _house(name: str) -> Person:
    account = make_account(slug=name, name=f"House {name}")
    CustomerAccount.objects.filter(pk=account.pk).update(**IDENTITY)
    buyer = person_with_password(f"owner@{name}.example", first_name="Olive", last_name="Owner")
    make_member(Role.OWNER, account=account, person=buyer)
    return buyer


def _people(name: str) -> list[str]:
    return [f"{who}@{name}.example" for who in ("ann", "bob", "cleo", "tom")]


def _buy(page: Page, name: str, buyer: Person, axe: Axe, screenshot: Picture) -> None:
    """Three learners and a tutor, named during checkout."""
    page.goto("/buy/SPOCM1?quantity=4")
    sign_in(page, buyer)
    page.goto("/cart/")
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/checkout/participants/"))
    written = (
        f"{who.title()} {name.title()} <{who}@{name}.example>" for who in ("ann", "bob", "cleo", "tom")
    )
    page.locator("textarea").fill("; ".join(written))
    page.locator("button[value='read']").click()
    page.locator("select").nth(3).select_option("tutor")
    axe(page)
    screenshot(page, f"two-sessions-people-{name}")
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/checkout/identity/"))
    page.locator(".form__actions .button--primary").click()
    page.locator("[name='agree']").check()
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/checkout/payment/"))
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/purchases/CMD-"))
