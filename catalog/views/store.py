"""The storefront: home, shelf, search, item."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms.renderers import get_default_renderer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from catalog.cards import card_html, card_of
from catalog.models import CatalogItem, Category, Shop
from catalog.prices import price_table
from catalog.selectors import Shelf, category_tree, find_item, get_shop, listed_items, search_items, tiers_of
from catalog.units import seats_per_unit
from common.forms import Stepper

PER_PAGE = 30


def _listing(
    request: HttpRequest, shop: Shop, items: QuerySet[CatalogItem], **context: object
) -> HttpResponse:
    language = get_language() or settings.LANGUAGE_CODE
    page = Paginator(items, PER_PAGE).get_page(request.GET.get("page"))
    tiers = tiers_of(page.object_list)
    context |= {
        "seller": shop,
        "page": page,
        "cards": [
            card_html(card_of(item, tiers[item.pk], shop.currency), language) for item in page.object_list
        ],
        "shelves": category_tree(shop),
    }
    return render(request, "catalog/listing.html", context)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    shop = get_shop()
    return _listing(request, shop, listed_items(shop))


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    shop = get_shop()
    shelf = get_object_or_404(Category, shop=shop, slug=slug, visible=True)
    chosen = _find(category_tree(shop), shelf.pk)
    if chosen is None:  # below a hidden shelf
        raise Http404
    items = listed_items(shop).filter(category_id__in=_ids(chosen))
    return _listing(request, shop, items, category=shelf)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    shop = get_shop()
    query = request.GET.get("q", "").strip()[:100]
    items = search_items(shop, query) if query else listed_items(shop)
    return _listing(request, shop, items, query=query)


@require_safe
def item(request: HttpRequest, code: str) -> HttpResponse:
    shop = get_shop()
    found = find_item(shop, code)
    if found is None:
        raise Http404
    prices = price_table(found, tiers_of([found])[found.pk])
    context = {
        "seller": shop,
        "item": found,
        "prices": prices,
        "tiered": len(prices) > 1,
        "seats": seats_per_unit(found),
        "quantity": _quantity(found),
    }
    return render(request, "catalog/item.html", context)


def _quantity(item: CatalogItem) -> SafeString:
    limits = {"id": "id_quantity", "min": 1, "required": True, "inputmode": "numeric"}
    if item.max_quantity:
        limits |= {"max": item.max_quantity, "aria-describedby": "id_quantity_helptext"}
    return Stepper(attrs=limits).render("quantity", 1, renderer=get_default_renderer())


def _find(shelves: list[Shelf], pk: int) -> Shelf | None:
    for shelf in shelves:
        found = shelf if shelf.category.pk == pk else _find(shelf.children, pk)
        if found:
            return found
    return None


def _ids(shelf: Shelf) -> list[int]:
    return [shelf.category.pk, *(pk for child in shelf.children for pk in _ids(child))]
