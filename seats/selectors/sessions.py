"""Training sessions: those of an account, and who of a session is in somebody else's group as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from courses.platforms import get_platform
from seats.models import Assignment, AssignmentBatch, Session
from seats.selectors.pools import PoolCounts, pool_counts

Reason = Assignment.EndReason


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as My products shows it. `pool` has its seats in numbers."""

    reference: str
    account_id: int
    course_id: int
    course: str  # short name
    course_name: str
    group: str
    starts_at: datetime
    ends_at: datetime | None
    pool: PoolCounts


def sessions_of(account_id: int) -> list[SessionRow]:
    """The sessions of an account, oldest purchase first. Two queries while figures are cached."""
    pools = {pool.pool_id: pool for pool in pool_counts(account_id)}
    found = {session.pool_id: session for session in _sessions().filter(account=account_id)}
    return [_row(found[pk], pool) for pk, pool in pools.items() if pk in found]


def find_session(reference: str, *, account_id: int | None = None) -> SessionRow:
    """One session by its reference. Raises Session.DoesNotExist; with `account_id` also for another account's."""
    sessions = _sessions()
    session = sessions.get(reference=reference, **({} if account_id is None else {"account": account_id}))
    pools = {pool.pool_id: pool for pool in pool_counts(session.account_id)}
    return _row(session, pools[session.pool_id])


def is_enrolled(course_id: int, person_id: int) -> bool:
    """Whether somebody sits in a seat of a course, or is enrolled in it otherwise, as far as can be told at once.

    A remote platform is not asked (DESIGN section 6): there only our own seats count. At most two queries.
    """
    running = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    if Assignment.objects.filter(running, course=course_id, person=person_id, ended_at=None).exists():
        return True
    platform = get_platform()
    return not platform.is_remote and platform.active_enrolments([(course_id, person_id)]) != [None]


def other_customers_groups(batch: AssignmentBatch) -> set[tuple[int, str]]:
    """(person, group) of the people of a list whom other customers have put into groups of the same course.

    Whose seat was taken back has left the group; whose access has merely ended is still in it. One query.
    """
    found = Assignment.objects.filter(
        Q(ended_at=None) | Q(end_reason__in=[Reason.EXPIRED, Reason.WITHDRAWN]),
        course=batch.course_id,
        person__email_key__in=batch.rows.order_by().values("email_key"),
    )
    others = found.exclude(account=batch.account_id).exclude(group_name="")
    return {
        (person_id, group)
        for person_id, group in others.values_list("person_id", "group_name")
        if person_id is not None
    }


def _sessions() -> QuerySet[Session]:
    return Session.objects.select_related("course")


def _row(session: Session, pool: PoolCounts) -> SessionRow:
    return SessionRow(
        reference=session.reference,
        account_id=session.account_id,
        course_id=session.course_id,
        course=session.course.shortname,
        course_name=session.course.fullname,
        group=session.group_name,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        pool=pool,
    )
