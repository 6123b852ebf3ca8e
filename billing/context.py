"""What every page knows about the cart."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from billing.checkout.visitor import count_lines


def cart(request: HttpRequest) -> dict[str, Any]:
    """`cart_count`: how many articles the visitor's cart holds, read in one query when a template asks."""
    return {"cart_count": SimpleLazyObject(lambda: count_lines(request))}
