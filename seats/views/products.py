"""My products: what the organisation owns, by order, with references and dates; and the list of seats as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import AccountRequest, account_required, current
from common.csvsafe import write_csv
from common.zone import iso
from courses.selectors.spaces import spaces_of
from seats.models import Seat, Session
from seats.seatrow import state_word
from seats.selectors import (
    PoolCounts,
    SeatRow,
    course_counts,
    covered_courses,
    every_seat,
    last_mails,
    pool_counts,
    total_counts,
)
from seats.templatetags.seats import role_word
from seats.views.listing import asked
from seats.views.overview import covered_names
from seats.views.words import mail_word

PER_PAGE = 20
REFERENCES = 6  # of each pool on the page; the others are in the list of seats
CHUNK = 500


@account_required("seats.read")
@require_safe
def products(request: AccountRequest) -> HttpResponse:
    """What the organisation owns, newest order first."""
    pools = pool_counts(request.account.pk, stamp=request.account.stamp)
    page = Paginator([pool for pool in reversed(pools) if pool.bought], PER_PAGE).get_page(
        request.GET.get("page")
    )
    shown = list(page.object_list)
    access = current(request)
    owned = _with_references(shown)
    spaces = spaces_of(request.account.pk) if page.number == 1 else []
    context = {
        "page": page,
        "products": owned,
        "spaces": spaces,
        "extendable": bool(spaces) or any(one.session for one in owned),
        "covered": covered_names(shown, covered_courses([pool for pool in shown if pool.courselist.strip()])),
        "totals": total_counts(pools),
        "may_buy": access is not None and "shop" in access.capabilities,
    }
    return render(request, "seats/products.html", context)


@dataclass(frozen=True, slots=True)
class Owned:
    """The seats of an order: the references of the first ones, how many more there are, and the session they are of."""

    pool: PoolCounts
    references: list[str]
    session: Session | None

    @property
    def more(self) -> int:
        return self.pool.bought - len(self.references)


def _with_references(pools: Sequence[PoolCounts]) -> list[Owned]:
    """Two queries."""
    found: dict[int, list[str]] = {}
    seats = Seat.objects.filter(pool__in=[pool.pool_id for pool in pools], ordinal__lte=REFERENCES)
    for pool_id, reference in seats.order_by("pool_id", "ordinal").values_list("pool_id", "reference"):
        found.setdefault(pool_id, []).append(reference)
    sessions = {
        session.pool_id: session
        for session in Session.objects.filter(pool__in=[pool.pool_id for pool in pools]).select_related(
            "course"
        )
    }
    return [Owned(pool, found.get(pool.pool_id, []), sessions.get(pool.pool_id)) for pool in pools]


@account_required("seats.read")
@require_safe
def export(request: AccountRequest) -> HttpResponse:
    """The list of seats as CSV, with the filters of the page."""
    pools = pool_counts(request.account.pk, stamp=request.account.stamp)
    wanted = asked(request, pools, course_counts(request.account))
    header = [
        _("reference"),
        _("state"),
        _("item"),
        _("order"),
        _("course"),
        _("name of the course"),
        _("e-mail"),
        _("first name"),
        _("last name"),
        _("role"),
        _("group"),
        _("given on"),
        _("access from"),
        _("access until"),
        _("opened on"),
        _("mail"),
    ]
    content = write_csv(header, _lines(every_seat(request.account.pk, wanted.filters)))
    name = "sieges" if get_language() == "fr" else "seats"
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _lines(rows: Iterator[SeatRow]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        mails = last_mails(row.sitter.assignment_id for row in chunk if row.sitter)
        for row in chunk:
            yield [row.reference, state_word(row.state), row.item_name, row.bill_number, *_person(row, mails)]


def _person(row: SeatRow, mails: dict[int, Any]) -> list[Any]:
    sitter = row.sitter
    if sitter is None:
        return [""] * 12
    mail = mails.get(sitter.assignment_id)
    return [
        sitter.course,
        sitter.course_name,
        sitter.email,
        sitter.first_name,
        sitter.last_name,
        role_word(sitter.role),
        sitter.group,
        iso(sitter.given_at),
        iso(sitter.starts_at),
        iso(sitter.ends_at),
        iso(sitter.opened_at),
        mail_word(mail.state) if mail else "",
    ]
