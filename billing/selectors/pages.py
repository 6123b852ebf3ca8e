"""Orders as pages and mails show them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch

from billing.gateways import BankDetails, bank_details
from billing.models import Bill, BillLine, BillParty, Payment, ProductionRun
from billing.selectors.figures import Figures, figures, with_figures
from catalog.models import SeatMode
from catalog.questions import shown_answers
from handlers.registry import UnknownHandler, get_handler, say

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A row of My purchases."""

    bill: Bill
    figures: Figures
    lines: tuple[BillLine, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of an order's page. `seats`: how many it buys, None when it is not about seats."""

    line: BillLine
    seats: int | None
    runs: tuple[ProductionRun, ...]
    messages: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]  # to the shop's own questions, in the active language


@dataclass(frozen=True, slots=True)
class BillPage:
    """Everything that the page of an order shows. `transfer`: where to send what is due, if that is the way."""

    bill: Bill
    figures: Figures
    lines: tuple[LineView, ...]
    parties: tuple[BillParty, ...]
    payments: tuple[Payment, ...]
    transfer: BankDetails | None


def purchases(account_id: int, page: int | str = 1) -> Page[PurchaseRow]:
    """A page of an account's orders, newest first: three queries."""
    bills = Bill.objects.filter(account_id=account_id).exclude(state=Bill.State.DRAFT).order_by("-id")
    shown = Paginator(with_figures(bills).prefetch_related("lines"), PAGE_SIZE).get_page(page)
    rows = [PurchaseRow(bill, figures(bill), tuple(bill.lines.all())) for bill in shown]
    return Page(rows, shown.number, cast("Paginator[PurchaseRow]", shown.paginator))


def bill_page(number: str, *, accounts: Collection[int] | None = None) -> BillPage:
    """The page of an order, if it is of one of these accounts (None: of any): five queries.

    Raises Bill.DoesNotExist. The handlers' public words are put into the active language.
    """
    if not number.isprintable():
        raise Bill.DoesNotExist  # PostgreSQL raises something else for a question with a NUL in it
    bills = with_figures(Bill.objects.select_related("shop", "account", "buyer"))
    if accounts is not None:
        bills = bills.filter(account__in=accounts)
    lines = BillLine.objects.prefetch_related(Prefetch("runs", ProductionRun.objects.order_by("id")))
    bill = bills.prefetch_related(Prefetch("lines", lines), "parties", "payments").get(number=number)
    states = figures(bill)
    return BillPage(
        bill=bill,
        figures=states,
        lines=tuple(map(line_view, bill.lines.all())),
        parties=tuple(bill.parties.all()),
        payments=tuple(bill.payments.all()),
        transfer=transfer_of(bill, states),
    )


def line_view(line: BillLine) -> LineView:
    """A line with what its runs have said in public."""
    runs = tuple(line.runs.all())
    said = (say(run.handler, run.feedback["public"]) for run in runs if "public" in run.feedback)
    answers = tuple(shown_answers(line.answers, quantity=line.quantity))
    return LineView(line, line_seats(line), runs, tuple(filter(None, said)), answers)


def line_seats(line: BillLine) -> int | None:
    """How many seats a line buys, or None when it is not about seats."""
    if line.seat_mode == SeatMode.QUANTITY:
        return line.quantity
    try:
        size = get_handler(line.handler).read(line.params).values.get("packsize") if line.handler else None
    except UnknownHandler:
        return None
    return None if size is None else line.quantity * int(size)


def transfer_of(bill: Bill, states: Figures) -> BankDetails | None:
    """Where to send what is due, for an order that is paid by bank transfer."""
    waits = bill.state == Bill.State.PLACED and bill.paymode == Bill.Paymode.TRANSFER and states.due > 0
    return bank_details(shop=bill.shop, number=bill.number, amount=states.due) if waits else None
