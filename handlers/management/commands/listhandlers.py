"""`manage.py listhandlers`: the handlers and what they ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from common.commands import JsonCommand
from handlers.base import Handler
from handlers.params import as_text
from handlers.registry import all_handlers


class Command(JsonCommand):
    help = "List the handlers, their parameters and what they ask of the customer."

    def handle(self, *args: Any, **options: Any) -> None:
        documents = [describe(handler) for handler in all_handlers()]
        self.emit(documents, [line for document in documents for line in _lines(document)])


def describe(handler: Handler) -> dict[str, Any]:
    """A handler as section 9 of the design prints it."""
    return {
        "name": handler.name,
        "label": str(handler.label),
        "parameters": _fields(handler.Params),
        "customer_data": _fields(handler.CustomerData) if handler.CustomerData else [],
        "seat_mode": handler.seat_mode or "any",
    }


def _fields(form: type[forms.Form]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "required": field.required,
            "default": _default(field),
            "help": str(field.help_text or field.label or ""),
        }
        for name, field in form.base_fields.items()
    ]


def _default(field: forms.Field) -> str | None:
    value = getattr(field, "default", field.initial)
    return None if value in (None, "", ()) else as_text(field, value)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['name']} - {document['label']} (seat mode {document['seat_mode']})"
    for field in document["parameters"]:
        mark = "*" if field["required"] else ""
        default = f" [{field['default']}]" if field["default"] else ""
        yield f"  {field['name']}{mark}{default}: {field['help']}"
    for field in document["customer_data"]:
        yield f"  asked per unit: {field['name']}: {field['help']}"
