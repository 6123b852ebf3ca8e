"""Seats and people of spaces whose enrolment is not what our rows say: found course by course, told again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from common.audit import Actor
from common.cutting import cut
from common.models import Job
from common.zone import iso
from courses.models import Course, Enrolment, ProductEvent, SpaceChangePerson
from courses.platform import (
    CoursePlatform,
    Enrolled,
    EnrolmentReason,
    EnrolmentRow,
    EnrolmentStatus,
    OutcomeState,
    Pair,
)
from courses.services.space_life import HOLD_JOB as HOLD_SPACE_JOB
from delegation.refusals import Refused
from portal.services.findings import Finding, Repair
from seats.models import Assignment, SeatChange
from seats.selectors.products import sits_elsewhere
from seats.services import NotTold, release
from seats.services.life_rows import HOLD_JOB
from seats.services.telling import pairs, tell, untell

COURSES = 50  # whose people are read and compared at once
PEOPLE = 500  # told again at once
TRIES = 3
WHY = "ended on the platform"


@dataclass(frozen=True, slots=True)
class Kept:
    """Somebody who is to be in a course, by our rows: through a seat, or through our record of his enrolment."""

    pair: Pair
    email: str
    course: Course
    ends_at: datetime | None
    seat: str = ""
    space: str = ""
    assignment_id: int | None = None


def courses_to_compare(platform: CoursePlatform, shortnames: Collection[str]) -> list[Course]:
    """The courses in which somebody is to be; those that are closed keep everybody out, and are not asked about."""
    now = timezone.now()
    concerned = Q(pk__in=_seated(now).values("course"))
    if platform.is_remote:
        concerned |= Q(pk__in=_recorded(now).values("course"))
    courses = Course.objects.filter(concerned, closed_at=None).order_by("shortname")
    return list(courses.filter(shortname__in=shortnames) if shortnames else courses)


def run_compare(platform: CoursePlatform, courses: Sequence[Course]) -> Iterator[Finding]:
    """Where the platform differs, course by course. Raises PlatformAway. Outside transactions."""
    for part in cut(courses, COURSES):
        now = timezone.now()
        kept = _kept(part, now, is_remote=platform.is_remote)
        there = [course for course in part if course.missing_since is None]
        told = platform.enrolments([course.pk for course in there]) if there else []
        seen = {(one.course_id, one.person_id): one for course in told for one in course}
        for course in part:
            mine = [one for one in kept if one.course.pk == course.pk]
            if course.missing_since is not None:
                ours = f"{len(mine)} people"
                yield Finding(
                    "course", course=course.shortname, platform="gone", ours=ours, note="gone there"
                )
                continue
            yield from (finding for one in mine if (finding := _difference(one, seen.get(one.pair), now)))


def run_repair(
    platform: CoursePlatform,
    findings: Sequence[Finding],
    repairs: Collection[Repair],
    *,
    accept: bool,
    actor: Actor,
) -> int:
    """Mend what was asked for, then look at the platform again: `done` is what is so there. Returns how many are.

    `accept` ends here what was ended there, instead of enrolling people again. Raises PlatformAway.
    """
    chosen = [one for one in findings if one.repair in repairs]
    accepted = [one for one in chosen if accept and one.repair == Repair.SEATS]
    told_again = [one for one in chosen if one not in accepted]
    for finding in accepted:
        _accept(platform, finding, actor)
    seats = [one.key.assignment_id for one in told_again if one.key.assignment_id is not None]
    refused = {
        **_tell_seats(platform, seats),
        **_tell_records(platform, [one for one in told_again if not one.seat]),
    }
    if told_again:
        courses = {one.key.course.pk: one.key.course for one in told_again}
        still = {
            (finding.key.pair)
            for finding in run_compare(platform, list(courses.values()))
            if finding.key is not None
        }
        for one in told_again:
            one.done = one.key.pair not in still
            one.note = one.note if one.done else refused.get(one.key.pair, "")
    return sum(one.done for one in chosen)


# --- finding --------------------------------------------------------------------------------------


def _seated(now: datetime) -> QuerySet[Assignment]:
    """Who sits in a seat now, confirmed, and nothing about it is on its way to the platform."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=now)
    moving = _moving()
    return (
        Assignment.objects.filter(lasting, state=Assignment.State.LIVE, ended_at=None)
        .filter(seat__withdrawn_at=None, seat__expired_at=None)
        .exclude(seat__reference__in=moving)
        .exclude(seat__pool__session__reference__in=moving)
        .exclude(seat__in=SeatChange.objects.filter(state__in=SeatChange.OPEN).values("seat"))
    )


def _moving() -> list[str]:
    """The products whose news is still to be told to the platform: they differ, and a job is at it."""
    waiting = Job.objects.filter(kind__in=[HOLD_JOB, HOLD_SPACE_JOB]).exclude(state=Job.State.DONE)
    events = ProductEvent.objects.filter(pk__in=list(waiting.values_list("object_id", flat=True)))
    return list(events.values_list("reference", flat=True))


def _recorded(now: datetime) -> QuerySet[Enrolment]:
    """Whom a remote platform has confirmed to hold an enrolment of ours that still lasts, and nothing is on its way."""
    on_the_way = SpaceChangePerson.objects.filter(
        state=SpaceChangePerson.State.WAITING, person=OuterRef("person"), space__course=OuterRef("course")
    )
    settled = Enrolment.objects.holding(now=now).filter(~Exists(on_the_way))
    return settled.exclude(course__space__reference__in=_moving())


def _kept(courses: Sequence[Course], now: datetime, *, is_remote: bool) -> list[Kept]:
    """Everybody who is to be in these courses, once: in order of course and address."""
    by_id = {course.pk: course for course in courses}
    found: dict[Pair, Kept] = {}
    for one in _seated(now).filter(course__in=by_id).select_related("seat"):
        pair = (one.course_id, one.holder_id)
        course = by_id[one.course_id]
        found[pair] = Kept(
            pair, one.email, course, one.ends_at, seat=one.seat.reference, assignment_id=one.pk
        )
    # On a local platform these rows are the enrolments themselves.
    rows = _recorded(now).filter(course__in=by_id).select_related("person", "course__space")
    for row in rows if is_remote else ():
        pair = (row.course_id, row.person_id)
        space = getattr(row.course, "space", None)
        if pair not in found and (space is None or space.lasts(now=now)):
            reference = space.reference if space is not None else ""
            found[pair] = Kept(pair, row.person.email, by_id[row.course_id], row.ends_at, space=reference)
    return sorted(found.values(), key=lambda one: (one.course.shortname, one.email))


def _difference(kept: Kept, seen: Enrolled | None, now: datetime) -> Finding | None:
    if seen is None:
        kind, platform, repair = "missing", "not enrolled", Repair.ENROLMENTS
    elif seen.reason is EnrolmentReason.ENDED:
        kind, platform, repair = "ended", "ended", Repair.SEATS
    elif seen.status is EnrolmentStatus.SUSPENDED:
        kind, platform, repair = "suspended", "suspended", Repair.SEATS
    else:
        return None
    obstacle = _obstacle(kept.course, now)
    return Finding(
        kind=kind,
        email=kept.email,
        seat=kept.seat,
        space=kept.space,
        course=kept.course.shortname,
        platform=platform,
        ours=f"until {iso(kept.ends_at)}" if kept.ends_at else "without an end",
        repair="" if obstacle else repair,
        note=obstacle,
        key=kept,
    )


def _obstacle(course: Course, now: datetime) -> str:
    """Why nobody is put into a course again by us."""
    if not course.visible:
        return "the course is hidden"
    if course.ends_at is not None and course.ends_at <= now:
        return "the course is over"
    return "" if course.takes_enrolments else "the course takes no enrolments of ours"


# --- mending --------------------------------------------------------------------------------------


def _tell_seats(platform: CoursePlatform, assignment_ids: Sequence[int]) -> dict[Pair, str]:
    """Tell the platform again of those who still sit in their seats; returns why somebody was refused.

    Whoever was taken out meanwhile, and has been enrolled again by this, is taken out again.
    """
    refused: dict[Pair, str] = {}
    for part in cut(assignment_ids, PEOPLE):
        ever: set[int] = set()
        for _try in range(TRIES):
            now = timezone.now()
            told = list(_seated(now).filter(pk__in=part).select_related("person").order_by("pk"))
            ever.update(one.pk for one in told)
            outcomes = tell(platform, [_no_longer_new(one) for one in told]) if told else []
            for pair, outcome in zip(pairs(told), outcomes, strict=True):
                refused[pair] = outcome.code if outcome.state is OutcomeState.REFUSED else "no answer"
            if _as_told(told) == _as_told(
                Assignment.objects.filter(pk__in=[one.pk for one in told]).order_by("pk")
            ):
                break
        left = Assignment.objects.filter(pk__in=ever, ended_at__isnull=False)
        gone = [
            one for one in left.exclude(person=None).annotate(elsewhere=sits_elsewhere()) if not one.elsewhere
        ]
        if gone:
            untell(platform, gone)
    return refused


def _no_longer_new(assignment: Assignment) -> Assignment:
    """The same, for a platform on which somebody may have given even new logins a later end since."""
    settled = copy(assignment)
    settled.created_login = False
    return settled


def _as_told(assignments: Collection[Assignment] | QuerySet[Assignment]) -> list[tuple[object, ...]]:
    return [(one.pk, one.state, one.ends_at) for one in assignments]


def _tell_records(platform: CoursePlatform, findings: Sequence[Finding]) -> dict[Pair, str]:
    """The same for those who have no seat: the rows of our record, as they are now."""
    refused: dict[Pair, str] = {}
    for part in cut(findings, PEOPLE):
        wanted = {finding.key.pair for finding in part}
        rows = [
            EnrolmentRow(row.course_id, row.person_id, row.role, row.starts_at, row.ends_at)
            for row in _recorded(timezone.now()).filter(
                course__in={course for course, _person in wanted},
                person__in={person for _course, person in wanted},
            )
            if (row.course_id, row.person_id) in wanted
        ]
        if not rows:
            continue
        logins = platform.ensure_logins([row.person_id for row in rows])
        going = [row for row, login in zip(rows, logins, strict=True) if login.ok]
        refused |= {
            (row.course_id, row.person_id): login.code
            for row, login in zip(rows, logins, strict=True)
            if not login.ok
        }
        for row, outcome in zip(going, platform.ensure_enrolments(going) if going else [], strict=True):
            refused[(row.course_id, row.person_id)] = outcome.code
        told = [(row.course_id, row.person_id) for row in going]
        # Somebody may have taken one of them out meanwhile: he is taken out again.
        suspended = Enrolment.objects.filter(
            status=Enrolment.Status.SUSPENDED,
            course__in=[course for course, _person in told],
            person__in=[person for _course, person in told],
        ).values_list("course_id", "person_id")
        if gone := [pair for pair in suspended if pair in told]:
            platform.end_enrolments(gone)
    return refused


def _accept(platform: CoursePlatform, finding: Finding, actor: Actor) -> None:
    """End here what was ended there: the seat is free again, unless it was started."""
    if finding.seat:
        try:
            release(reference=finding.seat, account_id=None, actor=actor, why=WHY)
        except Refused as refusal:
            finding.note = str(refusal.message)
            return
        except NotTold as error:
            finding.note = f"it waits for the platform and will be done: {error}"
            return
        finding.done, finding.note = True, "the seat is free again"
        return
    [outcome] = platform.end_enrolments([finding.key.pair])
    finding.done, finding.note = outcome.ok, outcome.code
