"""What to buy when seats are missing."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role
from billing.models import Bill
from catalog.models import CatalogItem, PriceTier, Visibility
from catalog.selectors import get_shop
from portal.selectors import seat_offer
from tests.seats.pages import House, words

pytestmark = pytest.mark.django_db


def item(code: str, params: str = "", **fields: Any) -> CatalogItem:
    values = {"price": 1000, "handler": "generateseats", "name_en": code, "name_fr": code}
    return CatalogItem.objects.create(shop=get_shop(), code=code, params=params, **(values | fields))


def offered(shortname: str, seats: int, preferred: str = "") -> tuple[str, int, int] | None:
    offer = seat_offer(shortname, seats, preferred=preferred)
    return (offer.item.code, offer.quantity, offer.seats) if offer else None


def test_the_article_that_costs_least_is_offered_with_the_quantity_that_suffices():
    item("SINGLE", price=1000)
    item("PACK10", "packsize=10&courselist=EXCEL*", price=5000)
    assert offered("EXCEL1", 2) == ("SINGLE", 2, 2)
    assert offered("EXCEL1", 6) == ("PACK10", 1, 10)
    assert offered("EXCEL1", 11) == ("PACK10", 2, 20)
    assert offered("RGPD", 6) == ("SINGLE", 6, 6)


def test_the_article_of_the_seats_that_ran_out_is_offered_first_when_it_covers_the_course():
    item("SINGLE", price=1000)
    item("PACK10", "packsize=10&courselist=EXCEL*", price=50_000)
    assert offered("EXCEL1", 2, "PACK10") == ("PACK10", 1, 10)
    assert offered("RGPD", 2, "PACK10") == ("SINGLE", 2, 2)


def test_tiers_count():
    single = item("SINGLE", price=500)
    PriceTier.objects.create(item=single, up_to=9, price=1000)
    item("OTHER", price=900)
    assert offered("X", 2) == ("OTHER", 2, 2)
    assert offered("X", 10) == ("SINGLE", 10, 10)


def test_what_is_not_on_sale_or_not_listed_or_too_many_is_not_offered():
    item("GONE", visibility=Visibility.INACTIVE)
    item("HIDDEN", visibility=Visibility.UNLISTED, price=1)
    item("FEW", max_quantity=3)
    assert offered("X", 4) is None
    assert offered("X", 3) == ("FEW", 3, 3)
    # Whoever bought it once may buy it again, even if it is listed no more.
    assert offered("X", 4, "HIDDEN") == ("HIDDEN", 4, 4)


def test_it_takes_as_many_queries_for_one_article_as_for_many(django_assert_num_queries):
    get_shop()
    for number in range(20):
        item(f"I{number}")
    with django_assert_num_queries(3):
        assert offered("X", 1) is not None


def test_an_empty_page_says_which_order_the_seats_wait_for():
    house = House()
    bill = Bill(
        number="CMD-2026-000412", account=house.account, shop=get_shop(), buyer=house.members[Role.BUYER].person,
        state=Bill.State.PLACED, placed_at=timezone.now(), paymode=Bill.Paymode.TRANSFER, currency="EUR", net=0, tax=0, gross=0, terms_version="1", language="en", purchase_order="",
    )  # fmt: skip
    bill.save()
    sentence = "Order CMD-2026-000412 waits for its payment: your seats open as soon as it has arrived."
    assert sentence in words(house.browser().get("/seats/"))
    page = house.browser(Role.OWNER).get("/seats/")
    assert 'href="/purchases/CMD-2026-000412/"' in page.content.decode()
    assert sentence not in words(House().browser().get("/seats/"))
