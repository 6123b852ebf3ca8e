"""What every page knows about the cart."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def cart(request: HttpRequest) -> dict[str, Any]:
    return {}
