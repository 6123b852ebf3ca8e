"""Whose cart a request is about. Before sign-in the session knows it by a token, afterwards person and account do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest

from accounts.access import Access, current, signed_in
from accounts.models import Person
from billing.models import Cart, CartLine
from billing.services.carts import claim_cart, new_cart
from catalog.models import Shop

SESSION_KEY = "cart"


def check_may_shop(request: HttpRequest) -> None:
    """Raises PermissionDenied for a member whose role does not buy; visitors and people without organisation may."""
    if not _may_shop(current(request)):
        raise PermissionDenied


def find_cart(request: HttpRequest, shop: Shop) -> Cart | None:
    """The visitor's cart, or None without one. What was filled before signing in is claimed at the first look."""
    person = signed_in(request)
    if person is None:
        token = _token(request)
        return Cart.objects.filter(shop=shop, token=token, person=None).first() if token else None
    access = current(request)
    account = access.account if access else None
    carts = list(Cart.objects.filter(_of_person(person, access) | _of_token(request), shop=shop))
    account_id = account.pk if account else None
    if len(carts) == 1 and carts[0].person_id == person.pk and carts[0].account_id == account_id:
        return carts[0]
    if not carts:
        return None
    cart = claim_cart(shop=shop, person=person, account=account, token=_token(request))
    request.session.pop(SESSION_KEY, None)
    return cart


def open_cart(request: HttpRequest, shop: Shop) -> Cart:
    """The visitor's cart, made now if there is none."""
    cart = find_cart(request, shop)
    if cart is not None:
        return cart
    person = signed_in(request)
    access = current(request)
    cart = new_cart(shop=shop, person=person, account=access.account if access else None)
    if person is None:
        request.session[SESSION_KEY] = cart.token
    return cart


def count_lines(request: HttpRequest) -> int:
    """How many articles the visitor's cart holds: one query, none for a visitor who never filled one."""
    person = signed_in(request)
    if person is None:
        carts = _of_token(request) if _token(request) else None
    else:
        access = current(request)
        carts = _of_person(person, access) | _of_token(request) if _may_shop(access) else None
    if carts is None:
        return 0
    lines = CartLine.objects.filter(removed_at=None, cart__in=Cart.objects.filter(carts))
    return lines.values("item").distinct().count()


def _may_shop(access: Access | None) -> bool:
    return access is None or "shop" in access.capabilities


def _token(request: HttpRequest) -> str:
    return str(request.session.get(SESSION_KEY, ""))


def _of_token(request: HttpRequest) -> Q:
    token = _token(request)
    return Q(token=token, person=None) if token else Q(pk=None)


def _of_person(person: Person, access: Access | None) -> Q:
    return Q(person=person, account=None) | (
        Q(person=person, account=access.account) if access else Q(pk=None)
    )
