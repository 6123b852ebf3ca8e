"""What changes the catalogue."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import model_to_dict
from django.utils.text import slugify

from catalog.forms import ItemForm
from catalog.models import CatalogItem, Category, Shop
from common import audit
from common.audit import Actor


@transaction.atomic
def set_item(*, shop: Shop, code: str, values: dict[str, Any], actor: Actor) -> CatalogItem:
    """Create or update an item, validated exactly as in the admin.

    `values` are form values (amounts in units of the currency); `category` is a name, made when it is new.
    Raises ValidationError with a message per field; then nothing is changed.
    """
    existing = CatalogItem.objects.filter(shop=shop, code=code).first()
    values = dict(values)
    if "category" in values:
        values["category"] = _category(shop, values["category"]).pk
    data = {"tax_rate": "20.00", "seat_mode": "none", "visibility": "public", "position": 0}
    data["unassigned_end"] = "extend"
    if existing:
        data |= {name: value for name, value in model_to_dict(existing).items() if value is not None}
        data["price"] = ItemForm(instance=existing)["price"].value()
    form = ItemForm(data | {"shop": shop.pk, "code": code} | values, instance=existing)
    if not form.is_valid():
        raise ValidationError({name: errors.as_data() for name, errors in form.errors.items()})
    item: CatalogItem = form.save()
    audit.record(actor=actor, verb="item.set", object=f"item:{item.code}")
    return item


def _category(shop: Shop, name: str) -> Category:
    slug = slugify(name) or "shelf"
    return Category.objects.get_or_create(shop=shop, slug=slug, defaults={"name_fr": name})[0]
