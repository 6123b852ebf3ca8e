"""What happens in a shop where the example package is installed.

`test_example_handler` runs `main` in a process and a database of their own; it prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from io import StringIO
from typing import Any

from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import translation
from helloletter.models import WelcomeLetter

from billing import production
from billing.models import ProductionRun
from billing.selectors import bill_page
from billing.services import OrderLine, Refused, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from tests.billing.factories import Customer, plain_item

LETTER = {"addressee": "Ada L.", "street": "1 rue A", "postcode": "37000", "town": "Tours"}
PARAMS = "sheet=welcome&days=3"


def main() -> None:
    translation.activate("en")
    call_command("migrate", verbosity=0)
    document: dict[str, Any] = {
        "system checks": [str(found) for found in run_checks() if not found.is_silenced()]
    }
    document["handler"] = [found for found in _printed("listhandlers") if found["name"] == "helloletter"]
    plain_item("WRONG", handler="helloletter", params="sheet=poster&days=40")
    document["checkitems"] = _printed("checkitems", "WRONG")
    customer, item = Customer(), plain_item("LETTER", handler="helloletter", params=PARAMS)
    document |= _sold(customer, item) | _repaired(customer, item)
    json.dump(document, sys.stdout)


def _sold(customer: Customer, item: CatalogItem) -> dict[str, Any]:
    """Two letters: refused with a wrong address, ordered, paid, delivered, delivered again."""
    refused = []
    try:
        customer.place(OrderLine(item, 1, [{**LETTER, "postcode": "3700"}]))
    except Refused as reason:
        refused = [str(problem) for problem in reason.problems]
    bill = customer.place(OrderLine(item, 2, [LETTER, {**LETTER, "addressee": "Bob M."}]))
    placed = _letters()
    record_payment(number=bill.number, actor=OPERATOR)
    paid = _letters()
    bill.refresh_from_db()
    first = WelcomeLetter.objects.earliest("id")
    found = {
        "refused": refused,
        "placed": placed,
        "paid": paid,
        "days": (first.post_before - (bill.opened_at or first.post_before)).days,
        "runs": [[run["phase"], run["state"]] for run in _printed("listruns")],
        "said": [str(text) for line in bill_page(bill.number).lines for text in line.messages],
    }
    ProductionRun.objects.filter(phase="deliver").update(state="queued")
    production.produce(numbers=[bill.number], actor=OPERATOR)
    return found | {"delivered again": _letters()}


def _repaired(customer: Customer, item: CatalogItem) -> dict[str, Any]:
    """An order whose sheet is gone when it is paid: it fails, is repaired and delivered."""
    bill = customer.place(OrderLine(item, 1, [LETTER]))
    bill.lines.update(params="sheet=poster")
    record_payment(number=bill.number, actor=OPERATOR)
    found = {
        "errors": [run["error"] for run in _printed("listruns", "--state", "failed")],
        "after the failure": _letters(),
    }
    bill.lines.update(params=PARAMS)
    production.produce(numbers=[bill.number], retry_failed=True, actor=OPERATOR)
    return found | {"after the repair": _letters()}


def _letters() -> list[list[Any]]:
    """Every letter: its id, its unit, who receives it."""
    return [list(row) for row in WelcomeLetter.objects.order_by("id").values_list("id", "unit", "addressee")]


def _printed(command: str, *arguments: str) -> Any:
    """What a command prints as JSON, also when its answer is bad news."""
    out = StringIO()
    with suppress(CommandError):
        call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())
