"""Seats, sessions and course spaces are withdrawn by staff, and given back as they were.

Withdrawing a seat suspends the enrolment of whoever sits in it; giving it back puts him in again, unless he sits in
another seat of the course by then. A session is withdrawn and given back with all its seats. One operation over many
products of an account is one transaction, one audit entry, one INSERT of events and one mail to each manager.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from common import audit
from common.audit import Actor
from common.zone import iso
from courses.models import ProductEvent
from courses.platforms import get_platform
from courses.services.space_life import RESTORED, WITHDRAWN
from delegation.refusals import Refused
from seats.models import Assignment, Seat, SeatChange, Session
from seats.selectors.products import Product, ProductKind, latest_assignments, refusal, sits_elsewhere
from seats.services.life_rows import Reason, events_of, hold_later, is_over, tell_here, won, write_again
from seats.services.locking import lock_account, touch_account


@dataclass(slots=True)
class Operation:
    """What staff does to products of one account, and what came of it."""

    account_id: int
    actor: Actor
    why: str
    events: list[ProductEvent] = field(default_factory=list)  # of the products named
    refused: list[tuple[str, Refused]] = field(default_factory=list)


def withdraw_seats(operation: Operation, products: Sequence[Product]) -> None:
    """Withdraw these seats and sessions of an account; those that are withdrawn already stay so.

    A seat that is just being given is left out, and so is its session: see `refused`.
    """
    _in_one(operation, products, _withdraw)


def restore_seats(operation: Operation, products: Sequence[Product]) -> None:
    """Give back these seats and sessions of an account; those that are not withdrawn stay as they are.

    Raises Refused(not_told) when a local platform refuses somebody: nothing is changed then.
    """
    won(lambda: _in_one(operation, products, _restore))


@dataclass(slots=True)
class _Named:
    """The locked rows of the products."""

    now: datetime
    seats: list[Seat]  # those named, and all of the sessions
    sessions: list[Session]
    alone: set[int]  # the ids of the seats named


def _in_one(
    operation: Operation, products: Sequence[Product], change: Callable[[Operation, _Named], None]
) -> None:
    before = len(operation.events), len(operation.refused)
    try:
        with transaction.atomic():
            lock_account(operation.account_id)
            change(operation, _locked(products))
    except BaseException:
        # What was rolled back has not come about.
        del operation.events[before[0] :], operation.refused[before[1] :]
        raise


def _locked(products: Sequence[Product]) -> _Named:
    named = {kind: [one.pk for one in products if one.kind is kind] for kind in ProductKind}
    sessions = Session.objects.select_for_update(no_key=True).filter(pk__in=named[ProductKind.SESSION])
    found = list(sessions.order_by("pk"))
    seats = Seat.objects.select_for_update(no_key=True).filter(
        Q(pk__in=named[ProductKind.SEAT]) | Q(pool__in=[session.pool_id for session in found])
    )
    return _Named(timezone.now(), list(seats.order_by("pk")), found, set(named[ProductKind.SEAT]))


# --- withdrawing ------------------------------------------------------------------------------------


def _withdraw(operation: Operation, named: _Named) -> None:
    busy = _leave_out_busy(operation, named)
    seats = [seat for seat in named.seats if seat.withdrawn_at is None and seat.pk not in busy]
    sessions = [session for session in named.sessions if session.withdrawn_at is None]
    live = Assignment.objects.filter(seat__in=[seat.pk for seat in seats], ended_at=None)
    leaving = list(live.select_related("course").order_by("pk"))
    if not get_platform().is_remote:
        tell_here([], leaving)
    Assignment.objects.filter(pk__in=[one.pk for one in leaving]).update(
        state=Assignment.State.ENDED,
        ended_at=named.now,
        ended_by=operation.actor.label,
        end_reason=Reason.WITHDRAWN,
    )
    Seat.objects.filter(pk__in=[seat.pk for seat in seats]).update(withdrawn_at=named.now)
    Session.objects.filter(pk__in=[session.pk for session in sessions]).update(withdrawn_at=named.now)
    courses = {one.seat_id: {"course": one.course.shortname} for one in leaving}
    _note(operation, named, WITHDRAWN, seats, sessions, courses)


def _leave_out_busy(operation: Operation, named: _Named) -> set[int]:
    """Seats with which a job is busy, and all seats of their sessions; the latter are taken out of `named`."""
    reserved = set(
        Assignment.objects.filter(
            seat__in=[seat.pk for seat in named.seats], state=Assignment.State.RESERVED
        ).values_list("seat", flat=True)
    )
    if get_platform().is_remote:
        changing = SeatChange.objects.filter(
            seat__in=[seat.pk for seat in named.seats], state__in=SeatChange.OPEN
        )
        reserved |= set(changing.values_list("seat", flat=True))
    busy_pools = {seat.pool_id for seat in named.seats if seat.pk in reserved}
    busy_sessions = [session for session in named.sessions if session.pool_id in busy_pools]
    pools = {session.pool_id for session in busy_sessions}
    named.sessions = [session for session in named.sessions if session.pool_id not in pools]
    alone = [seat for seat in named.seats if seat.pk in reserved and seat.pool_id not in pools]
    references = [session.reference for session in busy_sessions] + [seat.reference for seat in alone]
    operation.refused += [(reference, refusal("busy")) for reference in references]
    return reserved | {seat.pk for seat in named.seats if seat.pool_id in pools}


# --- giving back ------------------------------------------------------------------------------------


def _restore(operation: Operation, named: _Named) -> None:
    sessions = [session for session in named.sessions if session.withdrawn_at is not None]
    # With a session come back the seats that were withdrawn with it.
    since = {session.pool_id: session.withdrawn_at for session in sessions}
    seats = [
        seat
        for seat in named.seats
        if seat.withdrawn_at is not None
        and (seat.pk in named.alone or seat.withdrawn_at == since.get(seat.pool_id))
    ]
    last = latest_assignments(Seat.objects.filter(pk__in=[seat.pk for seat in seats]))
    theirs = last.filter(end_reason=Reason.WITHDRAWN, ended_at=F("seat__withdrawn_at"), person__isnull=False)
    found = theirs.annotate(elsewhere=sits_elsewhere()).select_for_update(no_key=True, of=("self",))
    back = [one for one in found if not one.elsewhere]
    Seat.objects.filter(pk__in=[seat.pk for seat in seats]).update(withdrawn_at=None)
    Session.objects.filter(pk__in=[session.pk for session in sessions]).update(withdrawn_at=None)
    Assignment.objects.filter(pk__in=[one.pk for one in back]).update(
        state=Assignment.State.LIVE, ended_at=None, ended_by="", end_reason=""
    )
    for one in back:
        one.state = Assignment.State.LIVE
    running = [one for one in back if not is_over(one, named.now)]
    if not get_platform().is_remote:
        tell_here(running)
    details = {one.seat_id: {"course": one.course.shortname, "ends": iso(one.ends_at)} for one in back}
    _note(operation, named, RESTORED, seats, sessions, details)
    if operation.events:
        write_again(running, mark=str(operation.events[0].pk), actor=operation.actor)


# --- both ---------------------------------------------------------------------------------------------


def _note(
    operation: Operation,
    named: _Named,
    verb: str,
    seats: Sequence[Seat],
    sessions: Sequence[Session],
    details: Mapping[int, Mapping[str, str | None]],
) -> None:
    """Events of all products in one INSERT, the audit entry, and a job for each product named if it is far away."""
    if not seats and not sessions:
        return
    of_sessions = {session.reference: {"seats": 0} for session in sessions}
    pools = {session.pool_id: session.reference for session in sessions}
    for seat in seats:
        if seat.pool_id in pools:
            of_sessions[pools[seat.pool_id]]["seats"] += 1
    of_seats = {seat.reference: details.get(seat.pk, {}) for seat in seats}
    events = events_of(
        {**of_sessions, **of_seats}, verb, actor=operation.actor, at=named.now, why=operation.why
    )
    ProductEvent.objects.bulk_create(events)
    within = {seat.reference for seat in seats if seat.pool_id in pools}
    mine = [event for event in events if event.reference not in within]
    operation.events += mine
    audit.record(
        actor=operation.actor,
        verb=f"products.{verb}",
        object=f"product:{mine[0].reference}",
        scope=f"account:{operation.account_id}",
        counts={"products": len(mine), "seats": len(seats)},
        why=operation.why,
    )
    touch_account(operation.account_id)
    if get_platform().is_remote:
        hold_later(event.pk for event in mine)
