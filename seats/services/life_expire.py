"""The end by date: what has ended is ended, in sets, and whoever runs it again finds nothing left to do.

Seats in which somebody sits end with their access: the enrolment is suspended. Seats that nobody has end where the
days to give them are over, if their item says so; else they may be given for as long again. A remote platform is told
before the rows are written: what it does not answer for is left to the next time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from common import audit
from common.audit import SYSTEM
from common.zone import iso
from courses.models import ProductEvent
from courses.platform import CoursePlatform, OutcomeState, PlatformAway
from courses.platforms import get_platform
from courses.services import expire_spaces
from courses.services.space_life import EXPIRED
from seats.models import Assignment, Seat, SeatPool, Session, UnassignedEnd
from seats.services.life_rows import CHUNK, KEPT, TO_CREDIT, Reason, events_of, run_hold
from seats.services.locking import lock_account, touch_account
from seats.services.telling import pairs

# Seats that will be given a new time are given it so much before the old one is over: nobody ever finds them expired.
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run has ended. `is_complete`: the course platform answered for everything."""

    seats: int
    spaces: int
    is_complete: bool = True


def run_expire(*, now: datetime) -> Ended:
    """End everything that has ended at `now`: seats, sessions, course spaces. May be repeated and interrupted."""
    given, told = _expire_given(now)
    _expire_sessions(now)
    _keep_unassigned(now)
    unassigned = _expire_unassigned(now)
    try:
        spaces = expire_spaces(now=now)
    except PlatformAway:
        return Ended(given + unassigned, 0, is_complete=False)
    return Ended(given + unassigned, spaces, is_complete=told)


# --- seats that somebody has ------------------------------------------------------------------------


def _due(now: datetime) -> QuerySet[Assignment]:
    return Assignment.objects.filter(state=Assignment.State.LIVE, ended_at=None, ends_at__lte=now)


def _expire_given(now: datetime) -> tuple[int, bool]:
    """End the assignments whose access has ended; returns how many, and whether the platform answered for all."""
    platform = get_platform()
    ended, last, is_complete = 0, 0, True
    while True:
        found = list(_due(now).filter(pk__gt=last).order_by("pk")[:CHUNK])
        told = found
        if platform.is_remote and found:
            try:
                told = _told(platform, found)
            except PlatformAway:
                return ended, False
            is_complete = is_complete and len(told) == len(found)
        ended += sum(_end(account_id, pks, now) for account_id, pks in _by_account(told))
        if len(found) < CHUNK:
            return ended, is_complete
        last = found[-1].pk


def _told(platform: CoursePlatform, found: Sequence[Assignment]) -> list[Assignment]:
    """Those of them whose enrolment a remote platform has ended now. Raises PlatformAway."""
    outcomes = platform.end_enrolments(pairs(found))
    # Into a course that the platform no longer has nobody gets: that is as good as ended.
    fine = (OutcomeState.OK, OutcomeState.REFUSED)
    return [one for one, outcome in zip(found, outcomes, strict=True) if outcome.state in fine]


def _by_account(rows: Iterable[Assignment]) -> list[tuple[int, list[int]]]:
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(row.account_id, []).append(row.pk)
    return sorted(groups.items())


def _end(account_id: int, pks: Sequence[int], now: datetime) -> int:
    platform = get_platform()
    with transaction.atomic():
        lock_account(account_id)
        locked = _due(now).filter(pk__in=pks).select_for_update(no_key=True, of=("self",))
        rows = list(locked.select_related("seat", "course").order_by("pk"))
        if rows and not platform.is_remote:
            platform.end_enrolments(pairs(rows))
        if rows:
            _write_ended(account_id, rows)
    if platform.is_remote and len(rows) < len(pks):
        _tell_the_newest(set(pks) - {row.pk for row in rows})
    return len(rows)


def _tell_the_newest(pks: Collection[int]) -> None:
    """Extended, or given another seat of the course, while the platform was told that it is over for them."""
    for course_id, person_id in Assignment.objects.filter(pk__in=pks).values_list("course", "person"):
        running = Assignment.objects.filter(course=course_id, person=person_id, ended_at=None)
        for reference in list(running.values_list("seat__reference", flat=True)):
            run_hold(reference)


def _write_ended(account_id: int, rows: Sequence[Assignment]) -> None:
    at = timezone.now()
    Assignment.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=Assignment.State.ENDED, ended_at=at, ended_by=SYSTEM.label, end_reason=Reason.EXPIRED
    )
    Seat.objects.filter(pk__in=[row.seat_id for row in rows]).update(expired_at=at)
    details = {row.seat.reference: {"ends": iso(row.ends_at), "course": row.course.shortname} for row in rows}
    ProductEvent.objects.bulk_create(events_of(details, EXPIRED, actor=SYSTEM, at=at))
    _record(account_id, len(rows))


def _record(account_id: int, seats: int) -> None:
    touch_account(account_id)
    audit.record(
        actor=SYSTEM,
        verb="seats.expire",
        object="seats",
        scope=f"account:{account_id}",
        counts={"seats": seats},
    )


# --- sessions -----------------------------------------------------------------------------------------


def _expire_sessions(now: datetime) -> None:
    """Note that sessions are over; their seats end by themselves."""
    due = Session.objects.filter(ends_at__lte=now, expired_at=None, withdrawn_at=None)
    with transaction.atomic():
        sessions = list(due.select_for_update(no_key=True).order_by("pk"))
        if not sessions:
            return
        at = timezone.now()
        Session.objects.filter(pk__in=[session.pk for session in sessions]).update(expired_at=at)
        details = {session.reference: {"ends": iso(session.ends_at)} for session in sessions}
        ProductEvent.objects.bulk_create(events_of(details, EXPIRED, actor=SYSTEM, at=at))


# --- seats that nobody has ----------------------------------------------------------------------------


def _nobody() -> QuerySet[Seat]:
    """Seats that last and in which nobody sits, in the order in which they are locked."""
    live = Assignment.objects.filter(seat=OuterRef("pk"), ended_at=None)
    return Seat.objects.filter(~Exists(live), expired_at=None, withdrawn_at=None).order_by("pk")


def _keep_unassigned(now: datetime) -> None:
    """Give seats their time again, where the item says so and their access does not end on a fixed day anyway."""
    lasting = Q(access_ends_at=None) | Q(access_ends_at__gt=now)
    due = SeatPool.objects.filter(
        lasting, unassigned_end=UnassignedEnd.EXTEND, assign_before__lte=now + AHEAD
    )
    for pk, account_id in list(due.order_by("pk").values_list("pk", "account_id")):
        with transaction.atomic():
            lock_account(account_id)
            pool = due.filter(pk=pk).first()
            if pool is None or pool.assign_before is None:
                continue
            until = _next_time(pool.assign_before, pool.validity_seconds, now)
            SeatPool.objects.filter(pk=pk).update(assign_before=until)
            detail = {"from": iso(pool.assign_before), "until": iso(until)}
            references = _nobody().filter(pool=pk).values_list("reference", flat=True)
            ProductEvent.objects.bulk_create(
                events_of(dict.fromkeys(references, detail), KEPT, actor=SYSTEM, at=timezone.now()),
                batch_size=CHUNK,
            )
            touch_account(account_id)


def _next_time(end: datetime, seconds: int | None, now: datetime) -> datetime | None:
    """The first end after `now` (and a day) that follows by whole periods; none when nobody knows how long one is."""
    if not seconds:
        return None
    period = timedelta(seconds=seconds)
    return end + ((now + AHEAD - end) // period + 1) * period


def _expire_unassigned(now: datetime) -> int:
    """End the seats that nobody has and nobody may be given any more; returns how many."""
    over = Q(access_ends_at__lte=now) | (Q(assign_before__lte=now) & ~Q(unassigned_end=UnassignedEnd.EXTEND))
    due = SeatPool.objects.filter(over).filter(Exists(_nobody().filter(pool=OuterRef("pk"))))
    ended = 0
    for pk, account_id in list(due.order_by("pk").values_list("pk", "account_id")):
        while part := _end_unassigned(due.filter(pk=pk), account_id):
            ended += part
    return ended


def _end_unassigned(due: QuerySet[SeatPool], account_id: int) -> int:
    """The next seats of a pool, in one transaction."""
    with transaction.atomic():
        lock_account(account_id)
        pool = due.first()
        if pool is None:
            return 0
        locked = _nobody().filter(pool=pool).select_for_update(no_key=True, of=("self",))
        seats = dict(locked.values_list("pk", "reference")[:CHUNK])
        if not seats:
            return 0
        at = timezone.now()
        Seat.objects.filter(pk__in=seats).update(expired_at=at)
        ends = [end for end in (pool.assign_before, pool.access_ends_at) if end is not None]
        details = {reference: {"ends": iso(min(ends))} for reference in seats.values()}
        events = events_of(details, EXPIRED, actor=SYSTEM, at=at)
        if pool.unassigned_end == UnassignedEnd.CREDIT:
            owed = {reference: {"order": pool.bill_number} for reference in seats.values()}
            events += events_of(owed, TO_CREDIT, actor=SYSTEM, at=at)
        ProductEvent.objects.bulk_create(events)
        _record(account_id, len(seats))
        return len(seats)
