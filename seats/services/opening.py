"""A seat is started when its participant opens the course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from courses.platforms import get_platform
from courses.services import open_course
from delegation.services import accept_all
from seats.models import Assignment
from seats.services.locking import lock_account, touch_account
from seats.services.telling import pairs

CHUNK = 500  # people per statement

Opened = tuple[Assignment, datetime]
"""An assignment, and when its participant was in the course."""


def record_opening(*, person_id: int, course_id: int) -> bool:
    """A person is in a course of the built-in platform; returns whether for the first time in this enrolment.

    His seat, if he sits in one, is started from now on, and the account that gave it sees his own name. Called at
    every view: one query once all is recorded, besides those of `courses.services.open_course`.
    """
    unopened = Assignment.objects.filter(
        person=person_id, course=course_id, ended_at=None, state=Assignment.State.LIVE, opened_at=None
    )
    assignment = unopened.first()
    if assignment is None:
        return open_course(person_id=person_id, course_id=course_id)
    with transaction.atomic():
        lock_account(assignment.account_id)
        is_first = open_course(person_id=person_id, course_id=course_id, since=assignment.created_at)
        # Not everybody who asks gets in: the course may be hidden, or the access may start later.
        _mark(_opened([assignment]), assignment.account_id)
    return is_first


def note_openings(assignments: Sequence[Assignment]) -> None:
    """Ask the platform which of these assignments (of one account) have been opened meanwhile, and write it down.

    Raises PlatformAway.
    """
    _note([one for one in assignments if one.opened_at is None and one.state == Assignment.State.LIVE])


def run_note_openings(*, now: datetime) -> int:
    """Ask a remote platform, course by course, which seats have been started; returns how many were found.

    A local one tells by itself. May be interrupted; raises PlatformAway, and what was found before stays written.
    """
    if not get_platform().is_remote:
        return 0
    running = Q(ends_at=None) | Q(ends_at__gt=now)
    unopened = Assignment.objects.filter(
        running, state=Assignment.State.LIVE, ended_at=None, opened_at=None, starts_at__lte=now
    )
    found = 0
    for course_id in sorted(unopened.order_by().values_list("course", flat=True).distinct()):
        rows = list(unopened.filter(course=course_id).order_by("account_id", "pk"))
        # Whole courses: the platform tells of everybody in one anyway.
        opened = _opened(rows)
        for account_id, theirs in groupby(opened, key=lambda told: told[0].account_id):
            found += _write(list(theirs), account_id)
    return found


def _note(unopened: Sequence[Assignment]) -> None:
    opened = _opened(unopened)
    if opened:
        _write(opened, unopened[0].account_id)


def _write(opened: Sequence[Opened], account_id: int) -> int:
    with transaction.atomic():
        lock_account(account_id)
        return _mark(opened, account_id)


def _opened(assignments: Sequence[Assignment]) -> list[Opened]:
    if not assignments:
        return []
    platform = get_platform()
    told = platform.opened(pairs(assignments))
    # Some platforms tell the last visit, or keep one from an earlier enrolment: only what came after counts. A remote
    # one tells whole seconds.
    return [
        (one, at)
        for one, at in zip(assignments, told, strict=True)
        if at is not None
        and at >= (one.created_at.replace(microsecond=0) if platform.is_remote else one.created_at)
    ]


def _mark(opened: Sequence[Opened], account_id: int) -> int:
    """Write it down where it was not; a statement for 500 people, and one for all delegations."""
    if not opened:
        return 0
    now = timezone.now()
    for one, at in opened:
        one.opened_at = min(at, now)
    waiting = Assignment.objects.filter(ended_at=None, opened_at=None)
    marked = waiting.bulk_update([one for one, _at in opened], ["opened_at"], batch_size=CHUNK)
    accept_all(account_id=account_id, person_ids=[one.holder_id for one, _at in opened])
    if marked:
        touch_account(account_id)
    return marked
