"""Orders and runs as the documents that commands print (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from billing.models import Bill, BillLine, ProductionRun
from billing.selectors.figures import figures, with_figures
from common.models import OutboxMail
from common.money import to_decimal
from handlers.contract import Delivered


def bill_document(number: str) -> dict[str, Any]:
    """The order as `showbill --json` prints it: three queries. Raises Bill.DoesNotExist."""
    bill = with_figures(Bill.objects.prefetch_related("lines")).get(number=number)
    states = figures(bill)

    def amount(minor: int) -> Decimal:
        return to_decimal(minor, bill.currency)

    return {
        "bill": bill.number,
        "state": bill.state,
        "payment": states.payment,
        "opened": states.opened,
        "production": states.production,
        "complete": states.complete,
        "total": amount(bill.gross),
        "currency": bill.currency,
        "paid": amount(states.paid),
        "due": amount(states.due),
        "lines": [_line(line, bill.currency) for line in bill.lines.all()],
        "runs": run_documents(ProductionRun.objects.filter(line__bill=bill)),
        "invoices": [],
    }


def _line(line: BillLine, currency: str) -> dict[str, Any]:
    return {
        "key": line.key,
        "item": line.item_code,
        "quantity": line.quantity,
        "unit_price": to_decimal(line.unit_price, currency),
        "tax_rate": line.tax_rate,
        "net": to_decimal(line.net, currency),
        "tax": to_decimal(line.tax, currency),
        "gross": to_decimal(line.gross, currency),
        "params": line.params,
    }


def run_documents(runs: Iterable[ProductionRun], *, marks: bool = False) -> list[dict[str, Any]]:
    """Runs as `produce --json` prints them, in the order of lines and phases; one query for a queryset.

    With `marks` also since when each is held, given up, or waits for the platform, as `listruns` prints it.
    """
    if hasattr(runs, "select_related"):
        runs = runs.select_related("line__bill").order_by("line__bill_id", "line__position", "id")
    return [_run(run) | (_marks(run) if marks else {}) for run in runs]


def _marks(run: ProductionRun) -> dict[str, Any]:
    return {"held": run.held_at, "abandoned": run.abandoned_at, "waiting_since": run.waiting_since}


def _run(run: ProductionRun) -> dict[str, Any]:
    return {
        "bill": run.line.bill.number,
        "line": run.line.key,
        "handler": run.handler,
        "phase": run.phase,
        "state": run.state,
        "attempts": run.attempt,
        "error": run.error,
        "delivered": {**Delivered().as_json(), **run.delivered},
    }


def mail_documents(*, to: str | None = None) -> list[dict[str, Any]]:
    """The outbox as `listmail --json` prints it, oldest first: no text, no ids, no secrets."""
    mails = OutboxMail.objects.order_by("id")
    if to is not None:
        mails = mails.filter(to__iexact=to.strip())
    return [
        {
            "to": mail.to,
            "kind": mail.kind,
            "state": mail.state,
            "created": mail.created_at,
            "sent": mail.sent_at,
        }
        for mail in mails
    ]
