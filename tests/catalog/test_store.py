"""The storefront's pages."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Visibility
from tests.catalog.factories import make_item, make_items, make_shelf, make_shop, make_tier

pytestmark = pytest.mark.django_db


def queries_of(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


@pytest.mark.parametrize("number", [10, 1000])
def test_the_list_costs_the_same_few_queries_for_10_and_1000_items(client, number):
    shelf = make_shelf()
    items = make_items(number, shop=shelf.shop, category=shelf)
    for item in items[:5]:
        make_tier(item=item)
    client.get("/")
    assert queries_of(client, "/") == 5  # shop, count, items, tiers, categories


def test_the_list_is_paged_by_thirty(client):
    shop = make_shop()
    for _ in range(31):
        make_item(shop=shop)
    assert client.get("/").content.count(b'class="item"') == 30
    assert client.get("/?page=2").content.count(b'class="item"') == 1
    assert client.get("/?page=nonsense").status_code == 200


def test_a_shelf_shows_its_items_and_those_of_its_children(client):
    top = make_shelf(slug="top")
    child = make_shelf(parent=top)
    make_item(code="INSIDE", category=child)
    make_item(code="ELSEWHERE")
    page = client.get("/category/top/").content.decode()
    assert "/items/INSIDE/" in page
    assert "/items/ELSEWHERE/" not in page


def test_a_hidden_shelf_does_not_exist(client):
    hidden = make_shelf(slug="hidden", visible=False)
    make_shelf(slug="child", parent=hidden)
    assert client.get("/category/hidden/").status_code == 404
    assert client.get("/category/child/").status_code == 404


def test_an_item_page_shows_prices_and_a_way_into_the_cart(client):
    item = make_item(code="SEATS", name_fr="Siège", max_quantity=50)
    make_tier(item=item, up_to=9, price=1200)
    page = client.get("/items/seats/", headers={"accept-language": "en"}).content.decode()
    assert "€12.00" in page
    assert "€14.40" in page
    assert "1 to 9" in page
    assert "10 and more" in page
    assert 'action="/buy/SEATS' in page
    assert 'max="50"' in page


def test_an_inactive_item_does_not_exist(client):
    item = make_item(visibility=Visibility.INACTIVE)
    assert client.get(f"/items/{item.code}/").status_code == 404


def test_what_a_seller_types_is_escaped_and_sanitised(client):
    item = make_item(name_fr="<script>alert(1)</script>", description_fr="<img src=x onerror=alert(1)> *ok*")
    page = client.get(f"/items/{item.code}/").content.decode()
    assert "<script>alert" not in page
    assert "onerror" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    assert "<em>ok</em>" in page


def test_search_says_how_many_it_found(client):
    make_item(name_fr="Excel")
    page = client.get("/search/?q=excel", headers={"accept-language": "en"}).content.decode()
    assert "1 item found." in page
    page = client.get("/search/?q=word", headers={"accept-language": "en"}).content.decode()
    assert "Nothing was found for these words." in page


def test_the_catalogue_needs_no_cookie(client):
    make_item()
    response = client.get("/")
    assert "sessionid" not in response.cookies
