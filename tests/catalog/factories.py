"""Shops, categories, items."""

from __future__ import annotations

from typing import ClassVar

import factory
from factory.django import DjangoModelFactory

from catalog.models import CatalogItem, Category, PriceTier, Shop


class ShopFactory(DjangoModelFactory[Shop]):
    """The shop, with a complete seller: checkout is open."""

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


class CategoryFactory(DjangoModelFactory[Category]):
    shop = factory.SubFactory(ShopFactory)
    slug = factory.Sequence(lambda n: f"shelf-{n}")
    name_fr = factory.Sequence(lambda n: f"Rayon {n}")

    class Meta:
        model = Category


class ItemFactory(DjangoModelFactory[CatalogItem]):
    """An item on sale at 10.00 without tax, 20 %, that delivers nothing."""

    shop = factory.SubFactory(ShopFactory)
    code = factory.Sequence(lambda n: f"ITEM{n}")
    name_fr = factory.Sequence(lambda n: f"Article {n}")
    price = 1000

    class Meta:
        model = CatalogItem


class TierFactory(DjangoModelFactory[PriceTier]):
    item = factory.SubFactory(ItemFactory)
    up_to = 9
    price = 1200

    class Meta:
        model = PriceTier
