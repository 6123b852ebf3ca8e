"""What is known about the people of a list, and the verdict that follows (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from accounts.models import Person
from courses.platform import CoursePlatform, KnownEnd
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Verdict
from seats.selectors.covering import covering_pools
from seats.selectors.pools import PoolCounts, pool_counts

USES_A_SEAT = frozenset({Verdict.NEW_ACCOUNT, Verdict.EXISTING_ACCOUNT})
# Settled when the list is entered: no seat and no platform can change them.
SETTLED = frozenset({Verdict.INVALID, Verdict.DUPLICATE})

Row = tuple[AssignmentRow, int | None]
"""A row of a list, and the person of its address if there is one."""

Ends = dict[int, KnownEnd | None]
"""By person: the end of his enrolment; none where a remote platform does not tell it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The pools a list may take seats from, in order, or why there are none."""

    pools: list[PoolCounts]
    otherwise: Verdict = Verdict.NO_SEAT

    @property
    def free(self) -> int:
        return sum(pool.free for pool in self.pools)


@dataclass(slots=True)
class Judged:
    """A row with its verdict; `person_id` is none when nobody here has this address yet.

    `is_stranger`: somebody who is no row of ours has it on the platform, so that no login is made for it.
    """

    row: AssignmentRow
    person_id: int | None
    verdict: Verdict
    detail: dict[str, object] = field(default_factory=dict)
    is_stranger: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Who of the people of some rows is enrolled already.

    `strangers` have a login on a remote platform and are no rows of ours: by `email_key`, whether they are enrolled.
    """

    enrolled: Ends = field(default_factory=dict)
    strangers: dict[str, bool] = field(default_factory=dict)


NOBODY = Found()


def offered(batch: AssignmentBatch) -> Offered:
    """What the account has for this list. Without any seat that covers the course nothing is told about people."""
    owned = pool_counts(batch.account_id)
    pools = covering_pools(owned, batch.course, pool_id=batch.pool_id)
    if pools or not owned:
        return Offered(pools)
    return Offered([], Verdict.NOT_ALLOWED)


def open_rows(batch: AssignmentBatch, *, limit: int | None = None, unseated: bool = False) -> list[Row]:
    """The first rows that have no outcome yet, each with the person of its address. One query.

    `unseated`: without those for which a seat is reserved.
    """
    person = Person.objects.filter(email_key=OuterRef("email_key")).values("pk")[:1]
    rows = AssignmentRow.objects.filter(batch=batch, outcome="").order_by("position")
    if unseated:
        rows = rows.filter(assignment=None)
    return [(row, row.known) for row in rows.annotate(known=Subquery(person))[:limit]]


def look(platform: CoursePlatform, course_id: int, rows: Iterable[Row], *, now: datetime) -> Found:
    """Ask the platform about the people of these rows. Raises PlatformAway."""
    asked = [(row, person_id) for row, person_id in rows if row.planned_verdict not in SETTLED]
    enrolled = enrolled_until(
        platform, course_id, [person_id for _row, person_id in asked if person_id is not None], now=now
    )
    unknown = [row for row, person_id in asked if person_id is None]
    # On a local platform whoever has a login is a row of ours.
    if not unknown or not platform.is_remote:
        return Found(enrolled)
    told = platform.strangers(course_id, [row.email for row in unknown], now=now)
    strangers = {
        row.email_key: stranger.is_enrolled
        for row, stranger in zip(unknown, told, strict=True)
        if stranger is not None
    }
    return Found(enrolled, strangers)


def enrolled_until(
    platform: CoursePlatform, course_id: int, person_ids: Iterable[int], *, now: datetime
) -> Ends:
    """Those of the people who are enrolled on the platform."""
    pairs = [(course_id, person_id) for person_id in person_ids]
    if not pairs:
        return {}
    told = platform.active_enrolments(pairs, now=now)
    return {
        found.person_id: KnownEnd(found.ends_at) if found.dates_known else None
        for found in told
        if found is not None
    }


def seated_until(course_id: int, person_ids: Sequence[int], *, now: datetime) -> Ends:
    """Those of the people who sit in somebody's seat of the course."""
    if not person_ids:
        return {}
    running = Q(ends_at=None) | Q(ends_at__gt=now)
    found = Assignment.objects.filter(running, course=course_id, person__in=person_ids, ended_at=None)
    return {
        person_id: KnownEnd(ends_at)
        for person_id, ends_at in found.values_list("person_id", "ends_at")
        if person_id is not None
    }


def judge(
    rows: Iterable[Row], offer: Offered | None, found: Found, *, seated: Mapping[int, KnownEnd | None]
) -> list[Judged]:
    """The verdict of each row as if seats had no end: who may have one is decided where they are counted.

    Without an offer there is a seat for everybody.
    """
    judged = []
    for row, person_id in rows:
        detail: dict[str, object] = {}
        is_stranger = person_id is None and row.email_key in found.strangers
        if row.planned_verdict in SETTLED:
            verdict, detail = Verdict(row.planned_verdict), row.detail
        elif offer is not None and not offer.pools:
            verdict = offer.otherwise
        elif person_id is not None and (person_id in found.enrolled or person_id in seated):
            end = found.enrolled.get(person_id) or seated.get(person_id)
            verdict, detail = Verdict.ALREADY_ENROLLED, ends_detail(end)
        elif is_stranger and found.strangers[row.email_key]:
            verdict = Verdict.ALREADY_ENROLLED
        elif person_id is None and not is_stranger:
            verdict = Verdict.NEW_ACCOUNT
        else:
            verdict = Verdict.EXISTING_ACCOUNT
        judged.append(Judged(row, person_id, verdict, detail, is_stranger))
    return judged


def ends_detail(end: KnownEnd | None) -> dict[str, object]:
    """What a row keeps of an enrolment that is there already: `{"ends": ISO 8601 or null}`; `{}` when it is not told."""
    if end is None:
        return {}
    return {"ends": end.ends_at.isoformat() if end.ends_at else None}
