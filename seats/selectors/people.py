"""What an account gave to whom, and what happened to a seat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from common.zone import parse_iso
from courses.models import ProductEvent
from courses.selectors import product_events
from seats.models import Assignment, Seat, Session


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
    # What only the events of products tell.
    EXPIRED = "expired"
    KEPT = "kept"  # may be given for as long again
    TO_CREDIT = "to_credit"  # expired unassigned, and the shop is told to credit it
    COURSES = "courses"  # good for other courses
    EXTENDED = "extended"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    BOUGHT = "bought"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step in the life of a product. `by` is an audit actor; the person is named as the account typed it.

    `detail` is what its event keeps (see `courses.models.ProductEvent`), such as the end that it has got.
    """

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
    why: str = ""  # what staff gave as the reason
    detail: Mapping[str, Any] = field(default_factory=dict)


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
    """Every step of a seat, oldest first: who sat in it, and what happened to the seat itself. Three queries.

    Raises Seat.DoesNotExist; with `account_id` also for another account's seat.
    """
    seats = Seat.objects.select_related("pool")
    if account_id is not None:
        seats = seats.filter(account=account_id)
    seat = seats.get(reference=reference)
    steps = [HistoryEntry(at=seat.pool.purchased_at, step=Step.MADE)]
    events = {(event.verb, event.at): _event(event) for event in product_events(reference)}
    for one in seat.assignments.select_related("course").order_by("id"):
        for step in _steps(one):
            # What ended with its seat is one step, not two.
            told = events.pop((step.reason, step.at), None) if step.step is Step.ENDED else None
            steps.append(replace(step, why=told.why) if told is not None else step)
    return sorted([*steps, *events.values()], key=lambda step: step.at)


def product_history(reference: str) -> list[HistoryEntry]:
    """What happened to a session or a course space, oldest first. Two queries."""
    session = Session.objects.select_related("pool").filter(reference=reference).first()
    steps = [] if session is None else [HistoryEntry(at=session.pool.purchased_at, step=Step.BOUGHT)]
    return steps + [_event(event) for event in product_events(reference)]


def _event(event: ProductEvent) -> HistoryEntry:
    until = event.detail.get("until") or event.detail.get("ends")
    return HistoryEntry(
        at=event.at,
        step=Step(event.verb),
        by=event.actor,
        course=str(event.detail.get("course", "")),
        ends_at=parse_iso(until) if until else None,
        why=str(event.detail.get("why", "")),
        detail=event.detail,
    )


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
