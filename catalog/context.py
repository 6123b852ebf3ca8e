"""What every page knows about the shop."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog.selectors import get_shop


def seller(request: HttpRequest) -> dict[str, Any]:
    """`seller`: the shop and the seller behind it, read when a page asks for it."""
    return {"seller": SimpleLazyObject(get_shop)}
