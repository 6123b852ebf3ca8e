"""Extra seats that the shop gives: an order at no price, opened at once, delivered as every order is."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount, Member, Role
from billing.models import Bill
from billing.services.errors import refuse
from billing.services.orders import place, placed_with
from billing.services.shapes import OrderLine, identity_of
from catalog.models import CatalogItem
from common import audit
from common.audit import Actor
from common.models import AuditEntry

GIFT = "order.gift"  # the audit verb that keeps the reason
SEATS = "generateseats"


def give_seats(
    *, account: CustomerAccount, item: CatalogItem, quantity: int, why: str, actor: Actor, key: str = ""
) -> Bill:
    """Give an organisation so many units of an item that makes seats, in the name of its longest-standing owner.

    `key` names one gift: a doubled submit returns the first order. Those who manage the seats are mailed the reason
    once the seats are there. Raises Refused(item, buyer, quantity or why).
    """
    if item.handler != SEATS:
        raise refuse("item", _("Only items that make seats to be given later can be given away."))
    if not why.strip():
        raise refuse("why", _("Say why: the organisation reads it."))
    owners = Member.objects.filter(account=account, role=Role.OWNER, person__is_active=True)
    owner = owners.select_related("person").order_by("id").first()
    if owner is None:
        raise refuse("buyer", _("This organisation has no owner in whose name seats could be given."))
    with transaction.atomic():
        given = placed_with(account=account, buyer=owner.person, checkout_key=key)
        if given is not None:
            return given
        bill = place(
            account=account,
            buyer=owner.person,
            lines=[OrderLine(item, quantity, is_gift=True)],
            identity=identity_of(account, owner.person),
            paymode=Bill.Paymode.FREE.value,
            terms_version="",
            checkout_key=key,
            actor=actor,
        )
        audit.record(
            actor=actor,
            verb=GIFT,
            object=f"bill:{bill.number}",
            scope=f"account:{account.pk}",
            counts={"units": quantity},
            why=why.strip(),
        )
        return bill


def reason_of(bill: Bill) -> str:
    """Why the shop gave an order away; empty for one that it did not. One query."""
    given = AuditEntry.objects.filter(verb=GIFT, object=f"bill:{bill.number}")
    return given.values_list("why", flat=True).first() or ""
