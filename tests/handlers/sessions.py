"""Sessions for tests: purchases with people, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from accounts.models import CustomerAccount, Person
from courses.models import Course, GroupMode
from courses.platforms import get_platform
from handlers.contract import Delivery, ParticipantEntry, ParticipantRole, Purchase
from handlers.registry import get_handler
from seats.models import Assignment, Seat, SeatPool
from tests.handlers.factories import make_course, make_purchase

NAME = "setuponecoursesession"
HANDLER = get_handler(NAME)
SECOND_LINE = UUID("7a1c6d0e-0000-4000-8000-000000000002")


def spoc(shortname: str = "SPOC", **fields: Any) -> Course:
    """A course with separate groups."""
    return make_course(shortname, **({"groups_mode": GroupMode.SEPARATE} | fields))


def named(*people: str) -> tuple[ParticipantEntry, ...]:
    """People from texts: `ada@a.example` learns, `ada@a.example tutor` tutors; names from the part before @."""
    entries = []
    for text in people:
        email, _space, role = text.partition(" ")
        kind = cast("ParticipantRole", role or "learner")
        entries.append(ParticipantEntry(email, email.partition("@")[0].title(), "Doe", kind))
    return tuple(entries)


def bought(
    *people: str,
    params: str = "coursename=SPOC",
    account: CustomerAccount | None = None,
    buyer: Person | None = None,
    **fields: Any,
) -> Purchase:
    """A purchase of a session for these people, one seat each."""
    values: dict[str, Any] = {
        "item_code": "SPOCM1",
        "item_name": "A session",
        "quantity": len(people),
        "participants": named(*people),
        "buyer_id": buyer.pk if buyer else None,
    }
    if account is not None:
        values["account_id"] = account.pk
    return make_purchase(params, handler=NAME, **(values | fields))


def deliver(*people: str, **fields: Any) -> Delivery:
    """Buy and deliver a session."""
    return HANDLER.deliver(bought(*people, **fields))


def enrolments(course: Course) -> list[tuple[str, str, datetime | None, datetime | None, tuple[str, ...]]]:
    """Who is enrolled on the platform: address, role, from, until, groups; suspended ones are left out."""
    (people,) = get_platform().enrolments([course.pk])
    return [
        (one.email, one.role, one.starts_at, one.ends_at, one.groups)
        for one in people
        if one.status == "active"
    ]


def sitting(pool: SeatPool) -> list[tuple[int, str, str]]:
    """The seats of a line: ordinal, the address of who sits in it (or nothing), his role."""
    live = {one.seat_id: one for one in Assignment.objects.filter(seat__pool=pool, ended_at=None)}
    return [
        (seat.ordinal, live[seat.pk].email, live[seat.pk].role) if seat.pk in live else (seat.ordinal, "", "")
        for seat in Seat.objects.filter(pool=pool).order_by("ordinal")
    ]


def emails(people: Iterable[Person]) -> list[str]:
    return sorted(person.email for person in people)
