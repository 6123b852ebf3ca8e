"""Who has come into the course spaces of a remote platform: it is asked now and then, because it tells nothing by itself."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from courses.models import CourseSpace, Enrolment
from courses.platforms import get_platform
from delegation.services import accept_all

CHUNK = 500  # people per statement


def run_note_space_openings(*, now: datetime) -> int:
    """Ask a remote platform, course by course, who of its open spaces has come; returns how many came first now.

    The account that put somebody in sees his own name from then on. A local platform tells by itself. May be
    interrupted; raises PlatformAway, and what was found before stays written.
    """
    if not get_platform().is_remote:
        return 0
    spaces = CourseSpace.objects.filter(withdrawn_at=None, closed_at=None, ends_at__gt=now).order_by("pk")
    return sum(_note(space, now) for space in list(spaces))


def _note(space: CourseSpace, now: datetime) -> int:
    waiting = (
        Enrolment.objects.holding(now=now)
        .filter(course=space.course_id, starts_at__lte=now)
        .exclude(opened_at__gte=F("starts_at"))
    )
    rows = list(waiting.order_by("pk"))
    if not rows:
        return 0
    told = get_platform().opened([(row.course_id, row.person_id) for row in rows])
    come: list[Enrolment] = []
    for row, at in zip(rows, told, strict=True):
        # A remote platform tells whole seconds.
        if at is not None and at >= row.starts_at.replace(microsecond=0):
            row.opened_at = max(row.starts_at, min(at, now))
            come.append(row)
    if come:
        with transaction.atomic():
            Enrolment.objects.bulk_update(come, ["opened_at"], batch_size=CHUNK)
            accept_all(account_id=space.account_id, person_ids=[row.person_id for row in come])
    return len(come)
