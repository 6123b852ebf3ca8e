"""Prices by quantity, search, the category tree, the seller's completeness."""

from __future__ import annotations

import pytest
from django.utils import translation

from catalog.models import Visibility
from catalog.prices import ShownPrice, best_price, price_table
from catalog.selectors import (
    category_tree,
    find_item,
    get_shop,
    listed_items,
    search_items,
    seller_problems,
    tiers_of,
    unit_price,
)
from tests.catalog.factories import make_item, make_shelf, make_shop, make_tier

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("quantity", "price"), [(1, 1200), (9, 1200), (10, 1100), (49, 1100), (50, 1000), (5000, 1000)]
)
def test_the_upper_bound_of_a_price_tier_is_inclusive(quantity, price):
    item = make_item()
    make_tier(item=item, up_to=49, price=1100)
    make_tier(item=item, up_to=9, price=1200)
    assert unit_price(item, quantity) == price


def test_the_price_table_names_every_step_both_without_and_with_tax():
    item = make_item()
    make_tier(item=item, up_to=1, price=1200)
    assert price_table(item, tiers_of([item])[item.pk]) == [
        ShownPrice(1, 1, 1200, 1440),
        ShownPrice(2, None, 1000, 1200),
    ]
    assert best_price(item, tiers_of([item])[item.pk]) == ShownPrice(2, None, 1000, 1200)


def test_a_price_that_includes_tax_shows_its_net():
    item = make_item(price=1000, price_includes_tax=True)
    assert price_table(item, tiers_of([item])[item.pk]) == [ShownPrice(1, None, 833, 1000)]


def test_search_finds_every_word_whatever_case_and_accents():
    found = make_item(name_fr="Sécurité au travail", description_en="Lifting loads")
    make_item(name_fr="Excel")
    shop = get_shop()
    for query in ("securite", "SÉCURITÉ travail", "lifting", "  travail  loads "):
        assert list(search_items(shop, query)) == [found], query
    assert not search_items(shop, "securite excel").exists()


def test_search_takes_wildcards_literally():
    make_item(name_fr="Cent pour cent")
    assert not search_items(get_shop(), "%").exists()
    assert not search_items(get_shop(), "_").exists()


def test_only_public_items_on_visible_shelves_are_listed_but_unlisted_ones_can_be_bought():
    shop = make_shop()
    listed = make_item()
    unlisted = make_item(visibility=Visibility.UNLISTED)
    inactive = make_item(visibility=Visibility.INACTIVE)
    make_item(category=make_shelf(visible=False))
    assert list(listed_items(shop)) == [listed]
    assert find_item(shop, unlisted.code.lower()) == unlisted
    assert find_item(shop, inactive.code) is None


def test_a_shelf_inside_a_hidden_shelf_is_hidden():
    shop = make_shop()
    top = make_shelf()
    hidden = make_shelf(visible=False)
    child = make_shelf(parent=top)
    make_shelf(parent=hidden)
    tree = category_tree(shop)
    assert [shelf.category for shelf in tree] == [top]
    assert [shelf.category for shelf in tree[0].children] == [child]


def test_a_complete_seller_has_no_problems():
    assert seller_problems(make_shop()) == []


def test_everything_missing_from_the_seller_is_named():
    with translation.override("en"):
        shop = make_shop(iban="FR7630006000011234567890188", siren="", help_email="")
        assert seller_problems(shop) == [
            "SIREN is missing.",
            "help address is missing.",
            "IBAN is not a valid number.",
        ]


def test_names_fall_back_on_the_other_language():
    item = make_item(name_fr="Siège", name_en="")
    with translation.override("en"):
        assert item.name == "Siège"
    item.name_en = "Seat"
    with translation.override("en"):
        assert item.name == "Seat"
    with translation.override("fr"):
        assert item.name == "Siège"
