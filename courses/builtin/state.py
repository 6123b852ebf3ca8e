"""What the rows of an enrolment mean."""

from __future__ import annotations

from datetime import datetime

from courses.models import Enrolment
from courses.platform import CourseProgress, EnrolmentReason, EnrolmentStatus, ProgressState

NOTHING_DONE = CourseProgress(ProgressState.NOT_STARTED, 0, 0)


def enrolment_state(enrolment: Enrolment, *, now: datetime) -> tuple[EnrolmentStatus, EnrolmentReason]:
    """Whether the enrolment holds at `now`, and why its person cannot enter. The course must be loaded."""
    course = enrolment.course
    if enrolment.status == Enrolment.Status.SUSPENDED:
        return EnrolmentStatus.SUSPENDED, EnrolmentReason.SUSPENDED
    if course.closed_at is not None:
        return EnrolmentStatus.SUSPENDED, EnrolmentReason.COURSE_CLOSED
    if enrolment.ends_at is not None and enrolment.ends_at <= now:
        return EnrolmentStatus.SUSPENDED, EnrolmentReason.ENDED
    if enrolment.starts_at > now:
        return EnrolmentStatus.ACTIVE, EnrolmentReason.NOT_STARTED
    if not course.visible:
        return EnrolmentStatus.ACTIVE, EnrolmentReason.COURSE_HIDDEN
    return EnrolmentStatus.ACTIVE, EnrolmentReason.NONE


def progress_of(enrolment: Enrolment) -> CourseProgress:
    """How far the person is; the row must come from `with_progress()`. Finished: every page is marked."""
    done, total = enrolment.pages_done, enrolment.pages_total
    if total and done >= total:
        state = ProgressState.FINISHED
    elif done or enrolment.was_opened:
        state = ProgressState.UNDER_WAY
    else:
        state = ProgressState.NOT_STARTED
    return CourseProgress(state, done, total)
