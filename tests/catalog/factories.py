"""Shops, categories, items. The factories are factory-boy's; tests call the typed functions."""

from __future__ import annotations

from typing import Any, ClassVar

from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory

from catalog.models import CatalogItem, Category, PriceTier, Shop


class Shops(DjangoModelFactory[Shop]):
    slug = "shop"
    name = "Atelier"
    legal_name = "Atelier SAS"
    siren = "732829320"
    address = "12 rue des Tanneurs"
    postcode = "37000"
    city = "Tours"
    iban = "FR7630006000011234567890189"
    bic = "AGRIFRPP"
    terms_fr = "Conditions."
    terms_en = "Terms."
    terms_version = "1"
    mail_sender = "bonjour@atelier.example"
    help_email = "aide@atelier.example"

    class Meta:
        model = Shop
        django_get_or_create: ClassVar = ("slug",)


class Shelves(DjangoModelFactory[Category]):
    shop = SubFactory(Shops)
    slug = Sequence(lambda n: f"shelf-{n}")
    name_fr = Sequence(lambda n: f"Rayon {n}")

    class Meta:
        model = Category


class Items(DjangoModelFactory[CatalogItem]):
    shop = SubFactory(Shops)
    code = Sequence(lambda n: f"ITEM{n}")
    name_fr = Sequence(lambda n: f"Article {n}")
    price = 1000

    class Meta:
        model = CatalogItem


class Tiers(DjangoModelFactory[PriceTier]):
    item = SubFactory(Items)
    up_to = 9
    price = 1200

    class Meta:
        model = PriceTier


def make_shop(**fields: Any) -> Shop:
    """The shop, with a complete seller: checkout is open."""
    return Shops.create(**fields)


def make_shelf(**fields: Any) -> Category:
    """A category of the shop."""
    return Shelves.create(**fields)


def make_item(**fields: Any) -> CatalogItem:
    """An item on sale at 10.00 without tax, 20 %, that delivers nothing."""
    return Items.create(**fields)


def make_items(number: int, **fields: Any) -> list[CatalogItem]:
    """Many items at once."""
    return CatalogItem.objects.bulk_create(Items.build_batch(number, **fields))


def make_tier(**fields: Any) -> PriceTier:
    """12.00 for orders of up to 9 units."""
    return Tiers.create(**fields)
