"""The cart: filled by an address or a button, changed, ordered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.checkout.visitor import check_may_shop, find_cart, open_cart
from billing.forms import QuantitiesForm
from billing.models import Cart, CartLine
from billing.selectors.carts import CartRow, CartView, cart_lines, cart_view
from billing.services import Refused
from billing.services.carts import add_item, handler_of, limit_message, remove_line, restore_line
from catalog.models import CatalogItem, Shop, Visibility
from catalog.selectors import find_item, get_shop, seller_problems

_QUANTITY = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the cart and the field for its quantity (None: it can only be taken out)."""

    row: CartRow
    field: BoundField | None


@require_http_methods(["GET", "POST"])
def buy(request: HttpRequest, code: str) -> HttpResponse:
    """`/buy/CODE?quantity=n`: says how many of an article the cart shall hold, and shows it."""
    check_may_shop(request)
    shop = get_shop()
    item = find_item(shop, code)
    if item is None:
        example = reverse("billing:buy", args=["CODE"]) + "?quantity=10"
        return render(request, "billing/no_item.html", {"code": code, "example": example}, status=404)
    wishes = request.POST if request.method == "POST" else request.GET
    typed = wishes.get("quantity", "1").strip()
    if not _QUANTITY.fullmatch(typed):
        return _refused(request, item, limit_message(item))
    cart = open_cart(request, shop)
    try:
        add_item(cart=cart, item=item, quantity=int(typed), details=_details(item, wishes.dict()))
    except Refused as refused:
        return _refused(request, item, str(refused.problems[0].message))
    text = _("“%(item)s” is in your cart.") % {"item": item.name}
    messages.success(request, text)
    return redirect("billing:cart")


def _refused(request: HttpRequest, item: CatalogItem, reason: str) -> HttpResponseRedirect:
    messages.error(request, f"{reason} " + _("Your cart was not changed."))
    return redirect("catalog:item", item.code)


def _details(item: CatalogItem, wishes: dict[str, Any]) -> dict[str, str]:
    """Answers that the address brings along, such as the reference of a product to extend."""
    handler = handler_of(item)
    fields = handler.CustomerData.base_fields if handler and handler.CustomerData else {}
    return {name: str(wishes[name])[:500] for name in fields if wishes.get(name)}


@require_http_methods(["GET", "POST"])
def cart(request: HttpRequest) -> HttpResponse:
    """My cart."""
    check_may_shop(request)
    shop = get_shop()
    found = find_cart(request, shop)
    lines = list(cart_lines(found, answers=False)) if found else []
    if request.method != "POST" or found is None:
        view = cart_view(lines)
        return _page(request, shop, found, view, QuantitiesForm(rows=_changeable(view.rows)))
    view = cart_view(lines)
    form = QuantitiesForm(request.POST, rows=_changeable(view.rows))
    form.is_valid()
    _save(found, _changeable(view.rows), form)
    if form.errors:
        return _page(request, shop, found, cart_view(list(cart_lines(found, answers=False))), form)
    if request.htmx:  # type: ignore[attr-defined]
        view = cart_view(list(cart_lines(found, answers=False)))
        return _page(request, shop, found, view, QuantitiesForm(rows=_changeable(view.rows)))
    return redirect("billing:checkout" if "order" in request.POST else "billing:cart")


def _changeable(rows: Sequence[CartRow]) -> list[CartRow]:
    """What is still on sale: the rest can only be taken out."""
    return [row for row in rows if row.item.visibility != Visibility.INACTIVE]


def _save(cart: Cart, rows: Sequence[CartRow], form: QuantitiesForm) -> None:
    """Keep every quantity that can be; the others stay as they were, with the reason beside them."""
    for row in rows:
        name = form.name_of(row)
        quantity = form.cleaned_data.get(name)
        if quantity is None or quantity == row.line.quantity:
            continue
        try:
            add_item(cart=cart, item=row.item, quantity=quantity)
        except Refused as refused:
            form.add_error(name, str(refused.problems[0].message))


def _page(
    request: HttpRequest, shop: Shop, cart: Cart | None, view: CartView, form: QuantitiesForm
) -> HttpResponse:
    names = {row.line.pk: form.name_of(row) for row in view.rows}
    fields = {pk: form[name] for pk, name in names.items() if name in form.fields}
    context = {
        "entries": [Entry(row, fields.get(row.line.pk)) for row in view.rows],
        "view": view,
        "shop": shop,
        "form": form,
        "closed": seller_problems(shop),
        "removed": _removed(request, cart),
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    return render(request, "billing/cart_changes.html" if htmx else "billing/cart.html", context)


def _removed(request: HttpRequest, cart: Cart | None) -> CartLine | None:
    """What was just taken out, if it can be put back."""
    pk = request.GET.get("removed", "")
    if cart is None or not _QUANTITY.fullmatch(pk):
        return None
    lines = CartLine.objects.filter(cart=cart, pk=int(pk)).exclude(removed_at=None)
    return lines.select_related("item").first()


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Take a line out of the cart."""
    found, pk = _asked(request)
    if found is not None and remove_line(cart=found, line_id=pk):
        return redirect(f"{reverse('billing:cart')}?removed={pk}")
    return redirect("billing:cart")


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Put back what was just taken out."""
    found, pk = _asked(request)
    if found is not None:
        restore_line(cart=found, line_id=pk)
    return redirect("billing:cart")


def _asked(request: HttpRequest) -> tuple[Cart | None, int]:
    """The visitor's cart and the line that the form names."""
    check_may_shop(request)
    pk = request.POST.get("line", "")
    return find_cart(request, get_shop()), int(pk) if _QUANTITY.fullmatch(pk) else 0
