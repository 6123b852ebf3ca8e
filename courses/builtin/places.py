"""Places for learners in a course whose space has a limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from courses.builtin.roles import LEARNERS
from courses.models import Course, Enrolment
from courses.platform import EnrolmentRow, Outcome, Refusal, refused


def limits_of(course_ids: Collection[int]) -> dict[int, int | None]:
    """The courses among these that exist, each with the most learners it may have (none: no limit). One query."""
    found = Course.objects.filter(pk__in=set(course_ids))
    return dict(found.values_list("pk", "space__max_participants"))


def learners_of(course_ids: Collection[int], *, now: datetime) -> dict[int, set[int]]:
    """Who holds a learner's place in each of these courses: unsuspended, and the end has not passed. One query."""
    holders: dict[int, set[int]] = {course_id: set() for course_id in course_ids}
    found = Enrolment.objects.holding(now=now).filter(course__in=holders, role__in=LEARNERS)
    for course_id, person_id in found.values_list("course_id", "person_id"):
        holders[course_id].add(person_id)
    return holders


def admit(
    rows: Sequence[EnrolmentRow],
    judged: Sequence[Outcome],
    limits: Mapping[int, int],
    *,
    now: datetime,
) -> list[Outcome]:
    """The outcomes when every place is counted, in the order of the rows: who finds none is refused.

    To be called in the transaction that enrols them: the courses stay locked until its end, so that two lists at the
    same second cannot both take the last place.
    """
    courses = Course.objects.select_for_update(no_key=True).filter(pk__in=limits)
    locked = list(courses.order_by("pk").values_list("pk", flat=True))
    holders = learners_of(locked, now=now)
    outcomes = []
    for row, outcome in zip(rows, judged, strict=True):
        if outcome.ok and row.course_id in holders:
            outcome = _admit_one(row, outcome, holders[row.course_id], limits[row.course_id], now)
        outcomes.append(outcome)
    return outcomes


def _admit_one(row: EnrolmentRow, outcome: Outcome, holders: set[int], limit: int, now: datetime) -> Outcome:
    over = row.ends_at is not None and row.ends_at <= now
    if row.suspended or over or row.role not in LEARNERS:
        holders.discard(row.person_id)
    elif row.person_id not in holders:
        if len(holders) >= limit:
            return refused(Refusal.FULL)
        holders.add(row.person_id)
    return outcome
