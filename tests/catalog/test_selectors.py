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
from tests.catalog.factories import CategoryFactory, ItemFactory, ShopFactory, TierFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("quantity", "price"), [(1, 1200), (9, 1200), (10, 1100), (49, 1100), (50, 1000), (5000, 1000)]
)
def test_the_upper_bound_of_a_price_tier_is_inclusive(quantity, price):
    item = ItemFactory()
    TierFactory(item=item, up_to=49, price=1100)
    TierFactory(item=item, up_to=9, price=1200)
    assert unit_price(item, quantity) == price


def test_the_price_table_names_every_step_both_without_and_with_tax():
    item = ItemFactory()
    TierFactory(item=item, up_to=1, price=1200)
    assert price_table(item, tiers_of([item])[item.pk]) == [
        ShownPrice(1, 1, 1200, 1440),
        ShownPrice(2, None, 1000, 1200),
    ]
    assert best_price(item, tiers_of([item])[item.pk]) == ShownPrice(2, None, 1000, 1200)


def test_a_price_that_includes_tax_shows_its_net():
    item = ItemFactory(price=1000, price_includes_tax=True)
    assert price_table(item, tiers_of([item])[item.pk]) == [ShownPrice(1, None, 833, 1000)]


def test_search_finds_every_word_whatever_case_and_accents():
    found = ItemFactory(name_fr="Sécurité au travail", description_en="Lifting loads")
    ItemFactory(name_fr="Excel")
    shop = get_shop()
    for query in ("securite", "SÉCURITÉ travail", "lifting", "  travail  loads "):
        assert list(search_items(shop, query)) == [found], query
    assert not search_items(shop, "securite excel").exists()


def test_search_takes_wildcards_literally():
    ItemFactory(name_fr="Cent pour cent")
    assert not search_items(get_shop(), "%").exists()
    assert not search_items(get_shop(), "_").exists()


def test_only_public_items_on_visible_shelves_are_listed_but_unlisted_ones_can_be_bought():
    shop = ShopFactory()
    listed = ItemFactory()
    unlisted = ItemFactory(visibility=Visibility.UNLISTED)
    inactive = ItemFactory(visibility=Visibility.INACTIVE)
    ItemFactory(category=CategoryFactory(visible=False))
    assert list(listed_items(shop)) == [listed]
    assert find_item(shop, unlisted.code.lower()) == unlisted
    assert find_item(shop, inactive.code) is None


def test_a_shelf_inside_a_hidden_shelf_is_hidden():
    shop = ShopFactory()
    top = CategoryFactory()
    hidden = CategoryFactory(visible=False)
    child = CategoryFactory(parent=top)
    CategoryFactory(parent=hidden)
    tree = category_tree(shop)
    assert [shelf.category for shelf in tree] == [top]
    assert [shelf.category for shelf in tree[0].children] == [child]


def test_a_complete_seller_has_no_problems():
    assert seller_problems(ShopFactory()) == []


def test_everything_missing_from_the_seller_is_named():
    with translation.override("en"):
        shop = ShopFactory(iban="FR7630006000011234567890188", siren="", help_email="")
        assert seller_problems(shop) == [
            "SIREN is missing.",
            "help address is missing.",
            "IBAN is not a valid number.",
        ]


def test_names_fall_back_on_the_other_language():
    item = ItemFactory(name_fr="Siège", name_en="")
    with translation.override("en"):
        assert item.name == "Siège"
    item.name_en = "Seat"
    with translation.override("en"):
        assert item.name == "Seat"
    with translation.override("fr"):
        assert item.name == "Siège"
