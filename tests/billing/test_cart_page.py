"""The cart's page: lines, prices, totals, taking out and putting back; and what it costs to show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.access import current
from accounts.models import Person, Role
from billing.context import cart
from billing.models import Cart, CartLine
from billing.services.carts import drop_abandoned_carts, order_lines
from catalog.models import CatalogItem
from tests.accounts.factories import make_member
from tests.billing.factories import Customer, plain_item, seats_item
from tests.billing.shopping import held, sign_in
from tests.catalog.factories import make_shop, make_tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def seats() -> CatalogItem:
    return seats_item(price_includes_tax=False)


# --- the page -----------------------------------------------------------------------------------------


def test_an_empty_cart_teaches(client):
    make_shop()
    page = client.get("/cart/").content.decode()
    assert "Your cart is empty." in page
    assert "See the catalogue" in page


def test_the_totals_are_those_an_order_would_have(client):
    """SPOCM1 × 10 at 10.00 tax included is exactly 100.00; prices without tax are taxed once per rate."""
    plain_item("IN", price=1000, price_includes_tax=True)
    plain_item("OUT", price=333, price_includes_tax=False)
    plain_item("LOW", price=999, price_includes_tax=False, tax_rate="5.50")
    customer = Customer()
    sign_in(client, customer.buyer)
    for code, quantity in (("IN", 10), ("OUT", 7), ("LOW", 3)):
        client.get(f"/buy/{code}?quantity={quantity}")
    view = client.get("/cart/").context["view"]
    assert [(str(rate.rate), rate.net, rate.tax, rate.gross) for rate in view.rates] == [
        ("5.50", 2997, 165, 3162),
        ("20.00", 8333 + 2331, 1667 + 466, 10000 + 2797),
    ]

    bill = customer.place(*order_lines([row.line for row in view.rows]))
    assert (view.net, view.gross) == (bill.net, bill.gross)
    assert [(row.total.net, row.total.tax, row.total.gross) for row in view.rows] == list(
        bill.lines.values_list("net", "tax", "gross")
    )


@pytest.mark.parametrize(
    ("quantity", "price", "more", "next_price"),
    [(1, 1200, 9, 1000), (9, 1200, 1, 1000), (10, 1000, 40, 900), (49, 1000, 1, 900), (50, 900, None, None)],
)
def test_a_line_shows_its_tier_and_what_the_next_one_takes(client, quantity, price, more, next_price):
    item = plain_item(price=900, price_includes_tax=False)
    make_tier(item=item, up_to=9, price=1200)
    make_tier(item=item, up_to=49, price=1000)
    client.get(f"/buy/BOOK?quantity={quantity}")
    page = client.get("/cart/")
    row = page.context["entries"][0].row
    assert row.unit_price == price
    assert (row.saving and row.saving.more, row.saving and row.saving.price) == (more, next_price)
    if more == 40:
        assert "40 more and the price per unit is €9.00." in page.content.decode()


def test_no_tier_is_promised_that_may_not_be_ordered_or_costs_more(client):
    item = plain_item(price=1500, max_quantity=12)
    make_tier(item=item, up_to=9, price=1200)
    client.get("/buy/BOOK?quantity=1")
    assert client.get("/cart/").context["entries"][0].row.saving is None
    item.price = 1000
    item.max_quantity = 9
    item.save()
    assert client.get("/cart/").context["entries"][0].row.saving is None


def test_quantities_are_changed_on_the_page(client, seats):
    client.get("/buy/SEATS?quantity=10")
    line = CartLine.objects.get()
    assert client.post("/cart/", {f"quantity-{line.pk}": "12"}).url == "/cart/"
    assert held() == {"SEATS": 12}
    assert client.post("/cart/", {f"quantity-{line.pk}": "13", "order": "1"}).url == "/checkout/"
    assert held() == {"SEATS": 13}


def test_a_wrong_quantity_comes_back_with_its_reason_and_the_right_ones_are_kept(client):
    seats_item(max_quantity=20)
    plain_item()
    client.get("/buy/SEATS?quantity=10")
    client.get("/buy/BOOK?quantity=1")
    seats, book = CartLine.objects.order_by("id")
    page = client.post("/cart/", {f"quantity-{seats.pk}": "21", f"quantity-{book.pk}": "2", "order": "1"})
    assert page.status_code == 200
    assert page.context["form"].errors == {
        f"quantity-{seats.pk}": ["Order between 1 and 20 units of “Free seats”."]
    }
    assert 'value="21"' in page.content.decode()
    assert held() == {"SEATS": 10, "BOOK": 2}


def test_changing_a_quantity_in_place_answers_with_what_changed(client, seats):
    client.get("/buy/SEATS?quantity=10")
    line = CartLine.objects.get()
    answer = client.post("/cart/", {f"quantity-{line.pk}": "12"}, headers={"hx-request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert f'id="amount-{line.pk}" hx-swap-oob="true"' in text
    assert "€120.00" in text
    assert "€144.00" in text


def test_what_is_taken_out_can_be_put_back_with_its_answers(client, seats):
    client.get("/buy/SEATS?quantity=10")
    line = CartLine.objects.get()
    CartLine.objects.update(participants=[{"email": "a@b.example"}])
    response = client.post("/cart/remove/", {"line": line.pk}, follow=True)
    assert response.redirect_chain == [(f"/cart/?removed={line.pk}", 302)]
    assert held() == {}
    assert "“Free seats” is out of your cart." in response.content.decode()
    client.post("/cart/restore/", {"line": line.pk})
    assert held() == {"SEATS": 10}
    assert CartLine.objects.get().participants == [{"email": "a@b.example"}]


@pytest.mark.parametrize("line", ["", "0", "999999", "x", "1; drop", "99999999999999999999"])
def test_a_line_that_is_not_there_changes_nothing(client, seats, line):
    client.get("/buy/SEATS?quantity=10")
    for path in ("/cart/remove/", "/cart/restore/"):
        assert client.post(path, {"line": line}).url == "/cart/"
    assert client.get("/cart/", {"removed": line}).status_code == 200
    assert held() == {"SEATS": 10}


def test_an_item_that_is_no_longer_on_sale_does_not_count_and_can_only_be_taken_out(client, seats):
    plain_item()
    client.get("/buy/SEATS?quantity=10")
    client.get("/buy/BOOK")
    CatalogItem.objects.filter(code="BOOK").update(visibility="inactive")
    page = client.get("/cart/")
    assert page.context["view"].gross == 12000
    assert [entry.field is None for entry in page.context["entries"]] == [False, True]
    assert "not on sale any more" in page.content.decode()


def test_checkout_is_closed_kindly_and_staff_read_why(client, seats):
    make_shop()
    shop = seats.shop
    shop.iban = ""
    shop.save()
    client.get("/buy/SEATS")
    page = client.get("/cart/").content.decode()
    assert "The shop takes no orders for the moment." in page
    assert "IBAN is missing." not in page
    assert "Go on to the order" not in page
    member = make_member(Role.OWNER)
    sign_in(client, member.person)
    closed = client.get("/checkout/")
    assert closed.status_code == 200
    assert "IBAN is missing." not in closed.content.decode()
    Person.objects.filter(pk=member.person.pk).update(is_staff=True)
    closed = client.get("/checkout/").content.decode()
    assert "IBAN is missing." in closed
    assert reverse("admin:catalog_shop_change", args=[shop.pk]) in closed


# --- numbers ------------------------------------------------------------------------------------------


def fill(client: Client, count: int) -> None:
    for number in range(count):
        item = plain_item(f"N{number}", handler="generateseats", params="packsize=2")
        make_tier(item=item, up_to=4, price=1100)
        client.get(f"/buy/N{number}?quantity=2")


def test_a_cart_of_30_lines_takes_as_many_queries_as_one_of_3(client, seats, django_assert_num_queries):

    sign_in(client, make_member(Role.OWNER).person)
    fill(client, 3)
    client.get("/cart/")
    with CaptureQueriesContext(connection) as few:
        client.get("/cart/")
    client.logout()
    sign_in(client, make_member(Role.OWNER).person)
    CatalogItem.objects.filter(code__startswith="N").delete()
    fill(client, 30)
    client.get("/cart/")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/cart/").context["entries"]) == 30
    assert len(many) == len(few)
    assert len(many) <= 10


def test_the_count_in_the_header_is_one_query_and_none_without_a_cart(rf, django_assert_num_queries, seats):
    request = rf.get("/")
    request.user, request.session = AnonymousUser(), {}
    with django_assert_num_queries(0):
        assert not cart(request)["cart_count"]
    member = make_member(Role.OWNER)
    request = rf.get("/")
    request.user, request.session = member.person, {"cart": "abc"}
    with django_assert_num_queries(0):
        context = cart(request)
    assert current(request) is not None
    with django_assert_num_queries(1):
        assert not context["cart_count"]


def test_the_count_is_that_of_articles_before_and_after_sign_in(client, seats):
    plain_item()
    client.get("/buy/SEATS?quantity=10")
    client.get("/buy/BOOK?quantity=3")
    assert '<span class="count">2</span>' in client.get("/").content.decode()
    sign_in(client, make_member(Role.OWNER).person)
    assert '<span class="count">2</span>' in client.get("/").content.decode()
    assert Cart.objects.get().person is None  # looking at a page claims nothing
    client.get("/cart/")
    assert '<span class="count">2</span>' in client.get("/").content.decode()


def test_carts_of_visitors_who_never_came_back_are_forgotten(client, seats):

    client.get("/buy/SEATS?quantity=10")
    member = make_member(Role.OWNER)
    other = Client()
    sign_in(other, member.person)
    other.get("/buy/SEATS")
    assert drop_abandoned_carts() == 0
    Cart.objects.update(updated_at=timezone.now() - timedelta(days=61))
    assert drop_abandoned_carts() == 1
    assert Cart.objects.get().person == member.person
