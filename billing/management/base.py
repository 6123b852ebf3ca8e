"""What the commands about orders share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from billing.models import Bill
from billing.selectors import bill_document
from billing.services import Refused
from common.commands import JsonCommand


class BillCommand(JsonCommand):
    """A command that names an order and prints it."""

    def find_bill(self, number: str) -> Bill:
        """The order of this number, whatever the case typed; refuses `bill` when there is none."""
        bill = Bill.objects.filter(number=number.strip().upper()).first()
        if bill is None:
            self.refuse("bill", f"there is no order {number}.")
        return bill

    def emit_bill(self, number: str) -> None:
        """Print the order, the same document from every command."""
        document = bill_document(number)
        self.emit(document, bill_lines(document))

    def refuse_all(self, refused: Refused) -> NoReturn:
        """Refuse for the first reason, naming the others too."""
        first, *others = refused.problems
        more = "".join(f"\n{problem}" for problem in others)
        self.refuse(first.path, f"{first.message}{more}")


def bill_lines(document: dict[str, Any]) -> Iterator[str]:
    """An order as text."""
    yield (
        f"{document['bill']}: {document['state']}, {document['payment']}, production {document['production']}, "
        f"total {document['total']} {document['currency']}, paid {document['paid']}, due {document['due']}"
    )
    for line in document["lines"]:
        yield f"  {line['quantity']} × {line['item']} at {line['unit_price']}: {line['gross']} with tax"
    yield from (f"  {text}" for run in document["runs"] for text in run_lines(run))


def run_lines(document: dict[str, Any]) -> Iterator[str]:
    """A run as text."""
    delivered = ", ".join(f"{count} {name}" for name, count in document["delivered"].items() if count)
    text = f"{document['bill']} {document['handler']} {document['phase']}: {document['state']}"
    text += ", held" if document.get("held") else ", given up" if document.get("abandoned") else ""
    yield f"{text}, {delivered}" if delivered else text
    if document["error"]:
        yield f"  {document['error']}"
