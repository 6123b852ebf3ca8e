"""The steps of the main job that are the same wherever courses live: sign-up, order, transfer."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from billing.models import Bill
from catalog.selectors import get_shop
from portal.sample import PASSWORD
from portal.sample.load import STAFF
from tests.accounts.helpers import letter, link

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BUYER = "claire@lavallee.example"
Look = Callable[[Page, str], None]


def primary(page: Page) -> None:
    page.locator("main .button--primary").last.click()


def sign_up(page: Page, look: Look) -> None:
    page.goto("/")
    look(page, "01-catalogue")
    page.goto("/items/SEATS/")
    look(page, "02-item")
    page.locator("[name='quantity']").fill("10")
    primary(page)
    page.wait_for_url("**/cart/")
    look(page, "03-cart")
    page.locator(".form__actions .button--primary").click()
    page.wait_for_url("**/sign/login/**")
    page.locator("main a[href*='/sign/signup/']").first.click()
    for name, value in {
        "first_name": "Claire", "last_name": "Fontaine", "email": BUYER, "password1": PASSWORD
    }.items():  # fmt: skip
        page.locator(f"main [name='{name}']").fill(value)
    look(page, "04-sign-up")
    page.locator("main form button").last.click()
    page.wait_for_url("**/sign/confirm-email/")
    page.goto(link(letter(BUYER), "/sign/confirm-email/"))
    page.locator("main form button").last.click()
    page.wait_for_url("**/organisation/?next=*")
    page.locator("[name='name']").fill("Manufacture Lavallée")
    page.locator("main form button").last.click()


def buy(page: Page, look: Look) -> Bill:
    expect(page).to_have_url(re.compile("/checkout/identity/"))
    for name, value in {
        "legal_name": "Manufacture Lavallée SAS", "address": "1 rue du Port", "postcode": "44000", "city": "Nantes"
    }.items():  # fmt: skip
        page.locator(f"[name='{name}']").fill(value)
    look(page, "05-identity")
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/checkout/review/"))
    page.locator("[name='agree']").check()
    look(page, "06-review")
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/checkout/payment/"))
    page.locator(".form__actions .button--primary").click()
    expect(page).to_have_url(re.compile("/purchases/CMD-"))
    bill = Bill.objects.get()
    assert (bill.gross, bill.state, bill.opened_at) == (26400, Bill.State.PLACED, None)
    expect(page.locator("main")).to_contain_text(bill.number)
    expect(page.locator("main")).to_contain_text(get_shop().iban[:4])
    look(page, "07-order")
    return bill


def confirm(page: Page, bill: Bill) -> None:
    """The operator sees the transfer on his bank statement and records it in the back office."""
    page.goto(f"/admin/billing/bill/{bill.pk}/change/")
    page.locator("main [name='login']").fill(STAFF)
    page.locator("main [name='password']").fill(PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url("**/admin/billing/bill/**")
    page.locator("a[href*='transfer']").first.click()
    page.locator("[name='reference']").fill("VIR 4711")
    page.locator("#content form input[type='submit'], #content form button[type='submit']").last.click()
    page.wait_for_url("**/admin/billing/bill/**/change/")
    bill.refresh_from_db()
    assert bill.opened_at is not None
