"""The steps of changing one's mind about a seat, of both kinds of platform: what is checked, and what is written.

Between the checks and the writing the platform is told: a local one in the same transaction, a remote one by a job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Person
from accounts.services import NewPerson, ensure_people
from common import audit
from common.audit import Actor
from common.emailkey import check_email, clean_email, email_key
from delegation.refusals import Refused
from seats.models import Assignment, SeatChange
from seats.selectors.covering import covers
from seats.selectors.pools import access_end, access_start
from seats.selectors.refusing import already_enrolled, refusal
from seats.services.confirming import welcome
from seats.services.holding import given_to
from seats.services.judging import seated_until
from seats.services.leaving import forget_login, leave, let_go
from seats.services.locking import touch_account
from seats.services.reserving import end_stale

Kind = SeatChange.Kind
REASONS = {
    Kind.RELEASE: Assignment.EndReason.TAKEN_BACK,
    Kind.REPLACE: Assignment.EndReason.REPLACED,
    Kind.CORRECT: Assignment.EndReason.CORRECTED,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be otherwise about a seat; `email` is of whoever is to have it."""

    kind: Kind
    actor: Actor
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    why: str = ""


def check(wish: Wish, old: Assignment, *, now: datetime) -> None:
    """Raises Refused with the code `too_late`, `not_allowed`, `invalid` or `same_person`."""
    pool = old.seat.pool
    if wish.kind is Kind.REPLACE and pool.assign_before is not None and pool.assign_before <= now:
        raise refusal("too_late")
    if wish.kind is Kind.REPLACE and not covers(pool, old.course, now=now):
        raise refusal("not_allowed")
    if wish.kind is Kind.RELEASE:
        return
    problem = check_email(wish.email)
    if problem is not None:
        raise Refused("invalid", problem.message)
    if old.person is not None and email_key(wish.email) == old.person.email_key:
        raise refusal("same_person")


def check_not_seated(wish: Wish, old: Sequence[Assignment], *, now: datetime) -> None:
    """Raises Refused(already_enrolled) when the new person sits in a seat of one of these courses."""
    person = Person.objects.filter(email_key=email_key(wish.email)).values_list("pk", flat=True).first()
    if person is None:
        return
    for one in old:
        seated = seated_until(one.course_id, [person], now=now)
        if person in seated:
            raise already_enrolled(seated[person])


def concerned(wish: Wish, old: Assignment, *, now: datetime) -> list[Assignment]:
    """What changes: the seat, and first; with a mistyped address everything this account gave to it and was not opened."""
    if wish.kind is not Kind.CORRECT:
        return [old]
    moving = [one for one in given_to(old.account_id, old.holder_id) if _may_move(one, now)]
    return sorted(moving, key=lambda one: one.pk != old.pk)


def _may_move(one: Assignment, now: datetime) -> bool:
    has_ended = one.ends_at is not None and one.ends_at <= now
    return one.opened_at is None and one.state == Assignment.State.LIVE and not has_ended


def ensure_newcomer(wish: Wish, old: Assignment) -> tuple[int, bool]:
    """The person who is to have the seat, and whether his row was made now."""
    language = old.person.language if old.person else "fr"
    email = clean_email(wish.email)
    person = NewPerson(email, *_names(wish, old), language)
    return ensure_people([person])[email_key(email)]


def anew(
    wish: Wish, old: Sequence[Assignment], person_id: int, *, created_login: bool, now: datetime
) -> list[Assignment]:
    """The assignments that follow these, not saved: same seats, courses, roles and groups, dates from now on."""
    return [
        Assignment(
            seat=one.seat,
            account_id=one.account_id,
            person_id=person_id,
            course=one.course,
            role=one.role,
            group_name=one.group_name,
            email=clean_email(wish.email),
            first_name=first_name,
            last_name=last_name,
            state=Assignment.State.LIVE,
            starts_at=access_start(one.seat.pool, now),
            ends_at=_end_anew(one, now),
            created_login=created_login,
            created_at=now,
            created_by=wish.actor.label,
        )
        for one in old
        for first_name, last_name in [_names(wish, one)]
    ]


def _names(wish: Wish, old: Assignment) -> tuple[str, str]:
    """A corrected address keeps the names unless they are given anew."""
    if wish.kind is not Kind.CORRECT:
        return wish.first_name.strip(), wish.last_name.strip()
    return (wish.first_name or old.first_name).strip(), (wish.last_name or old.last_name).strip()


def _end_anew(old: Assignment, now: datetime) -> datetime | None:
    """Counted from now as for every seat of its pool, or the end to which this very seat was extended."""
    end = access_end(old.seat.pool, access_start(old.seat.pool, now))
    return None if end is None or old.ends_at is None else max(end, old.ends_at)


def make_room(new: Sequence[Assignment], *, now: datetime) -> None:
    """End what these people still have in these courses and what is over by date."""
    for one in new:
        end_stale(one.course_id, [one.holder_id], now=now)


def write(
    wish: Wish, old: Sequence[Assignment], new: Sequence[Assignment], *, now: datetime
) -> list[Assignment]:
    """The platform has been told: end the old assignments, keep the new ones, and tell everybody concerned.

    Returns the new ones. Raises Refused(already_enrolled) when another account was quicker with this person and
    course. Under the account's lock.
    """
    first = old[0]
    leave(old, reason=REASONS[wish.kind], actor=wish.actor, now=now)
    kept: list[Assignment] = []
    if new:
        Assignment.objects.bulk_create(new, ignore_conflicts=True)
        seats = [one.seat_id for one in new]
        found = Assignment.objects.filter(seat__in=seats, ended_at=None).order_by("seat_id")
        kept = list(found.select_related("person", "course", "seat__pool"))
        if len(kept) < len(new):
            raise already_enrolled(None)
        welcome(kept, by=wish.actor.person_id)
    disown = wish.kind is Kind.CORRECT
    gone = let_go(first.account_id, first.holder_id, actor=wish.actor, disown=disown)
    if gone and disown:
        forget_login(first.account_id, first.holder_id)
    touch_account(first.account_id)
    audit.record(
        actor=wish.actor,
        verb=f"seat.{wish.kind}",
        object=f"seat:{first.seat.reference}",
        scope=f"account:{first.account_id}",
        counts={"seats": len(new)} if disown else {},
        why=wish.why,
    )
    return kept
