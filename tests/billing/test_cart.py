"""The cart: filled by an address, kept through sign-in, shown with the prices an order would have."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from billing.models import Cart, CartLine
from catalog.models import CatalogItem
from common.references import new_reference
from tests.accounts.factories import make_member, make_person
from tests.billing.factories import plain_item, seats_item
from tests.billing.shopping import held, sign_in
from tests.catalog.factories import make_item

pytestmark = pytest.mark.django_db
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def seats() -> CatalogItem:
    return seats_item(price_includes_tax=False)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- the address --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_address_fills_the_cart_of_a_visitor_who_is_not_signed_in(client, seats, method):
    response = getattr(client, method)(
        "/buy/SEATS?quantity=10" if method == "get" else "/buy/SEATS", {"quantity": "10"}
    )
    assert response.status_code == 302
    assert response.url == "/cart/"
    assert held() == {"SEATS": 10}
    page = client.get("/cart/")
    assert said(page) == ["“Free seats” is in your cart."]
    assert "10 seats" in page.content.decode()


def test_repeating_the_address_sets_the_quantity_and_does_not_add_to_it(client, seats):
    for quantity in (10, 10, 3):
        client.get(f"/buy/SEATS?quantity={quantity}")
    assert held() == {"SEATS": 3}


def test_without_a_quantity_it_is_one_and_the_code_s_case_does_not_matter(client, seats):
    client.get("/buy/seats")
    assert held() == {"SEATS": 1}
    client.get("/buy/SEATS/?quantity=2")
    assert held() == {"SEATS": 2}


def test_a_code_that_is_not_on_sale_gets_a_page_that_teaches(client, seats):
    make_item(code="OLD", visibility="inactive")
    for code in ("NOPE", "OLD", "<b>"):
        response = client.get(f"/buy/{code}?quantity=2")
        assert response.status_code == 404
        assert "See the catalogue" in response.content.decode()
    assert "&lt;b&gt;" in response.content.decode()
    assert held() == {}


@pytest.mark.parametrize(
    "quantity", ["0", "-1", "1.5", "ten", "", "21", "99999999999", "١", "1 000", "0x10", "1\x00"]
)
def test_a_quantity_that_cannot_be_ordered_names_the_limit_and_changes_nothing(client, quantity):
    seats_item(max_quantity=20)
    client.get("/buy/SEATS?quantity=4")
    client.get("/cart/")
    response = client.get("/buy/SEATS", {"quantity": quantity}, follow=True)
    assert response.redirect_chain == [("/items/SEATS/", 302)]
    assert said(response) == ["Order between 1 and 20 units of “Free seats”. Your cart was not changed."]
    assert held() == {"SEATS": 4}


def test_one_that_is_limited_to_one_says_so(client):
    seats_item(max_quantity=1)
    response = client.get("/buy/SEATS?quantity=2", follow=True)
    assert said(response) == ["Only one “Free seats” can be ordered at once. Your cart was not changed."]


def test_what_cannot_be_bought_now_says_why(client):
    seats_item(params="endtime=2020-01-01")
    response = client.get("/buy/SEATS", follow=True)
    assert said(response) == ["The period of this item is over. Your cart was not changed."]
    assert held() == {}


def test_a_percent_sign_in_a_name_is_no_format(client):
    seats_item(name_en="100 % seats (s)", max_quantity=2)
    client.get("/buy/SEATS")
    line = CartLine.objects.get()
    page = client.post("/cart/", {f"quantity-{line.pk}": "7"})
    assert page.context["form"].errors == {
        f"quantity-{line.pk}": ["Order between 1 and 2 units of “100 % seats (s)”."]
    }


def test_the_address_takes_answers_for_what_the_automation_asks(client):
    item = seats_item(code="EXTEND", handler="extendenrolperiod", params="extension=30")
    reference = new_reference()
    client.get(f"/buy/EXTEND?quantity=2&reference={reference}&other=x")
    line = CartLine.objects.get(item=item)
    assert line.customer_data == [{"reference": reference}] * 2


def test_looking_at_the_address_without_getting_it_changes_nothing(client, seats):
    assert client.head("/buy/SEATS?quantity=2").status_code == 405
    assert held() == {}


# --- sign-in ------------------------------------------------------------------------------------------


def test_the_cart_survives_sign_in_and_belongs_to_person_and_account(client, seats):
    member = make_member(Role.BUYER)
    client.get("/buy/SEATS?quantity=10")
    sign_in(client, member.person)
    assert client.get("/cart/").context["entries"][0].row.line.quantity == 10
    cart = Cart.objects.get()
    assert (cart.person, cart.account) == (member.person, member.account)
    assert "cart" not in client.session


def test_the_cart_survives_the_browser(client, seats):
    member = make_member(Role.OWNER)
    sign_in(client, member.person)
    client.get("/buy/SEATS?quantity=10")
    client.logout()
    assert client.get("/cart/").context["entries"] == []
    other = Client()
    sign_in(other, member.person)
    assert other.get("/cart/").context["entries"][0].row.line.quantity == 10


def test_what_was_filled_before_sign_in_joins_what_was_there_and_the_last_word_counts(client, seats):
    plain_item()
    plain_item(code="POSTER")
    member = make_member(Role.BUYER)
    sign_in(client, member.person)
    client.get("/buy/SEATS?quantity=10")
    client.get("/buy/BOOK?quantity=1")
    CartLine.objects.filter(item__code="SEATS").update(participants=[{"email": "a@b.example"}])
    client.logout()
    client.get("/buy/SEATS?quantity=3")
    client.get("/buy/POSTER?quantity=2")
    sign_in(client, member.person)
    client.get("/cart/")
    assert held(cart__person=member.person) == {"SEATS": 3, "BOOK": 1, "POSTER": 2}
    assert Cart.objects.count() == 1
    assert CartLine.objects.get(item__code="SEATS").participants == [{"email": "a@b.example"}]


def test_somebody_without_organisation_keeps_a_cart_and_takes_it_along_when_there_is_one(client, seats):
    person = make_person()
    client.get("/buy/SEATS?quantity=10")
    sign_in(client, person)
    assert client.get("/cart/").context["entries"][0].row.line.quantity == 10
    assert Cart.objects.get().account is None
    member = make_member(Role.OWNER, person=person)
    assert client.get("/cart/").context["entries"][0].row.line.quantity == 10
    assert Cart.objects.get().account == member.account


def test_each_organisation_has_a_cart_of_its_own(client, seats):
    first = make_member(Role.OWNER)
    second = make_member(Role.BUYER, person=first.person)
    sign_in(client, first.person)
    client.get("/buy/SEATS?quantity=10")
    client.post("/switch/", {"account": second.account.slug})
    assert client.get("/cart/").context["entries"] == []
    client.get("/buy/SEATS?quantity=2")
    assert held(cart__account=first.account) == {"SEATS": 10}
    assert held(cart__account=second.account) == {"SEATS": 2}


def test_nobody_sees_the_cart_of_somebody_else(client, seats):
    client.get("/buy/SEATS?quantity=10")
    line = CartLine.objects.get()
    other = Client()
    other.get("/buy/SEATS?quantity=1")
    for path in ("/cart/remove/", "/cart/restore/"):
        other.post(path, {"line": line.pk})
    other.post("/cart/", {f"quantity-{line.pk}": "99"})
    line.refresh_from_db()
    assert (line.quantity, line.removed_at) == (10, None)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER])
def test_a_member_who_does_not_buy_is_refused_and_what_he_filled_before_stays_his(client, seats, role):
    member = make_member(role)
    client.get("/buy/SEATS?quantity=10")
    sign_in(client, member.person)
    for path in ("/buy/SEATS?quantity=3", "/cart/", "/checkout/", "/checkout/review/", "/purchases/"):
        assert client.get(path).status_code == 403
    for path in ("/buy/SEATS", "/cart/", "/cart/remove/", "/cart/restore/", "/checkout/payment/"):
        assert client.post(path, {"quantity": 3}).status_code == 403
    assert held() == {"SEATS": 10}
    assert Cart.objects.get().person is None
