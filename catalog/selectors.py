"""What the catalogue tells: shop and seller, items on sale, unit prices, search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as siren_number

from catalog.models import CatalogItem, Category, PriceTier, Shop, Visibility, fold


def get_shop() -> Shop:
    """The shop visitors see; made empty at the first call so that a fresh installation has one."""
    shop = Shop.objects.order_by("pk").first()
    return shop or Shop.objects.get_or_create(slug="shop", defaults={"name": "Shopseats"})[0]


def seller_problems(shop: Shop) -> list[str]:
    """What is missing or wrong in the seller's identity; checkout is closed until this is empty."""
    required = {
        _("legal name"): shop.legal_name,
        "SIREN": shop.siren,
        _("address"): shop.address,
        _("postcode"): shop.postcode,
        _("city"): shop.city,
        "IBAN": shop.iban,
        _("terms of sale"): shop.terms_fr or shop.terms_en,
        _("version of the terms"): shop.terms_version,
        _("mail sender"): shop.mail_sender,
        _("help address"): shop.help_email,
    }
    problems = [_("%(field)s is missing.") % {"field": name} for name, value in required.items() if not value]
    for name, value, number in (("SIREN", shop.siren, siren_number), ("IBAN", shop.iban, iban_number)):
        try:
            if value:
                number.validate(value)
        except NumberError:
            problems.append(_("%(field)s is not a valid number.") % {"field": name})
    return problems


def items_on_sale(shop: Shop) -> models.QuerySet[CatalogItem]:
    """Everything that can be ordered, listed or not."""
    return CatalogItem.objects.filter(shop=shop).exclude(visibility=Visibility.INACTIVE)


def listed_items(shop: Shop) -> models.QuerySet[CatalogItem]:
    """What the storefront shows, without its long texts."""
    return (
        CatalogItem.objects.filter(shop=shop, visibility=Visibility.PUBLIC)
        .filter(Q(category=None) | Q(category__visible=True))
        .defer("description_fr", "description_en", "search_text")
    )


def find_item(shop: Shop, code: str) -> CatalogItem | None:
    """An item on sale by its code, whatever the case typed."""
    return items_on_sale(shop).prefetch_related("tiers").filter(code__iexact=code).order_by("id").first()


def unit_price(item: CatalogItem, quantity: int) -> int:
    """Price of one unit, in minor units, when `quantity` units are ordered: bounds of tiers are inclusive."""
    for tier in sorted(item.tiers.all(), key=lambda tier: tier.up_to):
        if quantity <= tier.up_to:
            return tier.price
    return item.price


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One line of a price table: `first` to `last` units (None: and more) at `price` each."""

    first: int
    last: int | None
    price: int


def price_steps(price: int, tiers: Iterable[tuple[int, int]]) -> list[PriceStep]:
    """A price table from one unit up. `tiers` are (inclusive upper bound, unit price); above them `price` holds."""
    steps, first = [], 1
    for up_to, tier_price in sorted(tiers):
        steps.append(PriceStep(first, up_to, tier_price))
        first = up_to + 1
    return [*steps, PriceStep(first, None, price)]


def tiers_of(items: Iterable[CatalogItem]) -> dict[int, list[tuple[int, int]]]:
    """The tiers of several items by item id, as (upper bound, unit price): one query."""
    found: dict[int, list[tuple[int, int]]] = {item.pk: [] for item in items}
    rows = PriceTier.objects.filter(item_id__in=found).values_list("item_id", "up_to", "price")
    for item_id, up_to, price in rows.order_by():
        found[item_id].append((up_to, price))
    return found


@dataclass(slots=True)
class Shelf:
    """A category with its sub-shelves and items, as the storefront draws it."""

    category: Category
    children: list[Shelf] = field(default_factory=list)
    items: list[CatalogItem] = field(default_factory=list)


def category_tree(shop: Shop) -> list[Shelf]:
    """Visible categories as a tree: one query. A child of a hidden category is hidden with it."""
    shelves = {category.pk: Shelf(category) for category in Category.objects.filter(shop=shop, visible=True)}
    roots = []
    for shelf in shelves.values():
        parent = shelf.category.parent_id
        if parent is None:
            roots.append(shelf)
        elif parent in shelves:
            shelves[parent].children.append(shelf)
    return roots


def search_items(shop: Shop, query: str) -> models.QuerySet[CatalogItem]:
    """Listed items in which every word of the query occurs, whatever case and accents."""
    found = listed_items(shop)
    for word in fold(query).split():
        found = found.filter(search_text__contains=word)
    return found.order_by(F("position"), F("name_fr"), F("id"))
