"""The list of seats: what the address asks for, the filters with their numbers, one page of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import CustomerAccount
from common.references import check_reference, normalise_reference
from seats.models import Seat
from seats.seatrow import state_word
from seats.selectors import (
    CourseSeats,
    LastMail,
    PoolCounts,
    SeatFilter,
    SeatPage,
    SeatRow,
    SeatState,
    find_seat,
    last_mails,
    seat_list,
)
from seats.views.shared import as_page, asked_page

PER_PAGE = 50
PER_PRINT = 2000
LONGEST_QUERY = 200
STATES = (
    SeatState.FREE,
    SeatState.RESERVED,
    SeatState.ASSIGNED,
    SeatState.CONSUMED,
    SeatState.EXPIRED,
    SeatState.WITHDRAWN,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list, and the last mail about it."""

    seat: SeatRow
    mail: LastMail | None


@dataclass(frozen=True)
class Asked:
    """What the address asks for; whatever is not known there is no filter."""

    state: SeatState | None
    course: CourseSeats | None
    pool: PoolCounts | None
    query: str

    @property
    def filters(self) -> SeatFilter:
        return SeatFilter(
            course_id=self.course.course_id if self.course else None,
            state=self.state,
            query=self.query,
            pool_id=self.pool.pool_id if self.pool else None,
        )

    @property
    def is_all(self) -> bool:
        return not (self.state or self.course or self.pool or self.query)


@dataclass(frozen=True)
class Listing:
    """One page of the list, with everything around it."""

    asked: Asked
    page: Page[Any]
    entries: list[Entry]
    chips: list[tuple[Any, ...]]
    courses: list[tuple[str, str]] = field(default_factory=list)
    pools: list[PoolCounts] = field(default_factory=list)
    printing: bool = False


def asked(request: HttpRequest, pools: Sequence[PoolCounts], sitting: Sequence[CourseSeats]) -> Asked:
    """The filters of an address: `state`, `course` (a short name), `pool` (its number) and `q`."""
    wanted = request.GET
    state = wanted.get("state", "")
    pool = wanted.get("pool", "")
    return Asked(
        state=SeatState(state) if state in {one.value for one in STATES} else None,
        course=next((one for one in sitting if one.shortname == wanted.get("course")), None),
        pool=next((one for one in pools if str(one.pool_id) == pool), None),
        query=" ".join(wanted.get("q", "").replace("\x00", "").split())[:LONGEST_QUERY],
    )


def listing(
    request: HttpRequest,
    account: CustomerAccount,
    pools: Sequence[PoolCounts],
    sitting: Sequence[CourseSeats],
) -> Listing:
    """The list as the address asks for it. Three queries, and one more when names are searched."""
    wanted = asked(request, pools, sitting)
    printing = request.GET.get("print") == "1"
    per_page = PER_PRINT if printing else PER_PAGE
    numbers = _numbers(wanted, pools, sitting)
    found = _found(request, account, wanted, numbers, per_page)
    mails = last_mails(row.sitter.assignment_id for row in found.rows if row.sitter)
    return Listing(
        asked=wanted,
        page=as_page(found, per_page),
        entries=[
            Entry(row, mails.get(row.sitter.assignment_id) if row.sitter else None) for row in found.rows
        ],
        chips=_chips(wanted, numbers),
        courses=list({one.shortname: one.fullname for one in sitting}.items()),
        pools=list(pools),
        printing=printing,
    )


def _found(
    request: HttpRequest, account: CustomerAccount, wanted: Asked, numbers: Counter[str], per_page: int
) -> SeatPage:
    reference = normalise_reference(wanted.query)
    if check_reference(reference):
        try:
            return SeatPage([find_seat(reference, account_id=account.pk)], 1, 1, 1)
        except Seat.DoesNotExist:
            return SeatPage([], 1, 1, 0)
    # Only a search has to be counted; everything else the figures tell.
    known = numbers[wanted.state] if wanted.state else sum(numbers.values())
    return seat_list(
        account.pk,
        filters=wanted.filters,
        page=asked_page(request),
        per_page=per_page,
        total=None if wanted.query else known,
    )


def _chips(wanted: Asked, numbers: Counter[str]) -> list[tuple[Any, ...]]:
    """The states to choose from, with how many seats each would show; a search cannot be counted beforehand."""
    chips = [
        (state.value, capfirst(_chip_word(state)), numbers[state])
        for state in STATES
        if numbers[state] or state is wanted.state
    ]
    everything = [("", pgettext("seats", "All"), sum(numbers.values()))]
    if wanted.query:
        return [chip[:2] for chip in everything + chips]
    return everything + chips


def _chip_word(state: SeatState) -> str:
    return _("being given") if state is SeatState.RESERVED else state_word(state)


def _numbers(wanted: Asked, pools: Sequence[PoolCounts], sitting: Sequence[CourseSeats]) -> Counter[str]:
    numbers: Counter[str] = Counter()
    groups: Sequence[PoolCounts | CourseSeats] = pools
    if wanted.course:
        groups = [one for one in sitting if one.course_id == wanted.course.course_id]
    for group in groups:
        if wanted.pool is None or group.pool_id == wanted.pool.pool_id:
            numbers.update(group.states)
    return numbers
