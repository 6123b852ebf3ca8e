"""People of a space on a remote platform: the wish as rows, a job that tells the platform, and what it has confirmed.

Each step stands in the rows before the platform is called, so whoever takes the job over ends it the same way: nobody is
enrolled twice, mailed twice or forgotten, however often it stops in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from common import jobs
from common.audit import Actor
from common.jobs import Progress, Waiting
from courses.models import CourseSpace, Enrolment, SpaceChange, SpaceChangePerson
from courses.platform import (
    OK,
    CoursePlatform,
    EnrolmentRow,
    Outcome,
    OutcomeState,
    Pair,
    PlatformAway,
    Refusal,
    refused,
)
from courses.platforms import get_platform
from portal.services.space_steps import Entry, lock_space, record_list, record_person, welcome
from seats.services.apply import actor_of

JOB = "portal.space_change"
PART = 100  # people per call: a part is told well within the lease of a job
OVER = "over"  # the space ended or was withdrawn before the platform could be told

Verb = SpaceChange.Verb
State = SpaceChangePerson.State
ALREADY = Outcome(OutcomeState.OK, State.ALREADY)
Row = SpaceChangePerson


def start_change(
    space: CourseSpace, verb: SpaceChange.Verb, people: Sequence[Entry], *, actor: Actor
) -> None:
    """Write the wish and queue its job, in the caller's transaction, which holds the space's locks."""
    change = SpaceChange.objects.create(space=space, verb=verb, actor=actor.label)
    SpaceChangePerson.objects.bulk_create(
        SpaceChangePerson(
            change=change,
            space=space,
            person_id=one.id,
            role=one.role,
            email=one.email,
            first_name=one.first_name,
            last_name=one.last_name,
            created_login=one.created,
        )
        for one in people
    )
    jobs.start(kind=JOB, object_id=change.pk, total=len(people))


def run_space_change(change_id: int, progress: Progress) -> None:
    """The job of a change: tell the platform, and write what it has confirmed. May be interrupted anywhere.

    Raises Waiting while the platform is away or has left somebody unanswered.
    """
    change = SpaceChange.objects.select_related("space").get(pk=change_id)
    total = change.people.count()
    last = 0
    try:
        while rows := list(change.people.filter(state=State.WAITING, pk__gt=last).order_by("pk")[:PART]):
            waiting = change.people.filter(state=State.WAITING).count()
            progress.report(total - waiting, total)
            _settle(change, rows, _tell(change, rows))
            last = rows[-1].pk
    except PlatformAway as away:
        raise Waiting(str(away)) from away
    if change.people.filter(state=State.WAITING).exists():
        raise Waiting("The course platform did not answer for everybody.")


# --- telling the platform -------------------------------------------------------------------------


def _tell(change: SpaceChange, rows: Sequence[Row]) -> list[Outcome]:
    """What becomes of each; calls the platform, outside any transaction."""
    space = CourseSpace.objects.get(pk=change.space_id)
    platform = get_platform()
    pairs = [(space.course_id, row.person_id) for row in rows]
    if change.verb == Verb.TAKE_OUT:
        return platform.end_enrolments(pairs)
    if not space.lasts() or space.closed_at is not None:
        return [refused(OVER)] * len(rows)
    if change.verb == Verb.LET_IN:
        return _let_in(platform, space, pairs)
    return _put(platform, change, space, rows)


def _put(
    platform: CoursePlatform, change: SpaceChange, space: CourseSpace, rows: Sequence[Row]
) -> list[Outcome]:
    outcomes = {
        row.pk: outcome
        for row, outcome in zip(rows, platform.ensure_logins([row.person_id for row in rows]), strict=True)
    }
    unknown = [row for row in rows if outcomes[row.pk].ok and not row.was_outside]
    told = (
        platform.active_enrolments([(space.course_id, row.person_id) for row in unknown]) if unknown else []
    )
    inside = {row.pk for row, found in zip(unknown, told, strict=True) if found is not None}
    outcomes |= dict.fromkeys(inside, ALREADY)
    outside = [row.pk for row in unknown if row.pk not in inside]
    if outside:
        SpaceChangePerson.objects.filter(pk__in=outside, state=State.WAITING).update(was_outside=True)
    going = [row for row in rows if outcomes[row.pk] == OK]
    # Without an end of their own: the course is closed when the time of the space is over.
    wanted = [
        EnrolmentRow(space.course_id, row.person_id, row.role, change.created_at, None) for row in going
    ]
    if wanted:
        outcomes |= zip([row.pk for row in going], platform.ensure_enrolments(wanted), strict=True)
    return [outcomes[row.pk] for row in rows]


def _let_in(platform: CoursePlatform, space: CourseSpace, pairs: Sequence[Pair]) -> list[Outcome]:
    """Exactly as they were before they were taken out."""
    known = {
        row.person_id: row
        for row in Enrolment.objects.filter(course=space.course_id, person__in=[pk for _course, pk in pairs])
    }
    wanted = [
        EnrolmentRow(space.course_id, pk, known[pk].role, known[pk].starts_at, known[pk].ends_at)
        for _course, pk in pairs
        if pk in known
    ]
    told = iter(platform.ensure_enrolments(wanted)) if wanted else iter(())
    return [next(told) if pk in known else refused(Refusal.NOT_ENROLLED) for _course, pk in pairs]


# --- what it has confirmed ------------------------------------------------------------------------


def _settle(change: SpaceChange, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> None:
    """Write the answers in one transaction; whoever is in is delegated and gets his mail. Unknown ones stay waiting."""
    told = {row.pk: outcome for row, outcome in zip(rows, outcomes, strict=True)}
    now = timezone.now()
    with transaction.atomic():
        space = lock_space(change.space_id)
        waiting = change.people.select_for_update(no_key=True).filter(state=State.WAITING, pk__in=told)
        settled: list[Row] = []
        for row in waiting.order_by("pk"):
            outcome = told[row.pk]
            # Somebody whom another worker has found outside meanwhile was enrolled by that one, not by anybody else.
            if outcome.state is OutcomeState.UNKNOWN or (outcome == ALREADY and row.was_outside):
                continue
            row.state = _state_of(outcome)
            row.code = outcome.code if row.state == State.REFUSED else ""
            row.settled_at = now
            settled.append(row)
        SpaceChangePerson.objects.bulk_update(settled, ["state", "code", "settled_at"])
        _conclude(change, space, settled, now=change.created_at)


def _state_of(outcome: Outcome) -> SpaceChangePerson.State:
    if outcome == ALREADY:
        return State.ALREADY
    return State.DONE if outcome.ok else State.REFUSED


def _conclude(change: SpaceChange, space: CourseSpace, settled: Sequence[Row], *, now: datetime) -> None:
    actor = actor_of(change.actor)
    done = [row for row in settled if row.state == State.DONE]
    if change.verb != Verb.PUT:
        for row in done:
            record_person(space, row.person_id, f"space.{change.verb}", actor)
        return
    if done:
        welcome(space, [_entry(row) for row in done], actor=actor, now=now)
    if settled:
        counts = {state: [row.state for row in settled].count(state) for state in State}
        record_list(
            space,
            actor,
            {"put": counts[State.DONE], "already": counts[State.ALREADY], "refused": counts[State.REFUSED]},
        )


def _entry(row: Row) -> Entry:
    return Entry(row.email, row.first_name, row.last_name, row.role, row.person_id, row.created_login)
