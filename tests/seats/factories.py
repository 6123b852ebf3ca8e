"""Seats and lists for tests."""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import CustomerAccount
from common.audit import OPERATOR, Actor
from common.listing import PeopleList, from_rows
from courses.models import Course
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool
from seats.selectors import SeatRow, Sitter, seats_with_state
from seats.services import create_list, generate_seats, plan, run_apply, start_apply
from tests.accounts.factories import make_account

_numbers = count(1)


class Silent:
    """Progress that nobody watches."""

    def report(self, done: int, total: int) -> None:
        """Nothing to say."""


def make_pool(account: CustomerAccount | None = None, seats: int = 3, **fields: Any) -> SeatPool:
    """A bought line of unassigned seats."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "line_key": uuid.uuid4(),
        "item_code": "SEATS",
        "item_name": "Seats for any course",
        "bill_number": f"CMD-{number:06}",
        "purchased_at": timezone.now(),
    } | fields
    generate_seats(account_id=(account or make_account()).pk, count=seats, **values)
    return SeatPool.objects.get(line_key=values["line_key"])


def people(*emails: str, role: str = "") -> PeopleList:
    """A list of people: `people("a@x.org", "b@x.org")`; the first name is the part before @."""
    return from_rows(
        {
            "email": email,
            "firstname": email.partition("@")[0].strip().title(),
            "lastname": "Doe",
            "role": role,
        }
        for email in emails
    )


def plan_list(
    account: CustomerAccount,
    course: Course,
    *emails: str,
    listed: PeopleList | None = None,
    actor: Actor = OPERATOR,
    pool: SeatPool | None = None,
) -> AssignmentBatch:
    return create_list(
        account_id=account.pk,
        course_id=course.pk,
        people=listed or people(*emails),
        actor=actor,
        pool_id=pool.pk if pool else None,
    )


def apply(batch: AssignmentBatch, actor: Actor = OPERATOR) -> list[AssignmentRow]:
    """Start and run a list, planned first if it is not; returns its rows."""
    if batch.state == AssignmentBatch.State.PLANNING:
        plan(batch_id=batch.pk)
    start_apply(batch_id=batch.pk, actor=actor)
    run_apply(batch.pk, Silent())
    batch.refresh_from_db()
    return list(batch.rows.order_by("position"))


def give(account: CustomerAccount, course: Course, email: str, actor: Actor = OPERATOR) -> Assignment:
    """Give a free seat of the account to somebody, by a list of one."""
    [row] = apply(plan_list(account, course, email), actor)
    return Assignment.objects.select_related("seat", "person").get(row=row)


def states(account: CustomerAccount) -> dict[str, int]:
    """How many seats of the account are in which state, counted from rows now."""
    found: dict[str, int] = {}
    for state in seats_with_state().filter(account=account).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def told(rows: list[AssignmentRow]) -> list[tuple[str, str]]:
    """Verdict and outcome of each row."""
    return [(row.verdict, row.outcome) for row in rows]


def planned(batch: AssignmentBatch) -> list[str]:
    """The announced verdict of each row."""
    return list(batch.rows.order_by("position").values_list("planned_verdict", flat=True))


def references(pool: SeatPool) -> list[str]:
    return list(Seat.objects.filter(pool=pool).order_by("ordinal").values_list("reference", flat=True))


def end_of(assignment: Assignment) -> datetime:
    """When access ends, of an assignment that has an end."""
    assert assignment.ends_at is not None
    return assignment.ends_at


def sitter_of(seat: SeatRow) -> Sitter:
    """Who sits in a seat in which somebody does."""
    assert seat.sitter is not None
    return seat.sitter
