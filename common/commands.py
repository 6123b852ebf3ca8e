"""The base of every management command that prints a document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.functional import Promise

from common.zone import iso, parse_iso


def json_value(value: object) -> str:
    """What `json` does not know itself.

    An amount becomes a string with two decimals, an instant ISO 8601 with the offset of the seller's zone, a UUID
    or a lazy translation its text. Raises TypeError for anything else, a naive instant included.
    """
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        try:
            return str(iso(value))
        except ValueError as error:
            raise TypeError(str(error)) from None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Promise):
        return str(value)
    raise TypeError(f"Not a JSON value: {type(value).__name__}")


class JsonCommand(BaseCommand):
    """A command whose result is one document: with `--json` as JSON on standard output, otherwise as text.

    A subclass writes `handle()`, builds its document once and ends with `self.emit(document, text)`.

    - `self.refuse(key, message)`: a bad argument; exit 2, the key named on standard error. Call it before
      anything is changed.
    - `self.fail(message)`: the document was printed, and the answer is bad news; exit 1.
    - `self.instant(key, text)`: reads an argument such as `--at`.

    `--json` is added here: a subclass only adds its own arguments.
    """

    as_json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json = bool(options.get("json"))
        return super().execute(*args, **options)

    def emit(self, document: object, text: str | Iterable[str]) -> None:
        """Print the document (with --json), or else the text: one string, or lines."""
        if self.as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=json_value))
            return
        for line in [text] if isinstance(text, str) else text:
            self.stdout.write(line)

    def refuse(self, key: str, message: str) -> NoReturn:
        """Refuse an argument: exit 2, with the key and the reason on standard error."""
        raise CommandError(f"{key}: {message}", returncode=2)

    def fail(self, message: str) -> NoReturn:
        """End with exit 1 after the document was printed."""
        raise CommandError(message, returncode=1)

    def instant(self, key: str, text: str | None) -> datetime:
        """An ISO 8601 instant; without an offset it is read in the seller's zone; None means now.

        Refuses `key` when the text is not one.
        """
        if text is None:
            return timezone.now()
        try:
            return parse_iso(text)
        except ValueError:
            self.refuse(key, f"“{text}” is not an ISO 8601 instant such as 2027-01-04T09:00:00+01:00.")
