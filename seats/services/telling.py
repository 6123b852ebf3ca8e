"""Telling the course platform about assignments."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple
from datetime import datetime

from courses.models import PlatformLogin
from courses.platform import (
    OK,
    CoursePlatform,
    EnrolmentRow,
    GroupRow,
    KnownEnd,
    Outcome,
    Oversight,
    Pair,
    refused,
)
from seats.models import Assignment

logger = logging.getLogger(__name__)

FOUND_ENROLLED = refused("already_enrolled")


def tell(platform: CoursePlatform, assignments: Sequence[Assignment]) -> list[Outcome]:
    """Enrol the people of these assignments, each in his group: one outcome for each, the first that is not ok.

    May be repeated. Whoever is refused the group does not stay enrolled without it. `FOUND_ENROLLED` is who is to get
    a seat that is not live yet, and whose login was only found now, enrolled: nothing of that was touched.
    """
    outcomes = dict.fromkeys(pairs(assignments), OK)
    going = list(assignments)
    if going:
        new = _without_login(going) if platform.is_remote else []
        _note(outcomes, going, platform.ensure_logins([assignment.holder_id for assignment in going]))
        going = _still_ok(outcomes, going)
        if new:
            outcomes |= _found_enrolled(platform, _still_ok(outcomes, new))
            going = _still_ok(outcomes, going)
    if going:
        past = _past(going)
        _note(outcomes, going, platform.ensure_enrolments(_enrolments(platform, going, past)))
        enrolled = going = _still_ok(outcomes, going)
        if left := _groups_left(going, past):
            platform.remove_group_members(left)
        _note(outcomes, going, platform.ensure_group_members(groups(going)))
        stray = [assignment for assignment in enrolled if not outcomes[pair_of(assignment)].ok]
        if stray:
            platform.end_enrolments(pairs(stray))
    return [outcomes[pair] for pair in pairs(assignments)]


def _without_login(assignments: Sequence[Assignment]) -> list[Assignment]:
    """Those, not live yet, whose people had no known login when it was asked whether they are enrolled."""
    asked = [one for one in assignments if one.pk is None or one.state == Assignment.State.RESERVED]
    people = [one.holder_id for one in asked]
    known = PlatformLogin.objects.filter(person__in=people, remote_id__isnull=False, is_ours=True)
    theirs = found_there(people)
    seen = set(known.values_list("person_id", flat=True))
    # An earlier attempt may have found the login and not come further: then the mistake still stands in the row. (Not
    # of somebody who was a row of ours before: should just that attempt be cut off, he is enrolled like anybody.)
    seen |= {one.holder_id for one in asked if one.holder_id in theirs and not one.created_login}
    return [one for one in asked if one.holder_id not in seen]


def _found_enrolled(platform: CoursePlatform, assignments: Sequence[Assignment]) -> dict[Pair, Outcome]:
    """Those who turn out to have a login of their own, under an address of another case, and to be enrolled with it.

    That the login is theirs is written down for the others, so that an enrolment of ours is not taken for an older one
    at the next attempt. Raises PlatformAway.
    """
    theirs = found_there([one.holder_id for one in assignments])
    found = [one for one in assignments if one.holder_id in theirs]
    if not found:
        return {}
    active = platform.active_enrolments(pairs(found))
    # An enrolment whose dates are known is one of ours: an earlier attempt was cut off after it.
    enrolled = {
        pair_of(one)
        for one, told in zip(found, active, strict=True)
        if told is not None and not told.dates_known
    }
    staying = [one for one in found if pair_of(one) not in enrolled]
    note_found(staying)
    return dict.fromkeys(enrolled, FOUND_ENROLLED)


def note_found(assignments: Iterable[Assignment]) -> None:
    """Write down that logins, which we thought we had to make, were on the remote platform before."""
    mistaken = [one for one in assignments if one.created_login]
    Assignment.objects.filter(pk__in=[one.pk for one in mistaken if one.pk is not None]).update(
        created_login=False
    )
    for one in mistaken:
        one.created_login = False


def untell(platform: CoursePlatform, assignments: Sequence[Assignment]) -> list[Outcome]:
    """End the enrolments of these assignments and take their people out of the groups. May be repeated.

    The outcomes are those of the enrolments first, then those of the groups.
    """
    ended = platform.end_enrolments(pairs(assignments))
    left = groups(assignments)
    return [*ended, *(platform.remove_group_members(left) if left else [])]


def let_oversee(
    platform: CoursePlatform,
    assignments: Sequence[Assignment],
    outcomes: Sequence[Outcome],
    *,
    by: int | None,
) -> None:
    """Let whoever gave these seats see, on a remote platform, what the people do for whom a login was made there.

    Somebody's own login is never put under anybody's eyes. A refusal changes nothing else, and is only logged.
    """
    if by is None:
        return
    going = [one for one, outcome in zip(assignments, outcomes, strict=True) if outcome.ok]
    made = made_here([one.holder_id for one in going if one.created_login])
    for outcome in platform.oversee([Oversight(by, person_id) for person_id in sorted(made)]) if made else ():
        if not outcome.ok:
            logger.warning("oversight by person %s: %s %s", by, outcome.state, outcome.code)


def made_here(person_ids: Collection[int]) -> set[int]:
    """Those of the people whose login on the remote platform was made for them by us."""
    made = PlatformLogin.objects.filter(person__in=person_ids, is_ours=True)
    return set(made.values_list("person_id", flat=True))


def found_there(person_ids: Collection[int]) -> set[int]:
    """Those of the people whose login was on the remote platform before: nothing of it is ever changed."""
    found = PlatformLogin.objects.filter(person__in=person_ids, is_ours=False, remote_id__isnull=False)
    return set(found.values_list("person_id", flat=True))


def pair_of(assignment: Assignment) -> Pair:
    """(course, person) of one."""
    return (assignment.course_id, assignment.holder_id)


def pairs(assignments: Iterable[Assignment]) -> list[Pair]:
    """(course, person) of each."""
    return [pair_of(assignment) for assignment in assignments]


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
    return [one for one in ended if pair_of(one) in wanted]


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
    from_seats = {(pair_of(one), one.ends_at) for one in past}
    rows = []
    for one in assignments:
        pair = pair_of(one)
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


def _note(outcomes: dict[Pair, Outcome], assignments: Sequence[Assignment], told: Sequence[Outcome]) -> None:
    outcomes.update(zip(pairs(assignments), told, strict=True))


def _still_ok(outcomes: dict[Pair, Outcome], assignments: Sequence[Assignment]) -> list[Assignment]:
    return [assignment for assignment in assignments if outcomes[pair_of(assignment)].ok]
