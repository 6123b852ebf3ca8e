"""Telling the course platform about assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from courses.platform import OK, CoursePlatform, EnrolmentRow, GroupRow, KnownEnd, Outcome, Pair
from seats.models import Assignment


def tell(platform: CoursePlatform, assignments: Sequence[Assignment]) -> list[Outcome]:
    """Enrol the people of these assignments, each in his group: one outcome for each, the first that is not ok.

    May be repeated. Whoever is refused the group does not stay enrolled without it.
    """
    outcomes = dict.fromkeys((assignment.pk for assignment in assignments), OK)
    going = list(assignments)
    if going:
        _note(outcomes, going, platform.ensure_logins([assignment.holder_id for assignment in going]))
        going = _still_ok(outcomes, going)
    if going:
        _note(outcomes, going, platform.ensure_enrolments(_enrolments(platform, going)))
        enrolled = going = _still_ok(outcomes, going)
        _note(outcomes, going, platform.ensure_group_members(groups(going)))
        stray = [assignment for assignment in enrolled if not outcomes[assignment.pk].ok]
        if stray:
            platform.end_enrolments(pairs(stray))
    return list(outcomes.values())


def untell(platform: CoursePlatform, assignments: Sequence[Assignment]) -> None:
    """End the enrolments of these assignments and take their people out of the groups. May be repeated."""
    platform.end_enrolments(pairs(assignments))
    platform.remove_group_members(groups(assignments))


def pairs(assignments: Iterable[Assignment]) -> list[Pair]:
    """(course, person) of each."""
    return [(assignment.course_id, assignment.holder_id) for assignment in assignments]


def groups(assignments: Iterable[Assignment]) -> list[GroupRow]:
    """The group of each."""
    return [
        GroupRow(assignment.course_id, assignment.group_name, assignment.holder_id)
        for assignment in assignments
        if assignment.group_name
    ]


def _enrolments(platform: CoursePlatform, assignments: Sequence[Assignment]) -> list[EnrolmentRow]:
    """The enrolment of each. A suspended or ended one that is renewed keeps its end if that is later than the seat's."""
    known = [assignment for assignment in assignments if not assignment.created_login]
    ends = dict(zip(pairs(known), platform.known_ends(pairs(known)), strict=True)) if known else {}
    return [
        EnrolmentRow(
            course_id=assignment.course_id,
            person_id=assignment.holder_id,
            role=assignment.role,
            starts_at=assignment.starts_at,
            ends_at=_later(assignment.ends_at, ends.get((assignment.course_id, assignment.holder_id))),
        )
        for assignment in assignments
    ]


def _later(ends_at: datetime | None, known: KnownEnd | None) -> datetime | None:
    if known is None:
        return ends_at
    return None if ends_at is None or known.ends_at is None else max(ends_at, known.ends_at)


def _note(outcomes: dict[int, Outcome], assignments: Sequence[Assignment], told: Sequence[Outcome]) -> None:
    for assignment, outcome in zip(assignments, told, strict=True):
        outcomes[assignment.pk] = outcome


def _still_ok(outcomes: dict[int, Outcome], assignments: Sequence[Assignment]) -> list[Assignment]:
    return [assignment for assignment in assignments if outcomes[assignment.pk].ok]
