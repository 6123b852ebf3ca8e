"""A seat is started when its participant opens the course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from courses.platforms import get_platform
from courses.services import open_course
from delegation.services import accept
from seats.models import Assignment
from seats.services.locking import lock_account, touch_account
from seats.services.telling import pairs


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
    unopened = [one for one in assignments if one.opened_at is None and one.state == Assignment.State.LIVE]
    opened = _opened(unopened)
    if not opened:
        return
    with transaction.atomic():
        lock_account(assignments[0].account_id)
        _mark(opened, assignments[0].account_id)


def _opened(assignments: Sequence[Assignment]) -> list[tuple[Assignment, datetime]]:
    if not assignments:
        return []
    told = get_platform().opened(pairs(assignments))
    # Some platforms tell the last visit, or keep one from an earlier enrolment: only what came after counts.
    return [
        (one, at)
        for one, at in zip(assignments, told, strict=True)
        if at is not None and at >= one.created_at
    ]


def _mark(opened: Sequence[tuple[Assignment, datetime]], account_id: int) -> None:
    marked = 0
    for one, at in opened:
        waiting = Assignment.objects.filter(pk=one.pk, ended_at=None, opened_at=None)
        marked += waiting.update(opened_at=min(at, timezone.now()))
        accept(account_id=account_id, person_id=one.holder_id)
    if marked:
        touch_account(account_id)
