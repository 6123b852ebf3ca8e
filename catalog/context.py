"""What every page knows about the seller."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def seller(request: HttpRequest) -> dict[str, Any]:
    return {}
