"""Finding the assignment of a seat, and saying why it may not be changed."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from courses.platforms import get_platform
from seats.models import Assignment, Seat, SeatChange
from seats.selectors.refusing import refusal, started
from seats.services.locking import lock_account


def find(reference: str, account_id: int | None) -> Seat:
    """A seat by its reference. Raises Seat.DoesNotExist; with `account_id` also for another account's seat."""
    seats = Seat.objects.filter(reference=reference)
    return seats.get() if account_id is None else seats.get(account=account_id)


def sitting_in(seat: Seat) -> list[Assignment]:
    """Who sits in the seat, with everything about him: one or nobody."""
    return list(_running().filter(seat=seat))


def given_to(account_id: int, person_id: int) -> list[Assignment]:
    """Who this person is in the seats of an account: one assignment per course, by seat."""
    return list(_running().filter(account=account_id, person=person_id).order_by("seat_id"))


def _running() -> QuerySet[Assignment]:
    return Assignment.objects.filter(ended_at=None).select_related("person", "course", "seat__pool")


def hold(seat: Seat) -> Assignment:
    """The assignment of a seat that may still be changed, under the locks of account and seat.

    Raises Refused with the code `free`, `ended`, `busy` or `started`.
    """
    lock_account(seat.account_id)
    seat = Seat.objects.select_for_update(no_key=True).get(pk=seat.pk)
    now = timezone.now()
    if seat.withdrawn_at is not None or seat.expired_at is not None:
        raise refusal("ended")
    found = sitting_in(seat)
    if not found:
        raise refusal("free")
    [assignment] = found
    if assignment.ends_at is not None and assignment.ends_at <= now:
        raise refusal("ended")
    if assignment.state == Assignment.State.RESERVED:
        raise refusal("busy")
    if assignment.opened_at is not None:
        raise started(assignment.opened_at)
    return assignment


def is_changing(seat_ids: Collection[int]) -> bool:
    """Whether somebody has changed his mind about one of these seats and the platform has not been told yet.

    A local platform is told at once: then there is nothing to ask.
    """
    if not get_platform().is_remote:
        return False
    return SeatChange.objects.filter(seat__in=seat_ids, state__in=SeatChange.OPEN).exists()
