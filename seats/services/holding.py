"""Finding the assignment of a seat, and saying why it may not be changed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.zone import format_day
from delegation.refusals import Refused
from seats.models import Assignment, Seat
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
        raise Refused("ended", _("This seat has ended: it can no longer be changed."))
    found = sitting_in(seat)
    if not found:
        raise Refused("free", _("Nobody has this seat: there is nothing to change."))
    [assignment] = found
    if assignment.ends_at is not None and assignment.ends_at <= now:
        raise Refused("ended", _("This seat has ended: it can no longer be changed."))
    if assignment.state == Assignment.State.RESERVED:
        raise Refused("busy", _("This seat is just being given. Try again in a moment."))
    if assignment.opened_at is not None:
        raise Refused("started", started_since(assignment.opened_at))
    return assignment


def started_since(at: datetime) -> Promise | str:
    """Why a seat can no longer change hands."""
    return format_lazy(_("This seat was started on {day}: it can no longer change hands."), day=_lazy_day(at))


def until(at: datetime | None) -> Promise | str:
    """That somebody is enrolled already."""
    if at is None:
        return _("This person is already enrolled in the course, with no end date: no seat is needed.")
    return format_lazy(
        _("This person is already enrolled in the course until {day}: no seat is needed."), day=_lazy_day(at)
    )


_lazy_day = lazy(format_day, str)
