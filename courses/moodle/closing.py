"""Closing a course for everybody, and opening it again for those who were let in before.

Closed is hidden, which keeps participants out, and suspended, which also keeps those out who may see hidden courses:
each enrolment that our record says is active is suspended with the dates we know, and our record goes on saying that
it is active. So it knows whom to let in again. Who has no row of ours was enrolled by somebody of the site: he is kept
out by the hidden course alone, and his enrolment is never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from courses.models import Course, Enrolment
from courses.moodle import logins
from courses.moodle.client import warnings_of
from courses.moodle.connection import Connection
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.moodle.mirror import MANUAL, Told, find_course
from courses.moodle.participants import ids_of
from courses.platform import OK, UNKNOWN, Outcome, OutcomeState, Refusal, refused

CLOCKS = timedelta(minutes=5)
"""How near to now a start or an end is not judged: Moodle's clock is another one, and it rounds."""

Tell = Callable[[list[Enrolment], bool], list[Outcome]]
"""Tells Moodle of rows of ours, suspended or not, whatever they say themselves."""


def close(connection: Connection, course_id: int, tell: Tell) -> Outcome:
    """May be repeated after a crash at any step: our row says that it is being closed before Moodle is told."""
    with connection.writing():
        found = _find(connection, course_id)
        if found is None:
            return refused(Refusal.UNKNOWN_COURSE)
        course, there = found
        if course.closed_at is None:
            _begin(connection, course, there)
        outcome = _show(connection, course, visible=False)
        if not outcome.ok:
            return outcome
        told = tell(list(_let_in(course)), True)
        return UNKNOWN if any(one.state is OutcomeState.UNKNOWN for one in told) else OK


def reopen(connection: Connection, course_id: int, tell: Tell) -> Outcome:
    """May be repeated: our row says that it is closed until everybody is let in who was before."""
    with connection.writing():
        found = _find(connection, course_id)
        if found is None:
            return refused(Refusal.UNKNOWN_COURSE)
        course, _there = found
        if course.closed_at is None:
            return OK
        told = tell(list(_let_in(course)), False)
        if any(one.state is OutcomeState.UNKNOWN for one in told):
            return UNKNOWN
        outcome = _show(connection, course, visible=course.visible)
        if outcome.ok:
            Course.objects.filter(pk=course.pk).update(closed_at=None)
        return outcome


def _find(connection: Connection, course_id: int) -> tuple[Course, Told] | None:
    """Our row of the course, and the course as the site tells it now."""
    course = Course.objects.filter(pk=course_id, remote_id__isnull=False).first()
    there = None if course is None else find_course(connection, "id", course.remote_id)
    return None if course is None or there is None else (course, there)


def _begin(connection: Connection, course: Course, there: Told) -> None:
    """Note how the course is now, because that is how it is to open again.

    Whoever was suspended or taken out on the site itself counts as suspended from here.
    """
    now = timezone.now()
    kept_out: list[int] = []
    if MANUAL in there.get("enrollmentmethods", ()):
        rows = list(_let_in(course).filter(_in_the_middle(now)))
        users = logins.confirmed_ids(row.person_id for row in rows)
        active = ids_of(connection, int(there["id"]), only_active=True) if rows else set()
        kept_out = [row.pk for row in rows if users.get(row.person_id) not in active]
    with transaction.atomic():
        Enrolment.objects.filter(pk__in=kept_out).update(status=Enrolment.Status.SUSPENDED)
        Course.objects.filter(pk=course.pk).update(closed_at=now, visible=bool(int(there.get("visible", 1))))


def _in_the_middle(now: datetime) -> Q:
    lasts = Q(ends_at=None) | Q(ends_at__gt=now + CLOCKS)
    return lasts & Q(starts_at__lt=now - CLOCKS)


def _let_in(course: Course) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(course=course, status=Enrolment.Status.ACTIVE).order_by("pk")


def _show(connection: Connection, course: Course, *, visible: bool) -> Outcome:
    item = {"visible": int(visible), "id": course.remote_id}
    try:
        answer = connection.write("core_course_update_courses", {"courses": [item]})
    except OutcomeUnknown:
        return UNKNOWN
    except MoodleRefused as error:
        return refused(error.code)
    for warning in warnings_of(answer):
        if warning.code == "invalidrecord":
            return refused(Refusal.UNKNOWN_COURSE)
        return refused(warning.code)
    return OK
