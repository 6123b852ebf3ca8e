"""What is known about the people of a list, and the verdict that follows (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from accounts.models import Person
from courses.platform import CoursePlatform
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Verdict
from seats.selectors.covering import covering_pools
from seats.selectors.pools import PoolCounts, pool_counts

USES_A_SEAT = frozenset({Verdict.NEW_ACCOUNT, Verdict.EXISTING_ACCOUNT})
# Settled when the list is entered: no seat and no platform can change them.
SETTLED = frozenset({Verdict.INVALID, Verdict.DUPLICATE})


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
    """A row with its verdict; `person_id` is none when nobody has this address yet."""

    row: AssignmentRow
    person_id: int | None
    verdict: Verdict
    detail: dict[str, object] = field(default_factory=dict)


def offered(batch: AssignmentBatch) -> Offered:
    """What the account has for this list. Without any seat that covers the course nothing is told about people."""
    owned = pool_counts(batch.account_id)
    pools = covering_pools(owned, batch.course, pool_id=batch.pool_id)
    if pools or not owned:
        return Offered(pools)
    return Offered([], Verdict.NOT_ALLOWED)


def open_rows(
    batch: AssignmentBatch, *, limit: int | None = None, unseated: bool = False
) -> list[tuple[AssignmentRow, int | None]]:
    """The first rows that have no outcome yet, each with the person of its address. One query.

    `unseated`: without those for which a seat is reserved.
    """
    person = Person.objects.filter(email_key=OuterRef("email_key")).values("pk")[:1]
    rows = AssignmentRow.objects.filter(batch=batch, outcome="").order_by("position")
    if unseated:
        rows = rows.filter(assignment=None)
    return [(row, row.known) for row in rows.annotate(known=Subquery(person))[:limit]]


def enrolled_until(
    platform: CoursePlatform, course_id: int, person_ids: Iterable[int], *, now: datetime
) -> dict[int, datetime | None]:
    """Those of the people who are enrolled on the platform, with the end of it (none: unlimited or not told)."""
    pairs = [(course_id, person_id) for person_id in person_ids]
    if not pairs:
        return {}
    told = platform.active_enrolments(pairs, now=now)
    return {found.person_id: found.ends_at for found in told if found is not None}


def seated_until(course_id: int, person_ids: Sequence[int], *, now: datetime) -> dict[int, datetime | None]:
    """Those of the people who sit in somebody's seat of the course, with the end of it."""
    if not person_ids:
        return {}
    running = Q(ends_at=None) | Q(ends_at__gt=now)
    found = Assignment.objects.filter(running, course=course_id, person__in=person_ids, ended_at=None)
    return {
        person_id: ends_at
        for person_id, ends_at in found.values_list("person_id", "ends_at")
        if person_id is not None
    }


def judge(
    rows: Iterable[tuple[AssignmentRow, int | None]],
    offer: Offered | None,
    enrolled: dict[int, datetime | None],
) -> list[Judged]:
    """The verdict of each row as if seats had no end: who may have one is decided where they are counted.

    Without an offer there is a seat for everybody.
    """
    judged = []
    for row, person_id in rows:
        detail: dict[str, object] = {}
        if row.planned_verdict in SETTLED:
            verdict, detail = Verdict(row.planned_verdict), row.detail
        elif offer is not None and not offer.pools:
            verdict = offer.otherwise
        elif person_id is not None and person_id in enrolled:
            verdict, detail = Verdict.ALREADY_ENROLLED, ends_detail(enrolled[person_id])
        else:
            verdict = Verdict.NEW_ACCOUNT if person_id is None else Verdict.EXISTING_ACCOUNT
        judged.append(Judged(row, person_id, verdict, detail))
    return judged


def ends_detail(ends_at: datetime | None) -> dict[str, object]:
    """What a row keeps of an enrolment that is there already: `{"ends": ISO 8601 or null}`."""
    return {"ends": ends_at.isoformat() if ends_at else None}
