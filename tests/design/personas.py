"""Who looks at a page: a context processor that answers as the apps would, from `?as=`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest

ORGANISATION = SimpleNamespace(name="Manufacture Lavallée & fils", slug="lavallee")
OTHER = SimpleNamespace(name="Atelier du Port", slug="port")
CAPABILITIES = {
    "owner": {"shop", "seats.read", "seats.write", "people", "members"},
    "buyer": {"shop"},
    "manager": {"seats.read", "seats.write", "people"},
    "viewer": {"seats.read", "people"},
}
PERSONAS = ("anonymous", "participant", *CAPABILITIES)


def _membership(account: SimpleNamespace, role: str) -> SimpleNamespace:
    return SimpleNamespace(account=account, role=role, get_role_display=lambda: role)


def persona(request: HttpRequest) -> dict[str, Any]:
    """`seller`, and what `accounts` and `billing` say of the visitor. With `?as=nobody` nothing at all."""
    who = request.GET.get("as", "anonymous")
    if who == "nobody":
        return {}
    seller = SimpleNamespace(
        name="ActiveProLearn", help_email="aide@apl.example", help_phone="+33 1 23 45 67 89", logo=None
    )
    if who == "anonymous":
        return {"seller": seller, "cart_count": 0, "current_account": None}
    context: dict[str, Any] = {
        "seller": seller,
        "cart_count": 2,
        "user": SimpleNamespace(is_authenticated=True, name="Jeanne Dupont-Moretti"),
        "current_account": None,
        "memberships": (),
        "capabilities": frozenset(),
    }
    if who in CAPABILITIES:
        memberships = [_membership(ORGANISATION, who)]
        if who == "owner":
            memberships.append(_membership(OTHER, "viewer"))
        context |= {
            "current_account": ORGANISATION,
            "memberships": memberships,
            "capabilities": CAPABILITIES[who],
        }
    return context
