"""What the commands share that staff changes products with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from common.audit import OPERATOR
from common.commands import JsonCommand
from common.references import normalise_reference
from courses.platform import PlatformAway
from seats.services import Done


class ProductsCommand(JsonCommand):
    """A command that does one thing to the products named, with a reason.

    Prints `{"changed": [reference…], "refused": [{"reference", "code", "message"}]}`; exit 1 if one was refused.
    """

    def add_products(self, parser: CommandParser) -> None:
        """The arguments: references, and why."""
        parser.add_argument("references", metavar="REF", nargs="+")
        parser.add_argument(
            "--why", required=True, help="The reason: it is kept, and mailed to the managers."
        )

    def operate(self, options: dict[str, Any], service: Callable[..., Done]) -> None:
        """Do it, and print what was changed and what was not."""
        if not options["why"].strip():
            self.refuse("why", "say why.")
        references = [normalise_reference(text) for text in options["references"]]
        try:
            done = service(references=references, actor=OPERATOR, why=options["why"].strip())
        except PlatformAway:
            self.fail("the course platform does not answer: run it again later.")
        refused = [
            {"reference": reference, "code": refusal.code, "message": str(refusal.message)}
            for reference, refusal in done.refused
        ]
        lines = [*done.changed, *(f"{one['reference']}: {one['message']}" for one in refused)]
        self.emit({"changed": done.changed, "refused": refused}, lines)
        if refused:
            self.fail(f"{len(refused)} refused")
