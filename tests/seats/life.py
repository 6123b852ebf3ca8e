"""What tests of the life of products share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import CustomerAccount
from courses.models import Course, ProductEvent
from seats.models import Session
from seats.services import set_up_session
from tests.seats.sessions import ordered

DAY = timedelta(days=1)


def session_of(
    account: CustomerAccount, course: Course, *people: str, days: int = 10, **fields: Any
) -> Session:
    """A delivered session from now on."""
    now = timezone.now()
    dates: dict[str, Any] = {"starts_at": now, "ends_at": now + days * DAY, "purchased_at": now}
    done = set_up_session(ordered(course, *people, account=account, **(dates | fields)))
    return Session.objects.get(reference=done.reference)


def verbs(reference: str) -> list[str]:
    """What happened to a product, in order."""
    return list(ProductEvent.objects.filter(reference=reference).values_list("verb", flat=True))


def details(reference: str) -> list[dict[str, Any]]:
    return list(ProductEvent.objects.filter(reference=reference).values_list("detail", flat=True))
