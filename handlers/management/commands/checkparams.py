"""`manage.py checkparams`: what a parameter string means for a purchase."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from common.commands import JsonCommand
from common.zone import seller_zone
from handlers.base import Handler
from handlers.params import PeriodError
from handlers.registry import UnknownHandler, get_handler


class Command(JsonCommand):
    help = (
        "Read a parameter string as the shop would, and print the dates and courses it means or its errors."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--handler", required=True, help="Name of the handler, e.g. generateseats.")
        parser.add_argument("--params", required=True, help="The parameter string.")
        parser.add_argument("--renewable", action="store_true", help="The item is renewable.")
        parser.add_argument("--at", help="Instant of the purchase, ISO 8601; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            handler = get_handler(options["handler"])
        except UnknownHandler as error:
            self.refuse("handler", str(error))
        at = self.instant("at", options["at"])
        document = meaning(handler, options["params"], renewable=options["renewable"], at=at)
        self.emit(document, _lines(document))


def meaning(handler: Handler, params: str, *, renewable: bool, at: datetime) -> dict[str, Any]:
    """The document of the command. Dates and courses are empty when there are errors."""
    document: dict[str, Any] = {"starts": None, "ends": None, "courses": [], "errors": []}
    parsed = handler.read(params)
    document["errors"] = [error.as_json() for error in parsed.errors]
    if parsed.errors:
        return document
    try:
        period = handler.period(parsed.values, purchased_at=at, renewable=renewable, zone=seller_zone())
    except PeriodError as error:
        document["errors"] = [parsed.error(error.key, error.message).as_json()]
        return document
    document.update(starts=period.starts, ends=period.ends)
    document["courses"] = [course.shortname for course in handler.courses(parsed.values)]
    return document


def _lines(document: dict[str, Any]) -> list[str]:
    if document["errors"]:
        return [f"{error['key']}: {error['message']}" for error in document["errors"]]
    ends = document["ends"].isoformat() if document["ends"] else "no end"
    courses = ", ".join(document["courses"]) or "none"
    return [f"starts: {document['starts'].isoformat()}", f"ends: {ends}", f"courses: {courses}"]
