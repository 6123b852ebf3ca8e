"""My purchases: the orders of an organisation, and one order."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import AccountRequest, account_required, capabilities_of, current
from accounts.models import Member
from billing import selectors
from billing.models import Bill, BillParticipant, BillParty
from billing.selectors import BillPage, LineView
from billing.selectors.contents import item_names, people_of, seats_of
from billing.services import Refused, pay_by_test_card
from common.audit import Actor
from common.money import RateTotal
from seats.seatrow import SeatCounts


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """A line of the order's page; `seats` as they are now, before delivery None."""

    view: LineView
    people: list[BillParticipant]
    seats: SeatCounts | None


@require_safe
@account_required("shop")
def purchases(request: AccountRequest) -> HttpResponse:
    """The orders of the organisation, newest first."""
    page = selectors.purchases(request.account.pk, request.GET.get("page", "1"))
    names = item_names([row.bill.pk for row in page])
    rows = [(row, names.get(row.bill.pk, [])) for row in page]
    waiting = sum(row.figures.due > 0 and row.bill.state == Bill.State.PLACED for row in page)
    context = {"page": page, "rows": rows, "waiting": waiting}
    return render(request, "billing/purchases.html", context)


@require_safe
@login_required
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order: what waits, what was bought, what was delivered."""
    page, member = _fetch(request, number)
    bill = page.bill
    people_page, people = people_of(bill.pk, request.GET.get("people", "1"))
    seats = seats_of([line.line.key for line in page.lines])
    lines = [
        OrderLineView(line, people.get(line.line.pk, []), seats.get(line.line.key)) for line in page.lines
    ]
    access = current(request)
    context = {
        "page": page,
        "bill": bill,
        "lines": lines,
        "people_page": people_page,
        "rates": _rates(page),
        "customer": _party(page, BillParty.Kind.CUSTOMER),
        "recipient": _party(page, BillParty.Kind.RECIPIENT),
        "free": sum(line.seats.free for line in lines if line.seats),
        "may_assign": "seats.write" in capabilities_of(member.role),
        "elsewhere": access is not None and access.account.pk != bill.account_id,
        "test_card": _waits_for_card(page),
        "shop": bill.shop,
    }
    return render(request, "billing/order.html", context)


@require_POST
@login_required
def pay(request: HttpRequest, number: str) -> HttpResponse:
    """Pay what is due with the test card."""
    page, member = _fetch(request, number)
    try:
        pay_by_test_card(number=page.bill.number, actor=Actor.person(member.person_id))
    except Refused as refused:
        messages.error(request, str(refused.problems[0].message))
    else:
        messages.success(request, _("The order is paid."))
    return redirect("billing:bill", page.bill.number)


def _fetch(request: HttpRequest, number: str) -> tuple[BillPage, Member]:
    """An order of one of the visitor's organisations, and his membership there.

    A stranger's order is not found; a member whose role does not buy may not read it.
    """
    access = current(request)
    members = {member.account_id: member for member in access.memberships} if access else {}
    try:
        page = selectors.bill_page(number, accounts=members)
    except Bill.DoesNotExist:
        raise Http404 from None
    member = members[page.bill.account_id]
    if "shop" not in capabilities_of(member.role):
        raise PermissionDenied
    return page, member


def _rates(page: BillPage) -> list[RateTotal]:
    """The frozen lines added up per rate, lowest rate first."""
    totals: dict[object, RateTotal] = {}
    for line in sorted((view.line for view in page.lines), key=lambda line: line.tax_rate):
        known = totals.get(line.tax_rate, RateTotal(line.tax_rate, 0, 0, 0))
        totals[line.tax_rate] = RateTotal(
            line.tax_rate, known.net + line.net, known.tax + line.tax, known.gross + line.gross
        )
    return list(totals.values())


def _party(page: BillPage, kind: BillParty.Kind) -> BillParty | None:
    return next((party for party in page.parties if party.kind == kind), None)


def _waits_for_card(page: BillPage) -> bool:
    return (
        settings.SHOPSEATS_TEST_CARD
        and page.bill.paymode == Bill.Paymode.TESTCARD
        and page.bill.state == Bill.State.PLACED
        and page.figures.due > 0
    )
