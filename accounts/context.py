"""What every page knows about the visitor."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def identity(request: HttpRequest) -> dict[str, Any]:
    return {}
