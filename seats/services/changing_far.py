"""Changing one's mind about a seat whose course lives far away: asked for as a row, done by a job.

The job asks the platform who has opened the course, checks again under the account's lock, tells the platform (whoever
leaves first, so that he cannot open the course any more), and only then writes what has come of it. Our own rows do not
change before, so that a refusal has nothing to undo here: the platform is told again what they say. Whoever takes the
job over begins at the beginning, for every call may be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Person
from common import jobs
from common.emailkey import email_key
from common.models import Job
from courses.platform import CoursePlatform, Outcome, OutcomeState, PlatformAway, Refusal
from courses.platforms import get_platform
from delegation.refusals import Refused
from seats.models import Assignment, Seat, SeatChange
from seats.selectors.refusing import SeatRefused, already_enrolled, refusal
from seats.services.apply import NotTold, actor_of
from seats.services.exchanging import (
    Kind,
    Wish,
    anew,
    check,
    check_not_seated,
    concerned,
    ensure_newcomer,
    make_room,
    write,
)
from seats.services.holding import hold, is_changing
from seats.services.judging import enrolled_until
from seats.services.leaving import forget_login
from seats.services.life_rows import run_hold
from seats.services.lists import Reports
from seats.services.locking import lock_account
from seats.services.opening import note_openings
from seats.services.telling import FOUND_ENROLLED, groups, let_oversee, pairs, tell, untell

logger = logging.getLogger(__name__)

CHANGE_JOB = "seats.change"
STEPS = 3  # of which the progress of the job speaks
TRIES = 10  # how often a change may begin anew because something was found to be otherwise
State = SeatChange.State
# Whoever is not in the course, or is no longer known there, is out of it.
_AS_GOOD_AS_OUT = frozenset({Refusal.UNKNOWN_COURSE, Refusal.UNKNOWN_PERSON, Refusal.NOT_ENROLLED})


# --- asking for it ----------------------------------------------------------------------------------


def reserve_change(seat: Seat, wish: Wish, *, wake: bool = True) -> SeatChange:
    """Keep what is asked for, and have a job do it. Asks nobody; raises Refused for what our rows can tell."""
    with transaction.atomic():
        old = hold(seat)
        now = timezone.now()
        check(wish, old, now=now)
        leaving = concerned(wish, old, now=now)
        if wish.kind is not Kind.RELEASE:
            check_not_seated(wish, leaving, now=now)
        if is_changing([one.seat_id for one in leaving]):
            raise refusal("busy", by="change")
        lead = SeatChange.objects.create(**_fields(wish, old))
        SeatChange.objects.bulk_create(
            SeatChange(**_fields(wish, one), lead=lead) for one in leaving if one.pk != old.pk
        )
        if wake:
            lead.job = jobs.start(kind=CHANGE_JOB, object_id=lead.pk, total=STEPS)
        else:
            lead.job = Job.objects.create(kind=CHANGE_JOB, object_id=lead.pk, total=STEPS)
        lead.save(update_fields=["job"])
    return lead


def _fields(wish: Wish, old: Assignment) -> dict[str, object]:
    return {
        "kind": wish.kind,
        "account_id": old.account_id,
        "seat_id": old.seat_id,
        "assignment_id": old.pk,
        "actor": wish.actor.label,
        "email": wish.email[:320],
        "first_name": wish.first_name[:150],
        "last_name": wish.last_name[:150],
        "why": wish.why[:300],
    }


def change_here(seat: Seat, wish: Wish) -> list[Assignment]:
    """Ask for it and do it here and now; returns the new assignments. Raises Refused, and NotTold while it waits."""
    lead = reserve_change(seat, wish, wake=False)
    assert lead.job is not None  # noqa: S101 - it was given one
    jobs.run(lead.job.pk)
    lead.refresh_from_db()
    if lead.state == State.REFUSED:
        raise refusal(lead.code, **lead.detail)
    if lead.state != State.DONE:
        lead.job.refresh_from_db()
        raise NotTold(lead.job.last_error)
    if wish.kind is Kind.RELEASE:
        return []
    done = SeatChange.objects.filter(Q(pk=lead.pk) | Q(lead=lead.pk), state=State.DONE)
    found = Assignment.objects.filter(seat__in=done.values("seat"), ended_at=None)
    return list(found.select_related("person", "course", "seat__pool").order_by("seat_id"))


# --- doing it ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Going:
    """What the platform is told now: who leaves which seats, and who comes."""

    wish: Wish
    now: datetime
    rows: Sequence[SeatChange]
    old: Sequence[Assignment]
    new: Sequence[Assignment]


class _Otherwise(Exception):
    """Something is not as it was when the platform was told: the change begins anew."""


def run_change(change_id: int, progress: Reports) -> None:
    """The job behind `start_change`. Raises NotTold (an OSError) when the platform is away: the rest waits."""
    try:
        for _try in range(TRIES):
            rows = _open(change_id)
            if not rows:
                return
            undoing = [row for row in rows if row.state == State.UNDOING]
            if undoing:
                _undo(undoing)
            else:
                _attempt(rows, progress)
    except PlatformAway as error:
        raise NotTold(str(error)) from error
    if _open(change_id):
        raise NotTold("Somebody else changes the same seat all the time.")


def _open(change_id: int) -> list[SeatChange]:
    """What is left to do of a change, its lead first."""
    rows = SeatChange.objects.filter(Q(pk=change_id) | Q(lead=change_id), state__in=SeatChange.OPEN)
    return list(rows.select_related("seat", "assignment__person").order_by("pk"))


def _attempt(rows: Sequence[SeatChange], progress: Reports) -> None:
    """From the beginning to the end, or as far as something is found to be otherwise."""
    platform = get_platform()
    account_id = rows[0].account_id
    note_openings([row.assignment for row in rows])
    there = _is_there(platform, rows)
    with transaction.atomic():
        lock_account(account_id)
        progress.report(0, STEPS)
        going = _begin(rows, there)
    if going is None:
        return
    try:
        _tell(platform, going, progress)
        with transaction.atomic():
            lock_account(account_id)
            progress.report(STEPS - 1, STEPS)
            _finish(going)
    except SeatRefused as refused:
        with transaction.atomic():
            lock_account(account_id)
            progress.report(STEPS - 1, STEPS)
            _refuse(going.rows, refused)
    except _Otherwise:
        return


def _is_there(platform: CoursePlatform, rows: Sequence[SeatChange]) -> SeatRefused | None:
    """Whether the platform knows the new person as enrolled already. Once he has been told about, it is we who did it."""
    lead = rows[0]
    if lead.kind == Kind.RELEASE or any(row.state == State.TELLING for row in rows):
        return None
    now = timezone.now()
    person_id = Person.objects.filter(email_key=email_key(lead.email)).values_list("pk", flat=True).first()
    for row in rows:
        course_id = row.assignment.course_id
        if person_id is None:
            [stranger] = platform.strangers(course_id, [lead.email], now=now)
            if stranger is not None and stranger.is_enrolled:
                return already_enrolled(None)
            continue
        enrolled = enrolled_until(platform, course_id, [person_id], now=now)
        if person_id in enrolled:
            return already_enrolled(enrolled[person_id])
    return None


def _begin(rows: Sequence[SeatChange], there: SeatRefused | None) -> _Going | None:
    """Check under the account's lock, and write down that the platform is being told; none when it may not be."""
    lead = rows[0]
    now = timezone.now()
    wish = _wish(lead)
    old: list[Assignment] = []
    try:
        for row in rows:
            try:
                old.append(_held(row))
            except SeatRefused as refused:
                if row.lead_id is None:
                    raise
                _refuse([row], refused)
        if len(old) < len(rows):
            return None
        check(wish, old[0], now=now)
        if there is not None:
            raise there
        new: list[Assignment] = []
        if wish.kind is not Kind.RELEASE:
            check_not_seated(wish, old, now=now)
            person_id, created = _newcomer(lead, wish, old[0])
            new = anew(wish, old, person_id, created_login=created, now=now)
            make_room(new, now=now)
    except SeatRefused as refused:
        _refuse(rows, refused)
        return None
    SeatChange.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.TELLING)
    return _Going(wish, now, rows, old, new)


def _wish(lead: SeatChange) -> Wish:
    return Wish(Kind(lead.kind), actor_of(lead.actor), lead.email, lead.first_name, lead.last_name, lead.why)


def _held(row: SeatChange) -> Assignment:
    """Who sits in the seat, if he is the one who did when it was asked for. Raises Refused."""
    assignment = hold(row.seat)
    if assignment.pk != row.assignment_id:
        raise refusal("free")
    return assignment


def _newcomer(lead: SeatChange, wish: Wish, old: Assignment) -> tuple[int, bool]:
    """The new person; that his row was made for this change is remembered."""
    person_id, created = ensure_newcomer(wish, old)
    if person_id != lead.person_id:
        SeatChange.objects.filter(Q(pk=lead.pk) | Q(lead=lead.pk)).update(
            person=person_id, created_login=created
        )
        return person_id, created
    return person_id, lead.created_login


def _tell(platform: CoursePlatform, going: _Going, progress: Reports) -> None:
    """Whoever leaves first. Raises Refused(not_told), _Otherwise when he has opened the course, PlatformAway.

    And LeaseLost, so that a worker that was silent for long does not tell what another has brought to an end.
    """
    for outcome in untell(platform, going.old):
        if outcome.code not in _AS_GOOD_AS_OUT:
            _check(outcome)
    note_openings(going.old)
    if Assignment.objects.filter(pk__in=[one.pk for one in going.old], opened_at__isnull=False).exists():
        raise _Otherwise
    progress.report(1, STEPS)
    outcomes = tell(platform, going.new)
    for outcome in outcomes:
        _check(outcome)
    let_oversee(platform, going.new, outcomes, by=going.wish.actor.person_id)


def _check(outcome: Outcome) -> None:
    if outcome == FOUND_ENROLLED:
        raise already_enrolled(None)
    if outcome.state is OutcomeState.REFUSED:
        raise refusal("not_told", reason=outcome.code)
    if not outcome.ok:
        raise PlatformAway("The platform left some people unanswered.")


def _finish(going: _Going) -> None:
    """Write what the platform has confirmed, if it is still what is wanted. Raises Refused(already_enrolled)."""
    try:
        old = [_held(row) for row in going.rows]
    except SeatRefused as refused:
        raise _Otherwise from refused
    if [one.ends_at for one in old] != [one.ends_at for one in going.old]:
        raise _Otherwise  # extended meanwhile
    write(going.wish, old, going.new, now=going.now)
    SeatChange.objects.filter(pk__in=[row.pk for row in going.rows]).update(
        state=State.DONE, ended_at=timezone.now(), email="", first_name="", last_name=""
    )


# --- giving it up -----------------------------------------------------------------------------------


def _refuse(rows: Iterable[SeatChange], refused: SeatRefused) -> None:
    """Write down why it may not be. What the platform has been told, or may have been, is undone next."""
    mine = SeatChange.objects.filter(pk__in=[row.pk for row in rows])
    why = {"code": refused.code, "detail": refused.detail}
    mine.filter(state=State.TELLING).update(state=State.UNDOING, **why)
    mine.filter(state=State.WAITING).update(state=State.REFUSED, ended_at=timezone.now(), **why)


def _undo(rows: Sequence[SeatChange]) -> None:
    """Have the platform hold to what our rows say, as if nothing had been asked for. Raises PlatformAway."""
    platform = get_platform()
    for row in rows:
        if row.person_id is not None:
            _out_again(platform, row, row.person_id)
        _hold(Assignment.objects.filter(pk=row.assignment_id, ended_at=None))
    lead = rows[0]
    with transaction.atomic():
        lock_account(lead.account_id)
        undone = SeatChange.objects.filter(pk__in=[row.pk for row in rows], state=State.UNDOING)
        if undone.update(state=State.REFUSED, ended_at=timezone.now()) and lead.lead_id is None:
            if lead.created_login and lead.person_id is not None:
                forget_login(lead.account_id, lead.person_id, made_now=True)


def _out_again(platform: CoursePlatform, row: SeatChange, person_id: int) -> None:
    """Take the new person out again, unless somebody else has given him a seat of the course meanwhile."""
    stray = row.assignment
    stray.person_id = person_id
    for outcome in platform.remove_group_members(groups([stray])) if stray.group_name else ():
        if outcome.code not in _AS_GOOD_AS_OUT:
            _check_undone(outcome, row)
    seated = Assignment.objects.filter(course=stray.course_id, person=person_id, ended_at=None)
    if seated.exists():
        _hold(seated)
        return
    if row.code == "already_enrolled" and platform.known_ends(pairs([stray])) == [None]:
        return  # he was enrolled by somebody else, and is left as he was
    for outcome in platform.end_enrolments(pairs([stray])):
        _check_undone(outcome, row)


def _hold(assignments: QuerySet[Assignment]) -> None:
    for reference in list(assignments.values_list("seat__reference", flat=True)):
        try:
            run_hold(reference)
        except Refused as refused:
            logger.warning("seat %s: the platform does not take its person back: %s", reference, refused)


def _check_undone(outcome: Outcome, row: SeatChange) -> None:
    if outcome.state is OutcomeState.REFUSED:
        logger.warning("change %s: the platform does not undo it: %s", row.pk, outcome.code)
    elif not outcome.ok:
        raise PlatformAway("The platform left some people unanswered.")
