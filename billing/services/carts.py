"""Carts: what visitors and buyers put together before they order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import CustomerAccount, Person
from billing.models import Bill, Cart, CartLine
from billing.services.checks import most_units, objections, offer_of
from billing.services.errors import Problem, Refused, refuse
from billing.services.orders import place
from billing.services.shapes import Identity, OrderLine
from catalog.models import CatalogItem, Shop
from catalog.questions import asked_per_unit, only_asked
from common.audit import Actor
from handlers.base import Handler
from handlers.contract import CustomerDataForm, ParticipantEntry, Wish
from handlers.registry import UnknownHandler, get_handler

# Details are typed unit by unit: more forms than this on a page help nobody.
MOST_DETAILED = 100
# A cart that nobody signed in for is forgotten after so many days without a change.
KEPT_DAYS = 60


def handler_of(item: CatalogItem) -> Handler | None:
    """The automation behind an item; None without one, or when it is no longer installed."""
    try:
        return get_handler(item.handler) if item.handler else None
    except UnknownHandler:
        return None


def quantity_limit(item: CatalogItem) -> int:
    """How many units of an item a cart may hold."""
    handler = handler_of(item)
    most = most_units(item, handler)
    detailed = (handler and handler.CustomerData) or asked_per_unit(item.questions.all())
    return min(most, MOST_DETAILED) if detailed else most


def limit_message(item: CatalogItem) -> str:
    """The sentence for a quantity that is not one, or is too large."""
    most = quantity_limit(item)
    return ngettext(
        "Only one “%(item)s” can be ordered at once.",
        "Order between 1 and %(most)d units of “%(item)s”.",
        most,
    ) % {"most": most, "item": item.name}


# --- whose cart ---------------------------------------------------------------------------------------


def new_cart(*, shop: Shop, person: Person | None = None, account: CustomerAccount | None = None) -> Cart:
    """An empty cart, or the one that this person has for this account already."""
    token = secrets.token_urlsafe(32)
    if person is None:
        return Cart.objects.create(shop=shop, token=token)
    return Cart.objects.get_or_create(shop=shop, person=person, account=account, defaults={"token": token})[0]


@transaction.atomic
def claim_cart(*, shop: Shop, person: Person, account: CustomerAccount | None, token: str) -> Cart:
    """The cart of a person who has signed in, with everything he put together before.

    What was filled under `token` ("" for nothing), and what he filled before he had an organisation, moves into it.
    Where both carts hold an item the quantity stated last, before signing in, is the one that counts.
    """
    cart = new_cart(shop=shop, person=person, account=account)
    filled = Q(token=token, person=None) if token else Q(pk=None)
    if account is not None:
        filled |= Q(person=person, account=None)
    earlier = Cart.objects.select_for_update(of=("self",)).filter(filled, shop=shop).exclude(pk=cart.pk)
    # The one without a person last: it is the newest.
    for source in sorted(earlier, key=lambda one: one.person_id is None):
        _move_lines(source, cart)
        source.delete()
    return cart


def _move_lines(source: Cart, cart: Cart) -> None:
    known = {line.item_id: line for line in cart.lines.all()}
    for line in source.lines.filter(removed_at=None):
        mine = known.get(line.item_id)
        if mine is None:
            line.cart = cart
            line.save(update_fields=["cart"])
            continue
        mine.quantity = line.quantity
        mine.removed_at = None
        mine.customer_data = line.customer_data or mine.customer_data
        mine.participants = line.participants or mine.participants
        mine.answers = line.answers or mine.answers
        mine.save(update_fields=["quantity", "removed_at", "customer_data", "participants", "answers"])


def drop_abandoned_carts(*, now: datetime | None = None) -> int:
    """Forget carts of visitors who never signed in and have not been back for KEPT_DAYS; returns how many."""
    before = (now or timezone.now()) - timedelta(days=KEPT_DAYS)
    old = Cart.objects.filter(person=None, updated_at__lt=before)
    return old.delete()[1].get(Cart._meta.label, 0)


# --- what is in it ------------------------------------------------------------------------------------


@transaction.atomic
def add_item(
    *,
    cart: Cart,
    item: CatalogItem,
    quantity: int,
    mode: Literal["set", "add"] = "set",
    details: Mapping[str, str] | None = None,
) -> CartLine:
    """Put an item into a cart, or change how many of it are there.

    `set` (the default) says how many there shall be, so that saying it twice is saying it once; `add` how many more.
    `details` are answers to what its automation asks for, given to every unit and checked at checkout. Where they say
    what a unit is for (`CustomerDataForm.unit_key`) they are checked at once, and `quantity` counts the units for it:
    those for something else stay. Raises Refused(quantity, customer_data or item); nothing is changed then.
    """
    line = CartLine.objects.select_for_update(of=("self",)).filter(cart=cart, item=item).first()
    present = line if line is not None and line.removed_at is None else None
    handler = handler_of(item)
    form_class = handler.CustomerData if handler else None
    if not 1 <= quantity <= quantity_limit(item):
        raise refuse("quantity", limit_message(item))
    if details and form_class is not None and details.get(form_class.unit_key):
        units = _addressed(cart, form_class, details, quantity, present, mode)
        quantity = len(units)
    else:
        if mode == "add" and present is not None:
            quantity += present.quantity
        units = [dict(details) for _unit in range(quantity)] if details else []
    if quantity > quantity_limit(item):
        raise refuse("quantity", limit_message(item))
    if handler is not None:
        available = handler.is_available(offer_of(item), cart.account_id)
        if not available:
            raise refuse("item", available.reason)
        wish = Wish(cart.account_id, cart.person_id, quantity)
        if problems := list(objections(item, handler, wish)):
            raise Refused(problems)
    elif item.handler:
        raise refuse("item", _("This item is not available for now."))
    values: dict[str, Any] = {"quantity": quantity, "removed_at": None}
    if units:
        values["customer_data"] = units
    line, _created = CartLine.objects.update_or_create(cart=cart, item=item, defaults=values)
    _touch(cart)
    return line


def _addressed(
    cart: Cart,
    form_class: type[CustomerDataForm],
    details: Mapping[str, str],
    quantity: int,
    line: CartLine | None,
    mode: str,
) -> list[dict[str, Any]]:
    """The units of a line when so many are for what the details name. Raises Refused(customer_data)."""
    key = form_class.unit_key
    form = form_class(dict(details), account_id=cart.account_id)
    problems = [
        Problem("customer_data", str(form.errors[name][0]), field=name)
        for name in details
        if name in form.errors
    ]
    if problems:
        raise Refused(problems)
    mine = {name: form.cleaned_data[name] for name in details if name in form.cleaned_data}
    same: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for unit in line.customer_data[: line.quantity] if line else []:
        read = form_class(dict(unit), account_id=None)
        is_same = read.is_valid() and read.cleaned_data[key] == mine[key]
        if unit.get(key):
            (same if is_same else others).append(unit)
    return [*others, *(same if mode == "add" else []), *(dict(mine) for _unit in range(quantity))]


def remove_line(*, cart: Cart, line_id: int) -> bool:
    """Take a line out; it can be put back with everything that was answered for it. False: it was not there."""
    removed = CartLine.objects.filter(cart=cart, pk=line_id, removed_at=None).update(
        removed_at=timezone.now()
    )
    _touch(cart)
    return bool(removed)


def restore_line(*, cart: Cart, line_id: int) -> bool:
    """Put back what was taken out. False: there is nothing to put back."""
    restored = CartLine.objects.filter(cart=cart, pk=line_id).exclude(removed_at=None).update(removed_at=None)
    _touch(cart)
    return bool(restored)


def save_customer_data(*, line: CartLine, units: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was typed for each unit of a line, right or wrong."""
    line.customer_data = [dict(unit) for unit in units]
    line.save(update_fields=["customer_data"])


def save_line_answers(*, line: CartLine, units: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was answered to the shop's own questions, right or wrong."""
    line.answers = [dict(unit) for unit in units]
    line.save(update_fields=["answers"])


def save_participants(*, line: CartLine, people: Sequence[Mapping[str, str]]) -> None:
    """Keep the people named for a line, right or wrong."""
    line.participants = [dict(person) for person in people]
    line.save(update_fields=["participants"])


@transaction.atomic
def save_answers(*, cart: Cart, **answers: Any) -> None:
    """Keep answers that are not of a line (`customer`, `purchase_order`, `terms`, …) beside those given before."""
    locked = Cart.objects.select_for_update(of=("self",)).get(pk=cart.pk)
    locked.identity |= answers
    locked.save(update_fields=["identity", "updated_at"])
    cart.identity = locked.identity


def _touch(cart: Cart) -> None:
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now())


# --- from cart to order -------------------------------------------------------------------------------


def order_lines(lines: Sequence[CartLine]) -> list[OrderLine]:
    """The lines of a cart as they are ordered."""
    return [
        OrderLine(
            item=line.item,
            quantity=line.quantity,
            # Details of units that are no longer wanted were kept in case they are again.
            customer_data=line.customer_data[: line.quantity],
            participants=[entry_of(person) for person in line.participants],
            answers=only_asked(list(line.item.questions.all()), line.answers, line.quantity),
        )
        for line in lines
    ]


def entry_of(person: Mapping[str, str]) -> ParticipantEntry:
    """A person named in a cart as handlers know him."""
    role = person.get("role") or "learner"
    return ParticipantEntry(
        person.get("email", ""),
        person.get("firstname", ""),
        person.get("lastname", ""),
        role,  # type: ignore[arg-type]  # whatever was typed: the checks refuse what is not a role
    )


@transaction.atomic
def place_cart(
    *,
    cart: Cart,
    account: CustomerAccount,
    buyer: Person,
    identity: Identity,
    paymode: str,
    terms_version: str,
    expected_gross: int | None,
    checkout_key: str,
    actor: Actor,
) -> Bill:
    """Order what a cart holds and empty it, in one transaction.

    The same key finds the order it placed before, and then leaves the cart alone unless it is still that checkout's.
    Raises Refused with every reason; nothing is changed then.
    """
    locked = Cart.objects.select_for_update(of=("self",)).get(pk=cart.pk)
    lines = locked.lines.filter(removed_at=None).select_related("item__shop")
    lines = lines.prefetch_related("item__questions")
    bill = place(
        account=account,
        buyer=buyer,
        lines=order_lines(list(lines)),
        identity=identity,
        paymode=paymode,
        terms_version=terms_version,
        checkout_key=checkout_key,
        expected_gross=expected_gross,
        actor=actor,
    )
    if locked.identity.get("checkout_key") == checkout_key:
        locked.lines.all().delete()
        locked.identity = {}
        locked.save(update_fields=["identity", "updated_at"])
    return bill
