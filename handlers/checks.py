"""System checks: the shop does not start with a handler that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import Error, register

from handlers import registry


@register("handlers")
def check_handlers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[Error]:
    """One error per entry of the group `shopseats.handlers` that is unknown or broken."""
    return [
        Error(
            f"Handler {problem.entry}: {problem.reason}.",
            hint="Mend or remove the package that brings it.",
            id=problem.code,
        )
        for problem in registry.load().problems
    ]
