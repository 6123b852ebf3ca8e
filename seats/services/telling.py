"""Telling the course platform about assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
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
        past = _past(going)
        _note(outcomes, going, platform.ensure_enrolments(_enrolments(platform, going, past)))
        enrolled = going = _still_ok(outcomes, going)
        if left := _groups_left(going, past):
            platform.remove_group_members(left)
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


def _past(assignments: Sequence[Assignment]) -> list[Assignment]:
    """The ended assignments of the same people in the same courses, of any account."""
    known = [one for one in assignments if not one.created_login]
    if not known:
        return []
    wanted = set(pairs(known))
    ended = Assignment.objects.filter(
        course__in={course_id for course_id, _person in wanted},
        person__in={person_id for _course, person_id in wanted},
        ended_at__isnull=False,
    )
    return [one for one in ended if (one.course_id, one.holder_id) in wanted]


def _groups_left(assignments: Sequence[Assignment], past: Sequence[Assignment]) -> list[GroupRow]:
    """The groups in which ended seats have left these people: of other orders, maybe of other organisations."""
    return sorted(set(groups(past)) - set(groups(assignments)), key=astuple)


def _enrolments(
    platform: CoursePlatform, assignments: Sequence[Assignment], past: Sequence[Assignment]
) -> list[EnrolmentRow]:
    """The enrolment of each. What somebody else had given, suspended or not, is never shortened; what a seat had
    given ended with that seat.
    """
    known = [one for one in assignments if not one.created_login]
    ends = dict(zip(pairs(known), platform.known_ends(pairs(known)), strict=True)) if known else {}
    from_seats = {((one.course_id, one.holder_id), one.ends_at) for one in past}
    rows = []
    for one in assignments:
        pair = (one.course_id, one.holder_id)
        there = ends.get(pair)
        if there is not None and (pair, there.ends_at) in from_seats:
            there = None
        rows.append(
            EnrolmentRow(
                course_id=one.course_id,
                person_id=one.holder_id,
                role=one.role,
                starts_at=one.starts_at,
                ends_at=_later(one.ends_at, there),
            )
        )
    return rows


def _later(ends_at: datetime | None, known: KnownEnd | None) -> datetime | None:
    if known is None:
        return ends_at
    return None if ends_at is None or known.ends_at is None else max(ends_at, known.ends_at)


def _note(outcomes: dict[int, Outcome], assignments: Sequence[Assignment], told: Sequence[Outcome]) -> None:
    for assignment, outcome in zip(assignments, told, strict=True):
        outcomes[assignment.pk] = outcome


def _still_ok(outcomes: dict[int, Outcome], assignments: Sequence[Assignment]) -> list[Assignment]:
    return [assignment for assignment in assignments if outcomes[assignment.pk].ok]
