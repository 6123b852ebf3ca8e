"""Reserving seats for the people of a list. Only to be used under the account's lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from accounts.services import NewPerson, ensure_people
from common.audit import SYSTEM, Actor
from courses.platform import KnownEnd
from seats.models import Assignment, AssignmentBatch, Seat, SeatPool, Verdict
from seats.selectors.pools import access_end, access_start
from seats.services.judging import USES_A_SEAT, Judged, ends_detail
from seats.services.picking import SeatSource


def reserve(
    batch: AssignmentBatch,
    judged: Sequence[Judged],
    picker: SeatSource,
    *,
    state: Assignment.State,
    actor: Actor,
    now: datetime,
    starts_at: datetime | None = None,
) -> list[Assignment]:
    """Give a seat to every row that should have one, as long as there are seats; returns what was reserved.

    `state`: reserved, or live when the platform is told in the same transaction. `starts_at`: when access starts, by
    default at once or when the seats say so.

    Logins are created for those who get a seat, and only for them. Rows that come away empty are given their new
    verdict: `no_seat`, or `already_enrolled` when another account was quicker with the same person and course.
    """
    waiting = [judgement for judgement in judged if judgement.verdict in USES_A_SEAT]
    end_stale(batch.course_id, [one.person_id for one in waiting if one.person_id is not None], now=now)
    reserved: list[Assignment] = []
    while waiting:
        seats = picker.take(len(waiting), now=now)
        if not seats:
            break
        # A seat whose race was lost is free again for the next round.
        reserved += _insert(
            batch, waiting[: len(seats)], seats, state=state, actor=actor, now=now, starts_at=starts_at
        )
        waiting = waiting[len(seats) :]
    for judgement in waiting:
        judgement.verdict = Verdict.NO_SEAT
    return reserved


def end_stale(course_id: int, person_ids: Sequence[int], *, now: datetime) -> None:
    """End assignments of these people in this course whose end has passed, so that new ones may be made."""
    if not person_ids:
        return
    passed = Assignment.objects.filter(
        course=course_id, person__in=person_ids, ended_at=None, ends_at__lte=now
    )
    # They may be of any account: locked in the order of their ids, so that two lists never wait in a circle.
    stale = dict(passed.order_by("id").select_for_update(no_key=True).values_list("id", "seat_id"))
    if not stale:
        return
    Assignment.objects.filter(pk__in=stale).update(
        state=Assignment.State.ENDED,
        ended_at=now,
        ended_by=SYSTEM.label,
        end_reason=Assignment.EndReason.EXPIRED,
    )
    # By date they were expired already: no figure changes.
    Seat.objects.filter(pk__in=sorted(stale.values())).update(expired_at=now)


def role_for(pool: SeatPool, role: str) -> str:
    """The platform's role for a row's: a tutor has the role the item names, and takes a seat too."""
    return pool.supervisor if role == "tutor" else pool.learner


def _insert(
    batch: AssignmentBatch,
    going: Sequence[Judged],
    seats: Sequence[Seat],
    *,
    state: Assignment.State,
    actor: Actor,
    now: datetime,
    starts_at: datetime | None,
) -> list[Assignment]:
    _make_people(batch, going)
    starts = {seat.pool_id: starts_at or access_start(seat.pool, now) for seat in seats}
    wanted = [
        Assignment(
            seat=seat,
            account_id=batch.account_id,
            person_id=one.person_id,
            course_id=batch.course_id,
            role=role_for(seat.pool, one.row.role),
            group_name=seat.pool.bill_number,
            email=one.row.email,
            first_name=one.row.first_name,
            last_name=one.row.last_name,
            state=state,
            starts_at=starts[seat.pool_id],
            ends_at=access_end(seat.pool, starts[seat.pool_id]),
            created_login=one.verdict is Verdict.NEW_ACCOUNT,
            row=one.row,
            created_at=now,
            created_by=actor.label,
        )
        for one, seat in zip(going, seats, strict=True)
    ]
    # In the order of people: two lists that name the same ones wait for each other and never in a circle.
    wanted.sort(key=lambda assignment: assignment.holder_id)
    Assignment.objects.bulk_create(wanted, ignore_conflicts=True)
    kept = list(
        Assignment.objects.filter(row__in=[one.row.pk for one in going], ended_at=None)
        .select_related("person", "row")
        .order_by("row__position")
    )
    _note_lost(batch, going, {assignment.row_id for assignment in kept}, now)
    return kept


def _make_people(batch: AssignmentBatch, going: Sequence[Judged]) -> None:
    unknown = [one for one in going if one.person_id is None]
    if not unknown:
        return
    people = ensure_people(
        [NewPerson(one.row.email, one.row.first_name, one.row.last_name, batch.language) for one in unknown]
    )
    for one in unknown:
        one.person_id, created = people[one.row.email_key]
        # Who has a login on the platform is known there, though his row here is new.
        is_new = created and not one.is_stranger
        one.verdict = Verdict.NEW_ACCOUNT if is_new else Verdict.EXISTING_ACCOUNT


def _note_lost(batch: AssignmentBatch, going: Sequence[Judged], won: set[int | None], now: datetime) -> None:
    lost = [one for one in going if one.row.pk not in won]
    if not lost:
        return
    running = Q(ends_at=None) | Q(ends_at__gt=now)
    ends = dict(
        Assignment.objects.filter(
            running, course=batch.course_id, person__in=[one.person_id for one in lost], ended_at=None
        ).values_list("person_id", "ends_at")
    )
    for one in lost:
        one.verdict = Verdict.ALREADY_ENROLLED
        one.detail = ends_detail(KnownEnd(ends.get(one.person_id or 0)))
