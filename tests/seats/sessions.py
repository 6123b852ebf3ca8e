"""Sessions for tests of seats: orders as handlers place them, without a handler."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import CustomerAccount
from courses.models import Course, Enrolment
from seats.models import Assignment, SeatPool
from seats.services import Named, SessionOrder
from tests.accounts.factories import make_account

_numbers = count(1)


def ordered(
    course: Course, *people: str, account: CustomerAccount | None = None, **fields: Any
) -> SessionOrder:
    """An order of a session from an hour ago, for thirty days; `ada@x.org tutor` tutors."""
    now = timezone.now()
    values: dict[str, Any] = {
        "line_key": uuid.uuid4(),
        "account_id": (account or make_account()).pk,
        "buyer_id": None,
        "item_code": "SPOCM1",
        "item_name": "A session",
        "bill_number": f"CMD-S-{next(_numbers):06}",
        "purchased_at": now - timedelta(hours=1),
        "renewable": False,
        "course": course,
        "learner": "student",
        "supervisor": "teacher",
        "starts_at": now - timedelta(hours=1),
        "ends_at": now + timedelta(days=30),
        "people": tuple(map(_named, people)),
    }
    return SessionOrder(**(values | fields))


def _named(text: str) -> Named:
    email, _space, role = text.partition(" ")
    return Named(email, email.partition("@")[0].title(), "Doe", role or "learner")


def seated(order: SessionOrder) -> list[tuple[int, str]]:
    """The seats of an order: ordinal, and who sits there (or nothing)."""
    pool = SeatPool.objects.get(line_key=order.line_key)
    live = {one.seat_id: one.email for one in Assignment.objects.filter(seat__pool=pool, ended_at=None)}
    seats = pool.seats.order_by("ordinal").values_list("id", "ordinal")
    return [(ordinal, live.get(pk, "")) for pk, ordinal in seats]


def enrolled(course: Course) -> list[tuple[str, str]]:
    """Who is actively enrolled: address and role."""
    active = Enrolment.objects.filter(course=course, status="active")
    return list(active.order_by("person__email").values_list("person__email", "role"))


def members(course: Course, group: str) -> list[str]:
    """The people of a group."""
    found = course.groups.filter(name=group).values_list("members__person__email", flat=True)
    return sorted(email for email in found if email)
