"""The state of a seat: a rule over rows and dates, never a column (DESIGN section 7)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, CharField, FilteredRelation, Q, QuerySet, Value, When
from django.utils import timezone

from seats.models import Assignment, Seat

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class SeatState(StrEnum):
    """The states, in the order in which the first that applies holds."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONSUMED = "consumed"
    ASSIGNED = "assigned"
    RESERVED = "reserved"
    FREE = "free"


class Annotated(TypedDict):
    """What `seats_with_state` adds."""

    state: str
    live: Assignment


if TYPE_CHECKING:
    SeatsWithState = QuerySet[WithAnnotations[Seat, Annotated]]
else:
    SeatsWithState = QuerySet


def seat_states(now: datetime) -> Case:
    """The state at `now`, for a query over seats annotated with their `live` assignment (`seats_with_state`).

    A given seat expires with its access; a seat nobody sits in when it may no longer be given.
    """
    nobody = Q(live__id=None)
    too_late = Q(pool__assign_before__lte=now) | Q(pool__access_ends_at__lte=now)
    expired = Q(expired_at__isnull=False) | Q(live__ends_at__lte=now) | (nobody & too_late)
    return Case(
        When(withdrawn_at__isnull=False, then=Value(SeatState.WITHDRAWN.value)),
        When(expired, then=Value(SeatState.EXPIRED.value)),
        When(nobody, then=Value(SeatState.FREE.value)),
        When(live__state=Assignment.State.RESERVED, then=Value(SeatState.RESERVED.value)),
        When(live__opened_at__isnull=False, then=Value(SeatState.CONSUMED.value)),
        default=Value(SeatState.ASSIGNED.value),
        output_field=CharField(),
    )


def seats_with_state(now: datetime | None = None) -> SeatsWithState:
    """Every seat, with its `live` assignment joined and its `state` at `now`."""
    live = FilteredRelation("assignments", condition=Q(assignments__ended_at=None))
    return Seat.objects.annotate(live=live).annotate(state=seat_states(now or timezone.now()))
