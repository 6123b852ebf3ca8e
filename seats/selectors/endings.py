"""What ends soon, by account: seats that people have, the time to give free ones, sessions, course spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate

from common.zone import seller_zone
from courses.models import CourseSpace
from seats.models import Assignment, EndingNotice, Seat, SeatPool, Session
from seats.selectors.states import SeatState, seats_with_state

# An end at midnight is the end of the day before: that is the last day.
_INSTANT = timedelta(microseconds=1)


class EndingKind(StrEnum):
    """What ends: the value begins the subject of its notice (`seats.models.EndingNotice`)."""

    SEATS = "seats"  # access of people in seats of a pool, on one day
    VALIDITY = "validity"  # the time to give free seats of a pool
    SESSION = "session"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Ending:
    """Something whose last day (in the seller's zone) is `ends_on`; `number` of seats, where seats end."""

    account_id: int
    kind: EndingKind
    name: str  # the id of a pool, or the reference of a session or space
    ends_on: date
    number: int = 0

    @property
    def subject(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class EndingLine:
    """Something that ends, as a notice tells it. `ends_at` is exclusive; of several seats the first end."""

    kind: EndingKind
    item_name: str
    bill_number: str
    ends_at: datetime
    reference: str = ""  # of a session or space
    course: str = ""  # its full name
    number: int = 0  # of seats
    people: tuple[str, ...] = ()  # who sits in them, as the account typed it
    unassigned_end: str = ""  # what follows for free seats


def endings(now: datetime, until: datetime, *, account_id: int | None = None) -> list[Ending]:
    """Everything that ends after `now` and up to `until`, of one account or of all. Seven queries."""
    mine = {} if account_id is None else {"account": account_id}
    return [
        *_seats(Assignment.objects.filter(**mine), now, until),
        *_validities(SeatPool.objects.filter(**mine), now, until),
        *_sessions(Session.objects.filter(**mine), now, until),
        *_spaces(CourseSpace.objects.filter(**mine), now, until),
    ]


def told_endings(account_id: int, told_on: date, *, now: datetime) -> list[EndingLine]:
    """What the notices of that day are about and still ends then, the earliest first. At most seven queries."""
    notices = EndingNotice.objects.filter(account=account_id, told_on=told_on).values_list(
        "subject", "ends_on"
    )
    days: dict[EndingKind, dict[str, set[date]]] = {kind: {} for kind in EndingKind}
    for subject, ends_on in notices:
        kind, _colon, name = subject.partition(":")
        days[EndingKind(kind)].setdefault(name, set()).add(ends_on)
    lines = [
        *_seat_lines(days[EndingKind.SEATS], now),
        *_validity_lines(days[EndingKind.VALIDITY], now),
        *_session_lines(days[EndingKind.SESSION], now),
        *_space_lines(days[EndingKind.SPACE], now),
    ]
    return sorted(lines, key=lambda line: line.ends_at)


def last_day(end: datetime) -> date:
    """The last day of something that ends at this instant."""
    return (end.astimezone(seller_zone()) - _INSTANT).date()


# --- which ------------------------------------------------------------------------------------------

_WITH_SESSION = Q(seat__pool__session__isnull=False, ends_at=F("seat__pool__session__ends_at"))


def _seats(assignments: QuerySet[Assignment], now: datetime, until: datetime) -> list[Ending]:
    """People in seats; who ends with his session is not told by himself."""
    due = assignments.filter(ended_at=None, ends_at__gt=now, ends_at__lte=until).exclude(_WITH_SESSION)
    day = TruncDate(F("ends_at") - _INSTANT, tzinfo=seller_zone())
    groups = due.order_by().annotate(day=day).values_list("account", "seat__pool", "day")
    return [
        Ending(account_id, EndingKind.SEATS, str(pool_id), ends_on, number)
        for account_id, pool_id, ends_on, number in groups.annotate(Count("pk")).order_by("day", "seat__pool")
    ]


def _validities(pools: QuerySet[SeatPool], now: datetime, until: datetime) -> list[Ending]:
    """Free seats; those of a session end with it."""
    soon = Q(assign_before__gt=now, assign_before__lte=until) | Q(
        access_ends_at__gt=now, access_ends_at__lte=until
    )
    due = list(pools.filter(soon, session=None).order_by("pk"))
    free = _free(due, now)
    return [
        Ending(pool.account_id, EndingKind.VALIDITY, str(pool.pk), last_day(_end_of(pool)), free[pool.pk])
        for pool in due
        if pool.pk in free
    ]


def _free(pools: Collection[SeatPool], now: datetime) -> dict[int, int]:
    """How many free seats each of these pools has, if any. One query."""
    seats = seats_with_state(now).filter(pool__in=[pool.pk for pool in pools], state=SeatState.FREE)
    return dict(seats.order_by().values_list("pool").annotate(Count("pk")))


def _end_of(pool: SeatPool) -> datetime:
    """When free seats of a pool may no longer be given."""
    return min(end for end in (pool.assign_before, pool.access_ends_at) if end is not None)


def _sessions(sessions: QuerySet[Session], now: datetime, until: datetime) -> list[Ending]:
    due = sessions.filter(ends_at__gt=now, ends_at__lte=until, withdrawn_at=None).order_by("pk")
    seats = Seat.objects.filter(pool__in=due.order_by().values("pool"), withdrawn_at=None, expired_at=None)
    lasting: dict[int, int] = dict(seats.order_by().values_list("pool").annotate(Count("pk")))
    return [
        Ending(
            session.account_id,
            EndingKind.SESSION,
            session.reference,
            last_day(session.ends_at),
            lasting[session.pool_id],
        )
        for session in due
        if session.ends_at is not None and session.pool_id in lasting
    ]


def _spaces(spaces: QuerySet[CourseSpace], now: datetime, until: datetime) -> list[Ending]:
    due = spaces.filter(ends_at__gt=now, ends_at__lte=until, withdrawn_at=None).order_by("pk")
    return [
        Ending(space.account_id, EndingKind.SPACE, space.reference, last_day(space.ends_at)) for space in due
    ]


# --- in words -----------------------------------------------------------------------------------------


def _seat_lines(days: dict[str, set[date]], now: datetime) -> Iterable[EndingLine]:
    if not days:
        return
    running = Assignment.objects.filter(ended_at=None, ends_at__gt=now, seat__pool__in=list(map(int, days)))
    found = running.exclude(_WITH_SESSION).select_related("seat__pool", "course").order_by("ends_at", "pk")
    groups: dict[tuple[int, date], list[Assignment]] = {}
    for one in found:
        if one.ends_at is not None and last_day(one.ends_at) in days[str(one.seat.pool_id)]:
            groups.setdefault((one.seat.pool_id, last_day(one.ends_at)), []).append(one)
    for members in groups.values():
        first = members[0]
        assert first.ends_at is not None  # noqa: S101 - only those with an end are grouped
        yield EndingLine(
            EndingKind.SEATS,
            first.seat.pool.item_name,
            first.seat.pool.bill_number,
            first.ends_at,
            number=len(members),
            people=tuple(
                f"{one.first_name} {one.last_name}".strip() or one.email.partition("@")[0] for one in members
            ),
        )


def _validity_lines(days: dict[str, set[date]], now: datetime) -> Iterable[EndingLine]:
    pools = list(SeatPool.objects.filter(pk__in=list(map(int, days)))) if days else []
    free = _free(pools, now) if pools else {}
    for pool in pools:
        ends = [end for end in (pool.assign_before, pool.access_ends_at) if end is not None]
        if pool.pk in free and ends and last_day(min(ends)) in days[str(pool.pk)]:
            # The access ends then: there is no time to give again.
            fixed = pool.access_ends_at is not None and pool.access_ends_at == min(ends)
            follows = pool.unassigned_end if not fixed or pool.unassigned_end != "extend" else "nothing"
            yield EndingLine(
                EndingKind.VALIDITY,
                pool.item_name,
                pool.bill_number,
                min(ends),
                number=free[pool.pk],
                unassigned_end=follows,
            )


def _session_lines(days: dict[str, set[date]], now: datetime) -> Iterable[EndingLine]:
    if not days:
        return
    sessions = Session.objects.filter(reference__in=list(days), ends_at__gt=now, withdrawn_at=None)
    counted = sessions.annotate(
        number=Count("pool__seats", filter=Q(pool__seats__withdrawn_at=None, pool__seats__expired_at=None))
    )
    for session in counted.select_related("pool", "course").order_by("pk"):
        if session.ends_at is not None and last_day(session.ends_at) in days[session.reference]:
            yield EndingLine(
                EndingKind.SESSION,
                session.pool.item_name,
                session.pool.bill_number,
                session.ends_at,
                reference=session.reference,
                course=session.course.fullname,
                number=session.number,
            )


def _space_lines(days: dict[str, set[date]], now: datetime) -> Iterable[EndingLine]:
    if not days:
        return
    spaces = CourseSpace.objects.filter(reference__in=list(days), ends_at__gt=now, withdrawn_at=None)
    for space in spaces.select_related("course").order_by("pk"):
        if last_day(space.ends_at) in days[space.reference]:
            yield EndingLine(
                EndingKind.SPACE,
                space.item_name,
                space.bill_number,
                space.ends_at,
                reference=space.reference,
                course=space.course.fullname,
            )
