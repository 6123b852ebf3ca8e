"""From the catalogue's address to an order, in a real browser: seen, checked by axe, without and with JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from accounts.models import Person, Role
from accounts.services.addresses import verify_address
from billing.models import Bill, CartLine
from billing.production import produce
from billing.services import record_payment
from common.audit import OPERATOR
from tests.accounts.factories import PASSWORD, make_account, make_member, make_person
from tests.accounts.helpers import letter, link
from tests.billing.factories import plain_item, seats_item
from tests.catalog.factories import make_shop, make_tier
from tests.courses.factories import make_category, make_course

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
Axe = Callable[[Page], None]
Picture = Callable[[Page, str], Any]


def shop() -> None:
    """Seats with tiers, a training session, a course space and a book."""
    make_shop(
        terms_en="## Delivery\n\nSeats are open as soon as you have paid.\n\n" + "We train people. " * 120,
        terms_fr="## Livraison\n\nLes sièges sont ouverts dès le paiement.\n\n" + "Nous formons. " * 120,
        legal_form="SAS au capital de 10 000 €",
    )
    item = seats_item(price=900, price_includes_tax=False, name_fr="Sièges pour toutes nos formations",
                      name_en="Seats for any of our courses")  # fmt: skip
    make_tier(item=item, up_to=9, price=1200)
    make_tier(item=item, up_to=49, price=1000)
    make_course("SPOC-M1")
    plain_item(
        "SPOCM1", name_fr="SPOC Appropriation Moodle", name_en="SPOC Appropriation Moodle", seat_mode="quantity",
        handler="setuponecoursesession", params="coursename=SPOC-M1",
    )  # fmt: skip
    plain_item("SPACE", name_fr="Espace de cours pour un an", name_en="Course space for a year", price=25000,
               handler="buycourse", params=f"coursecategory={make_category().pk}")  # fmt: skip
    plain_item(name_fr="Le manuel", name_en="The handbook", tax_rate="5.50", price_includes_tax=False)


def sign_in(page: Page, person: Person) -> None:
    """Sign in without the form: its own tests look at that. What the session held stays."""
    cookie = next((one for one in page.context.cookies() if one.get("name") == "sessionid"), None)
    session = SessionStore(cookie["value"] if cookie else None)
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.EmailBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    base = re.sub(r"^(https?://[^/]+).*", r"\1", page.url)
    page.context.add_cookies([{"name": "sessionid", "value": str(session.session_key), "url": base}])


def owner(language: str) -> Person:
    person = make_person(
        email="jeanne@lavallee.example", first_name="Jeanne", last_name="Dupont", language=language
    )
    make_member(
        Role.OWNER, account=make_account(slug="lavallee", name="Manufacture Lavallée & fils"), person=person
    )
    return person


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_order_from_the_address_to_open_seats(
    browser_page: Any, axe: Axe, screenshot: Picture, width: int, language: str
) -> None:
    shop()
    page = browser_page(width=width, language=language)

    def look(name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        screenshot(page, f"order-{name}")

    def go_on() -> None:
        page.locator(".form__actions .button--primary").click()

    # A visitor fills his cart from an address, and reads what more seats would cost.
    page.goto("/cart/")
    look("01-empty-cart")
    page.goto("/buy/NOPE")
    look("02-no-item")
    for path in ("/buy/SEATS?quantity=5", "/buy/SPOCM1?quantity=3", "/buy/SPACE", "/buy/BOOK?quantity=2"):
        page.goto(path)
    look("03-cart")

    # One more seat with the button: the amounts follow without a new page.
    amount = page.locator(f"#amount-{CartLine.objects.get(item__code='SEATS').pk} .price")
    before = amount.inner_text()
    page.locator("[data-step='1']").first.click()
    expect(amount).not_to_have_text(before)
    expect(page.locator(".stepper input").first).to_have_value("6")
    assert CartLine.objects.get(item__code="SEATS").quantity == 6
    page.locator("button[form='remove']").last.click()
    expect(page.locator(".undo")).to_be_visible()
    look("04-taken-out")
    page.locator(".undo button").click()
    expect(page.locator("table.cart tbody tr")).to_have_count(4)

    # The checkout wants to know who he is, and then what is needed to deliver.
    sign_in(page, owner(language))
    page.goto("/cart/")
    go_on()
    expect(page).to_have_url(re.compile("/checkout/requirements/"))
    go_on()
    look("05-details-missing")
    page.locator("input[name$='-fullname']").fill("Notre espace")
    page.locator("input[name$='-idnumber']").fill("NOTRE")
    go_on()

    expect(page).to_have_url(re.compile("/checkout/participants/"))
    look("06-participants")
    page.locator("textarea").fill(
        "Ada Lovelace <ada@lavallee.example>; bob@lavallee.example, eve@@lavallee.example"
    )
    page.locator("button[value='read']").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    look("07-participants-read")
    page.locator("input[type='email']").nth(2).fill("eve@lavallee.example")
    page.locator("select").nth(2).select_option("tutor")
    go_on()

    expect(page).to_have_url(re.compile("/checkout/identity/"))
    page.locator("[name='siren']").fill("732829321")
    go_on()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    look("08-identity-wrong")
    for name, value in {
        "legal_name": "Manufacture Lavallée SAS", "siren": "732 829 320", "address": "1 rue de la Paix",
        "postcode": "75002", "city": "Paris", "purchase_order": "BC 2026-17",
    }.items():  # fmt: skip
        page.locator(f"[name='{name}']").fill(value)
    go_on()

    expect(page).to_have_url(re.compile("/checkout/review/"))
    go_on()
    look("09-review")
    page.locator("[name='agree']").check()
    go_on()
    expect(page).to_have_url(re.compile("/checkout/payment/"))
    look("10-payment")
    go_on()

    # The order says what to transfer.
    expect(page).to_have_url(re.compile("/purchases/CMD-"))
    bill = Bill.objects.get()
    expect(page.locator(".lead")).to_contain_text(bill.number)
    look("11-order")
    page.goto("/purchases/")
    look("12-purchases")
    page.goto("/cart/")
    expect(page.locator(".empty")).to_be_visible()

    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    page.goto(f"/purchases/{bill.number}/")
    look("13-order-open")
    page.emulate_media(media="print")
    screenshot(page, "order-14-order-on-paper")


def test_the_whole_way_works_without_javascript(browser_page: Any) -> None:
    shop()
    page = browser_page(language="en", javascript=False)
    page.goto("/items/SEATS/")
    page.locator("[name='quantity']").fill("4")
    page.get_by_role("button", name="Add to the cart").click()
    page.locator("[name^='quantity-']").fill("12")
    page.get_by_role("button", name="Update the amounts").click()
    expect(page.locator("#sum")).to_contain_text("€144.00")
    sign_in(page, owner("en"))
    page.goto("/cart/")
    page.get_by_role("button", name="Go on to the order").click()
    for name in ("legal_name", "address", "postcode", "city"):
        page.locator(f"[name='{name}']").fill("Paris")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("I agree to the terms of sale").check()
    page.get_by_role("button", name="Go on to the payment").click()
    page.get_by_role("button", name="Place the order: €144.00 to pay").dblclick()
    expect(page).to_have_url(re.compile("/purchases/CMD-"))
    assert Bill.objects.get().gross == 14400


def test_a_wrong_quantity_typed_in_place_says_why_beside_the_field(browser_page: Any, axe: Axe) -> None:
    seats_item(max_quantity=20)
    page = browser_page(language="en")
    page.goto("/buy/SEATS?quantity=4")
    field = page.locator("[name^='quantity-']")
    field.fill("21")
    field.blur()
    expect(page.locator(".field__error")).to_have_text("Order between 1 and 20 units of “Free seats”.")
    axe(page)
    assert CartLine.objects.get().quantity == 4
    field.fill("20")
    field.blur()
    expect(page.locator(".field__error")).to_have_count(0)
    expect(page.locator("#sum")).to_contain_text("€200.00")


def test_the_entry_address_survives_the_sign_in_page(browser_page: Any) -> None:
    seats_item()
    person = make_person(email="paul@lavallee.example", password=PASSWORD)
    verify_address(person)
    make_member(Role.BUYER, person=person)
    page = browser_page(language="en")
    page.goto("/buy/SEATS?quantity=10")
    page.get_by_role("button", name="Go on to the order").click()
    page.locator("main [name='login']").fill("Paul@Lavallee.example")
    page.locator("main [name='password']").fill(PASSWORD)
    page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile("/checkout/identity/"))
    line = CartLine.objects.get()
    assert (line.quantity, line.cart.person) == (10, person)


def test_the_entry_address_survives_signing_up_and_naming_the_organisation(browser_page: Any) -> None:
    seats_item()
    page = browser_page(language="en")
    page.goto("/buy/SEATS?quantity=10")
    page.get_by_role("button", name="Go on to the order").click()
    page.locator("main").get_by_role("link", name="Sign up").click()
    for name, value in {
        "first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.org", "password1": PASSWORD
    }.items():  # fmt: skip
        page.locator(f"main [name='{name}']").fill(value)
    page.locator("main form button").last.click()
    page.wait_for_url("**/sign/confirm-email/")
    page.goto(link(letter("ana@example.org"), "/sign/confirm-email/"))
    page.locator("main form button").last.click()
    page.wait_for_url("**/organisation/?next=*")
    page.locator("[name='name']").fill("Port de Brest")
    page.locator("main form button").last.click()
    expect(page).to_have_url(re.compile("/checkout/identity/"))
    found = CartLine.objects.values_list("quantity", "cart__person__email", "cart__account__name").get()
    assert found == (10, "ana@example.org", "Port de Brest")
