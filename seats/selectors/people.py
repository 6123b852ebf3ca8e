"""What an account gave to whom, and what happened to a seat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from seats.models import Assignment, Seat


@dataclass(frozen=True, slots=True)
class Given:
    """A seat an account gave to a person. `state`: `reserved`, `assigned`, `consumed`, `expired` or `ended`."""

    assignment_id: int
    seat: str  # reference
    course_id: int
    course: str  # short name
    course_name: str
    item_name: str
    role: str
    group: str
    state: str
    given_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
    end_reason: str


class Step(StrEnum):
    """What happens to a seat."""

    MADE = "made"
    GIVEN = "given"
    OPENED = "opened"
    ENDED = "ended"  # `reason` says why
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step in the life of a seat. `by` is an audit actor; the person is named as the account typed it."""

    at: datetime
    step: Step
    by: str = ""
    email: str = ""
    name: str = ""
    course: str = ""
    role: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reason: str = ""


def given_to(account_id: int, person_ids: Iterable[int]) -> dict[int, list[Given]]:
    """What this account gave to each of these people, newest first; nothing of any other account. One query."""
    now = timezone.now()
    found = (
        Assignment.objects.filter(account=account_id, person__in=list(person_ids))
        .select_related("seat__pool", "course")
        .order_by("-id")
    )
    given: dict[int, list[Given]] = {}
    for one in found:
        given.setdefault(one.holder_id, []).append(
            Given(
                assignment_id=one.pk,
                seat=one.seat.reference,
                course_id=one.course_id,
                course=one.course.shortname,
                course_name=one.course.fullname,
                item_name=one.seat.pool.item_name,
                role=one.role,
                group=one.group_name,
                state=_state(one, now),
                given_at=one.created_at,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                opened_at=one.opened_at,
                ended_at=one.ended_at,
                end_reason=one.end_reason,
            )
        )
    return given


def seat_history(reference: str, *, account_id: int | None = None) -> list[HistoryEntry]:
    """Every step of a seat, oldest first. Two queries.

    Raises Seat.DoesNotExist; with `account_id` also for another account's seat.
    """
    seats = Seat.objects.select_related("pool")
    if account_id is not None:
        seats = seats.filter(account=account_id)
    seat = seats.get(reference=reference)
    steps = [HistoryEntry(at=seat.pool.purchased_at, step=Step.MADE)]
    for one in seat.assignments.select_related("course").order_by("id"):
        steps += _steps(one)
    # An assignment that expired with its seat tells it already.
    if seat.expired_at is not None and not any(step.at == seat.expired_at for step in steps):
        steps.append(HistoryEntry(at=seat.expired_at, step=Step.EXPIRED))
    if seat.withdrawn_at is not None:
        steps.append(HistoryEntry(at=seat.withdrawn_at, step=Step.WITHDRAWN))
    return sorted(steps, key=lambda step: step.at)


def _steps(one: Assignment) -> list[HistoryEntry]:
    def entry(at: datetime, step: Step, by: str = "", reason: str = "") -> HistoryEntry:
        return HistoryEntry(
            at=at,
            step=step,
            by=by,
            email=one.email,
            name=f"{one.first_name} {one.last_name}".strip(),
            course=one.course.shortname,
            role=one.role,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            reason=reason,
        )

    steps = [entry(one.created_at, Step.GIVEN, one.created_by)]
    if one.opened_at is not None:
        steps.append(entry(one.opened_at, Step.OPENED))
    if one.ended_at is not None:
        steps.append(entry(one.ended_at, Step.ENDED, one.ended_by, one.end_reason))
    return steps


def _state(one: Assignment, now: datetime) -> str:
    if one.end_reason == Assignment.EndReason.EXPIRED or (
        one.ended_at is None and one.ends_at is not None and one.ends_at <= now
    ):
        return "expired"
    if one.ended_at is not None:
        return "ended"
    if one.state == Assignment.State.RESERVED:
        return "reserved"
    return "assigned" if one.opened_at is None else "consumed"
