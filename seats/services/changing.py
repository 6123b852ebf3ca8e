"""Changing one's mind: a seat is taken back, given to somebody else, or the address is corrected (DESIGN section 4).

All this only until the participant has opened the course; the platform is asked again at that moment. Each is one
transaction, a local platform's part included.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.services import NewPerson, ensure_people
from common import audit
from common.audit import Actor
from common.emailkey import check_email, clean_email, email_key
from courses.platforms import get_platform
from delegation.refusals import Refused
from seats.models import Assignment
from seats.selectors.covering import covers
from seats.selectors.pools import access_end, access_start
from seats.services.confirming import welcome
from seats.services.holding import find, given_to, hold, sitting_in, until
from seats.services.judging import enrolled_until, seated_until
from seats.services.leaving import forget_login, leave, let_go
from seats.services.locking import touch_account
from seats.services.opening import note_openings
from seats.services.reserving import end_stale
from seats.services.telling import tell

Reason = Assignment.EndReason


def release(*, reference: str, account_id: int | None, actor: Actor, why: str = "") -> None:
    """Take a seat back: the person is un-enrolled and leaves the group, the seat is free again.

    Raises Seat.DoesNotExist (with `account_id` also for another account's seat), PlatformAway, and Refused with the
    code `free`, `ended`, `busy` or `started`.
    """
    seat = find(reference, account_id)
    note_openings(sitting_in(seat))
    with transaction.atomic():
        assignment = hold(seat)
        leave([assignment], reason=Reason.TAKEN_BACK, actor=actor, now=timezone.now())
        let_go(assignment.account_id, assignment.holder_id, actor=actor)
        touch_account(assignment.account_id)
        _record(actor, "seat.release", assignment, why)


def replace(
    *,
    reference: str,
    account_id: int | None,
    email: str,
    actor: Actor,
    first_name: str = "",
    last_name: str = "",
    why: str = "",
) -> Assignment:
    """Give a seat to somebody else: same course, role and group, with dates of his own from now on.

    Raises as `release` does, and Refused with the code `invalid`, `same_person`, `already_enrolled`, `too_late` (the
    seat may no longer be given), `not_allowed` (nor into this course) or `not_told` (the platform refused).
    """
    seat = find(reference, account_id)
    note_openings(sitting_in(seat))
    with transaction.atomic():
        old = hold(seat)
        now = timezone.now()
        pool = old.seat.pool
        if pool.assign_before is not None and pool.assign_before <= now:
            raise Refused("too_late", _("This seat may no longer be given to anybody new."))
        if not covers(pool, old.course, now=now):
            raise Refused("not_allowed", _("This seat no longer covers the course."))
        _check_address(email, old)
        leave([old], reason=Reason.REPLACED, actor=actor, now=now)
        [new] = _seat_anew([old], email, first_name, last_name, actor=actor, now=now)
        let_go(old.account_id, old.holder_id, actor=actor)
        touch_account(old.account_id)
        _record(actor, "seat.replace", new, why)
    return new


def correct_address(
    *,
    reference: str,
    account_id: int | None,
    email: str,
    actor: Actor,
    first_name: str = "",
    last_name: str = "",
) -> list[Assignment]:
    """The address was mistyped: whatever this account gave to it and was not opened goes to the right one.

    The same seats, in one transaction; no login is edited. Names are kept unless given anew. The links mailed to the
    old address die, and its login is deleted if nobody ever used it (`seats.services.leaving`). Returns the new
    assignments. Raises as `release` does, and Refused with the code `invalid`, `same_person`, `already_enrolled` or
    `not_told`.
    """
    seat = find(reference, account_id)
    for mistaken in sitting_in(seat):
        note_openings(given_to(mistaken.account_id, mistaken.holder_id))
    with transaction.atomic():
        old = hold(seat)
        now = timezone.now()
        _check_address(email, old)
        moving = [one for one in given_to(old.account_id, old.holder_id) if _may_move(one, now)]
        leave(moving, reason=Reason.CORRECTED, actor=actor, now=now)
        new = _seat_anew(
            moving, email, first_name or old.first_name, last_name or old.last_name, actor=actor, now=now
        )
        if let_go(old.account_id, old.holder_id, actor=actor, disown=True):
            forget_login(old.account_id, old.holder_id)
        touch_account(old.account_id)
        _record(actor, "seat.correct", old, "", seats=len(new))
    return new


def _may_move(one: Assignment, now: datetime) -> bool:
    has_ended = one.ends_at is not None and one.ends_at <= now
    return one.opened_at is None and one.state == Assignment.State.LIVE and not has_ended


def _check_address(email: str, old: Assignment) -> None:
    problem = check_email(email)
    if problem is not None:
        raise Refused("invalid", problem.message)
    if old.person is not None and email_key(email) == old.person.email_key:
        raise Refused("same_person", _("This is the address of the person who has the seat."))


def _seat_anew(
    old: Sequence[Assignment], email: str, first_name: str, last_name: str, *, actor: Actor, now: datetime
) -> list[Assignment]:
    """Put a person into the seats of assignments that have just ended, and tell everybody concerned."""
    email = clean_email(email)
    language = old[0].person.language if old[0].person else "fr"
    people = ensure_people([NewPerson(email, first_name.strip(), last_name.strip(), language)])
    person_id, created = people[email_key(email)]
    for one in old:
        _check_not_enrolled(one.course_id, person_id, now)
        end_stale(one.course_id, [person_id], now=now)
    Assignment.objects.bulk_create(
        [
            Assignment(
                seat=one.seat,
                account_id=one.account_id,
                person_id=person_id,
                course_id=one.course_id,
                role=one.role,
                group_name=one.group_name,
                email=email,
                first_name=first_name.strip(),
                last_name=last_name.strip(),
                starts_at=access_start(one.seat.pool, now),
                ends_at=_end_anew(one, now),
                created_login=created,
                created_at=now,
                created_by=actor.label,
            )
            for one in old
        ],
        ignore_conflicts=True,
    )
    new = list(
        Assignment.objects.filter(seat__in=[one.seat_id for one in old], ended_at=None)
        .select_related("person", "course", "seat__pool")
        .order_by("seat_id")
    )
    if len(new) < len(old):
        # Another account was quicker with this person and course.
        raise Refused("already_enrolled", until(None))
    for outcome in tell(get_platform(), new):
        if not outcome.ok:
            message = _("The course platform refused this person ({reason}).")
            raise Refused("not_told", format_lazy(message, reason=outcome.code or outcome.state))
    Assignment.objects.filter(pk__in=[one.pk for one in new]).update(state=Assignment.State.LIVE)
    welcome(new, by=actor.person_id)
    return new


def _end_anew(old: Assignment, now: datetime) -> datetime | None:
    """Counted from now as for every seat of its pool, or the end to which this very seat was extended."""
    end = access_end(old.seat.pool, access_start(old.seat.pool, now))
    return None if end is None or old.ends_at is None else max(end, old.ends_at)


def _check_not_enrolled(course_id: int, person_id: int, now: datetime) -> None:
    enrolled = seated_until(course_id, [person_id], now=now)
    enrolled |= enrolled_until(get_platform(), course_id, [person_id], now=now)
    if person_id in enrolled:
        raise Refused("already_enrolled", until(enrolled[person_id]))


def _record(actor: Actor, verb: str, assignment: Assignment, why: str, **counts: int) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        object=f"seat:{assignment.seat.reference}",
        scope=f"account:{assignment.account_id}",
        counts=counts,
        why=why,
    )
