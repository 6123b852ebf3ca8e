"""What every page knows about the visitor."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.access import current


def identity(request: HttpRequest) -> dict[str, Any]:
    """`current_account` (or None), `memberships`, `capabilities`: read when a template asks, in one query.

    An anonymous page asks nothing of the database.
    """

    def read(name: str, nothing: object) -> SimpleLazyObject[object]:
        def value() -> object:
            access = current(request)
            return nothing if access is None else getattr(access, name)

        return SimpleLazyObject(value)

    return {
        "current_account": read("account", None),
        "current_role": read("role", ""),
        "memberships": read("memberships", ()),
        "capabilities": read("capabilities", frozenset()),
    }
