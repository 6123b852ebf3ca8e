"""People of a course space: put in by the organisation that owns it, taken out, let in again.

A local platform is told at once, in the transaction that checks the places. For a remote one the wish is written and a
job tells it (`portal.services.space_changes`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from common.audit import Actor
from common.listing import PersonEntry
from courses.models import CourseSpace, Enrolment, SpaceChange
from courses.platform import EnrolmentRow, Refusal
from courses.platforms import get_platform
from courses.selectors import on_their_way
from delegation.models import Delegation
from delegation.refusals import Refused
from delegation.services import accept
from portal.services.space_changes import start_change
from portal.services.space_steps import (
    Entry,
    check_places,
    lock_space,
    make_people,
    no_places,
    people_named,
    record_list,
    record_person,
    welcome,
)

Verb = SpaceChange.Verb


@dataclass(frozen=True, slots=True)
class PutIn:
    """How many came in, how many were in the course already, and how many are on their way into it."""

    put: int
    already: int
    coming: int = 0


def put_into_space(
    *,
    space_id: int,
    entries: Sequence[PersonEntry] = (),
    person_ids: Collection[int] = (),
    actor: Actor,
    language: str,
) -> PutIn:
    """Put people into a course space: those of a list (every row without a problem), and people the account answers for.

    All of them or nobody. Logins are made where needed, everybody new in the course is delegated to the account, and
    gets an invitation, or the news if he signs in already. Who is in the course keeps everything he has there. A remote
    platform is told by a job; until then they are on their way, and have their places.
    Raises Refused: `over` unless the space is open, `full` when there are fewer places than learners, `busy` when
    somebody is just being taken out.
    """
    now = timezone.now()
    with transaction.atomic():
        space = lock_space(space_id)
        if not space.lasts(now=now) or space.closed_at is not None:
            raise Refused("over", _("This course space is not open: nobody was put into it."))
        people = people_named(space, entries, person_ids)
        if get_platform().is_remote:
            return _send_on_their_way(space, people, actor=actor, language=language, now=now)
        pairs = [(space.course_id, one.person_id) for one in people if one.person_id is not None]
        told = get_platform().active_enrolments(pairs, now=now)
        inside = {found.person_id for found in told if found is not None}
        going = [one for one in people if one.person_id not in inside]
        check_places(space, going, now=now)
        make_people(going, language)
        _enrol(space, going, now=now)
        welcome(space, going, actor=actor, now=now)
        record_list(space, actor, {"put": len(going), "already": len(people) - len(going)})
    return PutIn(len(going), len(people) - len(going))


def take_out(*, space_id: int, person_id: int, actor: Actor) -> bool:
    """Suspend somebody in a course space: what he did there stays. Returns whether he was in.

    Raises Refused: `owner` (the owner of the course stays), `busy`. A remote platform is told by a job.
    """
    with transaction.atomic():
        space = lock_space(space_id)
        row = Enrolment.objects.filter(
            course=space.course_id, person=person_id, status=Enrolment.Status.ACTIVE
        ).first()
        if row is None:
            return False
        if person_id == space.owner_id:
            raise Refused("owner", _("The owner of the course cannot be taken out of it."))
        if get_platform().is_remote:
            _refuse_busy(space, person_id)
            start_change(space, Verb.TAKE_OUT, [_entry_of(row)], actor=actor)
        else:
            get_platform().end_enrolments([(space.course_id, person_id)])
            record_person(space, person_id, "space.take_out", actor)
    return True


def let_in_again(*, space_id: int, person_id: int, actor: Actor) -> bool:
    """Take back that somebody was taken out; returns whether he was out.

    Raises Refused: `full`, `busy`, and `over` unless the space is open. A remote platform is told by a job.
    """
    now = timezone.now()
    with transaction.atomic():
        space = lock_space(space_id)
        row = Enrolment.objects.filter(
            course=space.course_id, person=person_id, status=Enrolment.Status.SUSPENDED
        ).first()
        if row is None:
            return False
        if get_platform().is_remote:
            _refuse_busy(space, person_id)
            check_places(space, [_entry_of(row)], now=now)
            start_change(space, Verb.LET_IN, [_entry_of(row)], actor=actor)
            return True
        wanted = EnrolmentRow(space.course_id, person_id, row.role, row.starts_at, row.ends_at)
        [outcome] = get_platform().ensure_enrolments([wanted])
        if not outcome.ok:
            raise no_places(0)
        record_person(space, person_id, "space.let_in", actor)
    return True


def people_of_account(space: CourseSpace) -> frozenset[int]:
    """Who may come back with a backup: people the account answers for now, its members, and the owner."""
    answered = Delegation.objects.filter(account=space.account_id, ended_at=None)
    members = Member.objects.filter(account=space.account_id)
    return frozenset(
        {
            *answered.values_list("person_id", flat=True),
            *members.values_list("person_id", flat=True),
            space.owner_id,
        }
    )


def note_space_opening(*, course_id: int, person_id: int) -> None:
    """Somebody is in a course space for the first time: the account that owns it sees his own name from now on."""
    space = CourseSpace.objects.filter(course=course_id).first()
    if space is not None:
        accept(account_id=space.account_id, person_id=person_id)


# --- steps ----------------------------------------------------------------------------------------


def _enrol(space: CourseSpace, going: Sequence[Entry], *, now: datetime) -> None:
    platform = get_platform()
    outcomes = platform.ensure_logins([one.id for one in going])
    # Without an end of their own: the course is closed when the time of the space is over.
    outcomes += platform.ensure_enrolments(
        [EnrolmentRow(space.course_id, one.id, one.role, now, None) for one in going]
    )
    if any(outcome.code == Refusal.FULL for outcome in outcomes):
        raise no_places(0)
    if not all(outcome.ok for outcome in outcomes):
        raise Refused("platform", _("The course platform refuses somebody: nobody was put into the course."))


def _send_on_their_way(
    space: CourseSpace, people: Sequence[Entry], *, actor: Actor, language: str, now: datetime
) -> PutIn:
    """Write who is to be put into the course; who is there already, the platform has to say."""
    waiting = {one.person_id: one.change.verb for one in on_their_way(space.pk)}
    if any(waiting.get(one.person_id) == Verb.TAKE_OUT for one in people if one.person_id is not None):
        raise _busy()
    going = [one for one in people if one.person_id not in waiting and one.person_id != space.owner_id]
    check_places(space, going, now=now)
    make_people(going, language)
    if going:
        start_change(space, Verb.PUT, going, actor=actor)
    return PutIn(0, len(people) - len(going), coming=len(going))


def _entry_of(row: Enrolment) -> Entry:
    return Entry(row.person.email, row.person.first_name, row.person.last_name, row.role, row.person_id)


def _refuse_busy(space: CourseSpace, person_id: int) -> None:
    if on_their_way(space.pk).filter(person=person_id).exists():
        raise _busy()


def _busy() -> Refused:
    return Refused(
        "busy", _("The course platform is still being told about this person. Wait until that is done.")
    )
