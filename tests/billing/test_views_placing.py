"""The end of the checkout: the review with its terms, the payment, the order."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from billing.checkout import payment
from billing.checkout.payment import Payment
from billing.models import Bill, Cart, CartLine
from billing.services import Problem, Refused
from catalog.models import CatalogItem, Shop
from tests.accounts.factories import make_member
from tests.billing.factories import Customer, plain_item, seats_item
from tests.billing.shopping import agree, browser, go_to_review, order, rows, session_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(customer: Customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


# --- review -------------------------------------------------------------------------------------------


def test_the_terms_are_shown_with_their_version_and_agreed_to_by_a_tick(client):
    plain_item()
    client.get("/buy/BOOK")
    go_to_review(client)
    page = client.get("/checkout/review/")
    assert "Terms of sale, version 1" in page.content.decode()
    assert page.context["shop"].terms == "Terms."
    refused = client.post("/checkout/review/", page.context["form"].initial)
    assert refused.context["form"].errors == {"agree": ["Agree to the terms of sale to go on: tick the box."]}
    assert "terms" not in Cart.objects.get().identity
    agree(client)
    terms = Cart.objects.get().identity["terms"]
    assert (terms["version"], terms["gross"]) == ("1", 1000)
    assert terms["agreed_at"].endswith("+00:00")


def test_agreement_to_other_terms_or_another_total_does_not_count(client):
    item = plain_item()
    client.get("/buy/BOOK")
    go_to_review(client)
    form = client.get("/checkout/review/").context["form"]
    item.price = 1100
    item.save()
    back = client.post("/checkout/review/", {"agree": "on", **form.initial})
    assert "have changed since this page was shown" in back.content.decode()
    assert back.context["form"].initial == {"version": "1", "gross": 1100}
    agree(client)
    assert client.get("/checkout/payment/").status_code == 200
    Shop.objects.update(terms_version="2")
    assert client.get("/checkout/payment/").url == "/checkout/review/"


# --- payment ------------------------------------------------------------------------------------------


def ready(client: Any, **item: Any) -> None:
    """A cart at the payment step."""
    plain_item(**item)
    client.get("/buy/BOOK?quantity=2")
    go_to_review(client)
    agree(client)


def test_pressing_the_button_twice_or_sending_the_page_again_finds_the_first_order(client):
    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    data = {"paymode": "transfer", "checkout_key": key}
    answers = [client.post("/checkout/payment/", data).url for _click in range(3)]
    bill = Bill.objects.get()
    assert answers == [f"/purchases/{bill.number}/"] * 3
    client.get("/buy/BOOK?quantity=7")
    assert client.post("/checkout/payment/", data).url == f"/purchases/{bill.number}/"
    assert CartLine.objects.get().quantity == 7
    go_to_review(client)
    agree(client)
    order(client)
    assert Bill.objects.count() == 2


def test_ways_of_paying_are_those_that_are_offered(client, settings):
    ready(client)
    choices = client.get("/checkout/payment/").context["form"].fields["paymode"].choices
    assert [code for code, _label in choices] == ["transfer"]
    for paymode in ("testcard", "free", "", "nonsense"):
        refused = order(client, paymode)
        assert refused.status_code == 200
        assert list(refused.context["form"].errors) == ["paymode"]
    assert Bill.objects.count() == 0
    settings.SHOPSEATS_TEST_CARD = True
    order(client, "testcard")
    bill = Bill.objects.get()
    assert bill.opened_how == "payment"
    assert bill.payments.get().amount == 2000


def test_an_order_that_comes_to_nothing_is_open_at_once(client):
    ready(client, price=0)
    page = client.get("/checkout/payment/")
    assert "There is nothing to pay" in page.content.decode()
    order(client, "free")
    assert Bill.objects.get().opened_how == "free"


def test_a_refusal_stands_beside_the_step_it_belongs_to(client, monkeypatch):
    session_item()
    client.get("/buy/SPOCM1?quantity=1")
    line = CartLine.objects.get()
    client.post("/checkout/participants/", rows(line, "a@demo.example"))
    go_to_review(client)
    agree(client)

    def refuse(**_: Any) -> None:
        raise Refused(
            [
                Problem("participants", "Somebody is wrong.", 0, 0, "email"),
                Problem("customer", "No name.", field="name"),
                Problem("total", "The price has changed."),
                Problem("item", "Gone.", 7),
                Problem("seller", "Closed."),
            ]
        )

    monkeypatch.setattr(payment, "place_cart", refuse)
    back = order(client)
    assert [(reason["item"], reason["row"], reason["url"]) for reason in back.context["reasons"]] == [
        ("Moodle basics", 0, "/checkout/participants/"),
        ("", None, "/checkout/identity/"),
        ("", None, "/checkout/review/"),
        ("", None, "/cart/"),
        ("", None, ""),
    ]
    text = back.content.decode()
    assert "Somebody is wrong." in text
    assert "Nothing was ordered and nothing is lost." in text
    assert CartLine.objects.count() == 1


def test_a_price_that_changes_at_the_last_moment_is_refused_and_nothing_is_ordered(client, monkeypatch):
    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    form = Payment._form

    def change_the_price(self: Payment, *args: Any) -> Any:
        answer = form(self, *args)
        CatalogItem.objects.update(price=999)
        return answer

    monkeypatch.setattr(Payment, "_form", change_the_price)
    back = client.post("/checkout/payment/", {"paymode": "transfer", "checkout_key": key})
    assert [str(reason["message"]) for reason in back.context["reasons"]] == [
        "The price has changed: look at the order again."
    ]
    assert Bill.objects.count() == 0
    assert CartLine.objects.get().quantity == 2


def test_a_forged_key_of_somebody_else_finds_nothing(client, customer):
    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    order(client)
    other = make_member(Role.OWNER)
    stranger = browser(other.person)
    stranger.get("/buy/BOOK")
    answer = stranger.post("/checkout/payment/", {"paymode": "transfer", "checkout_key": key})
    assert answer.url == "/checkout/identity/"
    assert Bill.objects.count() == 1


# --- numbers ------------------------------------------------------------------------------------------


def test_a_step_asks_each_automation_once_and_takes_no_other_query_for_more_lines(client, customer):
    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            seats_item(f"N{number}")
            client.get(f"/buy/N{number}?quantity=2")
        go_to_review(client)
        agree(client)

    fill(0, 3)
    paths = ("/checkout/identity/", "/checkout/review/", "/checkout/payment/")
    count("/checkout/payment/")  # makes the key of this checkout
    few = [count(path) for path in paths]
    fill(3, 30)
    many = [count(path) for path in paths]
    # `is_available` is asked of each article, and generateseats looks for a course in one query.
    assert [more - less for more, less in zip(many, few, strict=True)] == [27, 27, 27]
    assert max(few) <= 16
