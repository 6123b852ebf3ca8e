"""The list of seats: filtered, searched, paged, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from delegation.models import Delegation
from seats.models import Assignment, Seat
from seats.selectors.changes import changing
from seats.selectors.pools import PoolCounts, pool_counts
from seats.selectors.states import SeatState, SeatsWithState, seats_with_state

PER_PAGE = 50
# A seat shows who sits in it, or who sat in it when it ended; whoever was replaced is history.
SHOWN = Q(ended_at=None) | Q(
    end_reason__in=[Assignment.EndReason.EXPIRED.value, Assignment.EndReason.WITHDRAWN.value]
)


@dataclass(frozen=True, slots=True)
class SeatFilter:
    """What to list; everything empty: all seats. `query` is a part of a name or address as the account typed it."""

    course_id: int | None = None
    state: SeatState | None = None
    query: str = ""
    pool_id: int | None = None

    @property
    def by_person(self) -> bool:
        """Whether it asks about assignments, which no cached figure can answer."""
        return self.course_id is not None or bool(self.query.strip())


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who sits in a seat. The name is the one this account typed until the person shows his own (`own_name`)."""

    assignment_id: int
    person_id: int | None
    email: str
    first_name: str
    last_name: str
    own_name: bool
    course_id: int
    course: str  # short name
    course_name: str
    role: str
    group: str
    given_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    opened_at: datetime | None

    @property
    def name(self) -> str:
        """The full name, or the part before @."""
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One seat of a list."""

    seat_id: int
    reference: str
    ordinal: int
    pool_id: int
    item_code: str
    item_name: str
    bill_number: str
    session: str | None  # reference of the session it belongs to
    assign_before: datetime | None
    state: SeatState
    sitter: Sitter | None
    changing: str = ""  # somebody has changed his mind, and the platform is being told (`SeatChange.Kind`)

    @property
    def can_be_taken_back(self) -> bool:
        """Given and not opened: it may be taken back, replaced and corrected (the platform has the last word)."""
        return self.state is SeatState.ASSIGNED and not self.changing


@dataclass(frozen=True, slots=True)
class SeatPage:
    """A page of seats; `number` counts from 1 and is within `pages`, whatever was asked for."""

    rows: list[SeatRow]
    number: int
    pages: int
    total: int


def seat_list(
    account_id: int,
    *,
    filters: SeatFilter | None = None,
    page: int = 1,
    per_page: int = PER_PAGE,
    pools: Sequence[PoolCounts] | None = None,
    total: int | None = None,
) -> SeatPage:
    """One page of the account's seats, in the order they were made. Three queries, two when `pools` are given.

    `pools` are the account's `pool_counts`, when the caller has them already; `total` is how many seats pass the
    filter, when that is known (`course_counts`): then nothing is counted.
    """
    filters = filters or SeatFilter()
    now = timezone.now()
    seats = _filtered(account_id, filters, now)
    if total is None and filters.by_person:
        total = seats.count()
    elif total is None:
        total = _counted(pool_counts(account_id) if pools is None else pools, filters)
    pages = max(1, -(-total // per_page))
    number = min(max(1, page), pages)
    first = (number - 1) * per_page
    # Ids first: skipping to a far page must not join what it skips.
    wanted = seats.order_by("id").values("pk")[first : first + per_page]
    return SeatPage(_rows(seats_with_state(now).filter(pk__in=wanted)), number, pages, total)


def every_seat(account_id: int, filters: SeatFilter, *, chunk: int = 1000) -> Iterator[SeatRow]:
    """All seats of an account that pass the filter, read in chunks: for exports and commands."""
    now = timezone.now()
    last = 0
    while True:
        wanted = _filtered(account_id, filters, now).filter(pk__gt=last).order_by("id").values("pk")[:chunk]
        rows = _rows(seats_with_state(now).filter(pk__in=wanted))
        yield from rows
        if len(rows) < chunk:
            return
        last = rows[-1].seat_id


def find_seat(reference: str, *, account_id: int | None = None) -> SeatRow:
    """One seat by its reference. Raises Seat.DoesNotExist; with `account_id` also for another account's seat."""
    seats = seats_with_state().filter(reference=reference)
    if account_id is not None:
        seats = seats.filter(account=account_id)
    rows = _rows(seats)
    if not rows:
        raise Seat.DoesNotExist(reference)
    return rows[0]


def _filtered(account_id: int, filters: SeatFilter, now: datetime) -> QuerySet[Seat, Any]:
    seats: QuerySet[Seat, Any] = Seat.objects.all()
    if filters.state is not None:
        seats = seats_with_state(now).filter(state=filters.state.value)
    seats = seats.filter(account=account_id)
    if filters.pool_id is not None:
        seats = seats.filter(pool=filters.pool_id)
    if filters.by_person:
        sitters = Assignment.objects.filter(SHOWN, account=account_id, seat=OuterRef("pk"))
        if filters.course_id is not None:
            sitters = sitters.filter(course=filters.course_id)
        for word in filters.query.split():
            typed = Q(email__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
            own = Q(person__first_name__icontains=word) | Q(person__last_name__icontains=word)
            sitters = sitters.filter(typed | (Q(opened_at__isnull=False) & own))
        seats = seats.filter(Exists(sitters))
    return seats


def _counted(pools: Iterable[PoolCounts], filters: SeatFilter) -> int:
    chosen = [pool for pool in pools if filters.pool_id in (None, pool.pool_id)]
    if filters.state is None:
        return sum(pool.bought for pool in chosen)
    return sum(pool.states.get(filters.state, 0) for pool in chosen)


def _rows(seats: SeatsWithState) -> list[SeatRow]:
    found = list(seats.select_related("pool__session").order_by("id"))
    sitters = _sitters([seat.pk for seat in found if seat.state != SeatState.FREE])
    changes = changing(sitters)
    return [
        SeatRow(
            seat_id=seat.pk,
            reference=seat.reference,
            ordinal=seat.ordinal,
            pool_id=seat.pool_id,
            item_code=seat.pool.item_code,
            item_name=seat.pool.item_name,
            bill_number=seat.pool.bill_number,
            session=seat.pool.session.reference if hasattr(seat.pool, "session") else None,
            assign_before=seat.pool.assign_before,
            state=SeatState(seat.state),
            sitter=sitters.get(seat.pk),
            changing=changes.get(seat.pk, ""),
        )
        for seat in found
    ]


def _sitters(seat_ids: list[int]) -> dict[int, Sitter]:
    accepted = Delegation.objects.filter(
        account=OuterRef("account"), person=OuterRef("person"), accepted_at__isnull=False, ended_at=None
    )
    found = (
        Assignment.objects.filter(SHOWN, seat__in=seat_ids)
        .select_related("person", "course")
        .annotate(accepted=Exists(accepted))
        .order_by("id")
    )
    return {assignment.seat_id: _sitter(assignment, accepted=assignment.accepted) for assignment in found}


def _sitter(assignment: Assignment, *, accepted: bool) -> Sitter:
    person = assignment.person
    own_name = person is not None and (accepted or assignment.opened_at is not None)
    named = person if person is not None and own_name else assignment
    return Sitter(
        assignment_id=assignment.pk,
        person_id=assignment.person_id,
        email=assignment.email,
        first_name=named.first_name,
        last_name=named.last_name,
        own_name=own_name,
        course_id=assignment.course_id,
        course=assignment.course.shortname,
        course_name=assignment.course.fullname,
        role=assignment.role,
        group=assignment.group_name,
        given_at=assignment.created_at,
        starts_at=assignment.starts_at,
        ends_at=assignment.ends_at,
        opened_at=assignment.opened_at,
    )
