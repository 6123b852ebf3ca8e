"""Two clicks, two windows, two requests at the same moment: one cart, one line, one order."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from billing.models import Bill, Cart, CartLine
from tests.accounts.factories import make_member
from tests.billing.factories import Customer, plain_item, seats_item
from tests.concurrency.racing import together

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 5


def windows(count: int, person: Any) -> list[Client]:
    """Windows of browsers in which the person is signed in."""
    clients = [Client(headers={"accept-language": "en"}) for _window in range(count)]
    for client in clients:
        client.force_login(person)
    return clients


def statuses(results: list[Any]) -> set[int]:
    return {result.status_code for result in results}


def test_the_entry_address_opened_in_three_windows_at_once_is_one_cart_with_one_line():
    seats_item()
    for number in range(ROUNDS):
        person = make_member(Role.BUYER).person
        results = together([partial(window.get, "/buy/SEATS?quantity=10") for window in windows(3, person)])
        assert statuses(results) == {302}
        assert Cart.objects.count() == number + 1
        assert CartLine.objects.get(cart__person=person).quantity == 10


def test_somebody_without_organisation_has_one_cart_too():
    seats_item()
    person = make_member(Role.BUYER).person
    person.memberships.all().delete()
    results = together([partial(window.get, "/buy/SEATS?quantity=10") for window in windows(4, person)])
    assert statuses(results) == {302}
    assert Cart.objects.count() == 1


def test_a_cart_claimed_by_two_requests_at_once_is_claimed_once():
    seats_item()
    plain_item()
    for _round in range(ROUNDS):
        person = make_member(Role.BUYER).person
        visitor = Client()
        visitor.get("/buy/SEATS?quantity=10")
        visitor.get("/buy/BOOK?quantity=2")
        token = visitor.session["cart"]
        both = windows(2, person)
        for window in both:
            session = window.session
            session["cart"] = token
            session.save()
        assert statuses(together([partial(window.get, "/cart/") for window in both])) == {200}
        lines = CartLine.objects.filter(cart__person=person).order_by("item__code")
        assert list(lines.values_list("item__code", "quantity")) == [("BOOK", 2), ("SEATS", 10)]
        assert Cart.objects.filter(token=token).count() == 0


def test_the_order_button_pressed_in_three_windows_at_once_is_one_order():
    plain_item()
    customer = Customer()
    for number in range(ROUNDS):
        first, *others = windows(3, customer.buyer)
        first.get("/buy/BOOK?quantity=2")
        names = ("legal_name", "address", "postcode", "city")
        first.post("/checkout/identity/", {**dict.fromkeys(names, "Paris"), "country": "FR"})
        form = first.get("/checkout/review/").context["form"]
        first.post("/checkout/review/", {"agree": "on", **form.initial})
        key = first.get("/checkout/payment/").context["form"].initial["checkout_key"]
        data = {"paymode": "transfer", "checkout_key": key}
        results: list[Any] = together(
            [partial(window.post, "/checkout/payment/", data) for window in (first, *others)]
        )
        bill = Bill.objects.latest("id")
        assert {result.url for result in results} == {f"/purchases/{bill.number}/"}
        assert Bill.objects.count() == number + 1
        assert CartLine.objects.count() == 0
