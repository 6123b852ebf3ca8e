"""Changing one's mind: a seat is taken back, given to somebody else, or the address is corrected (DESIGN section 4).

All this only until the participant has opened the course; the platform is asked again at that moment. With a local
platform each is one transaction, its part included; a remote one is told by a job (`seats.services.changing_far`).
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from common.audit import Actor
from courses.platform import Outcome
from courses.platforms import get_platform
from seats.models import Assignment, Seat, SeatChange
from seats.selectors.refusing import already_enrolled, refusal
from seats.services.changing_far import change_here, reserve_change
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
from seats.services.holding import find, given_to, hold, sitting_in
from seats.services.judging import enrolled_until
from seats.services.opening import note_openings
from seats.services.telling import tell, untell


def release(*, reference: str, account_id: int | None, actor: Actor, why: str = "") -> None:
    """Take a seat back: the person is un-enrolled and leaves the group, the seat is free again.

    Raises Seat.DoesNotExist (with `account_id` also for another account's seat), PlatformAway, and Refused with the
    code `free`, `ended`, `busy` or `started`. On a remote platform the same is done here and now by the steps of
    `start_change`, and NotTold is raised when the rest of it waits for the platform: it will be done without further
    ado.
    """
    _change(find(reference, account_id), Wish(Kind.RELEASE, actor, why=why))


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
    wish = Wish(Kind.REPLACE, actor, email, first_name, last_name, why)
    [new] = _change(find(reference, account_id), wish)
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

    The same seats, all or none; no login is edited. Names are kept unless given anew. The links mailed to the old
    address die, and its login is deleted if nobody ever used it (`seats.services.leaving`). Returns the new
    assignments. Raises as `release` does, and Refused with the code `invalid`, `same_person`, `already_enrolled` or
    `not_told`.
    """
    return _change(find(reference, account_id), Wish(Kind.CORRECT, actor, email, first_name, last_name))


def start_change(
    *,
    kind: Kind,
    reference: str,
    account_id: int | None,
    actor: Actor,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
) -> SeatChange | None:
    """As `release`, `replace` and `correct_address`, without ever asking a remote platform: a job does the rest.

    Returns what waits for it; none when all is done, as on a local platform. Raises as they do, for what our own rows
    can tell.
    """
    wish = Wish(kind, actor, email, first_name, last_name)
    seat = find(reference, account_id)
    if get_platform().is_remote:
        return reserve_change(seat, wish)
    _change(seat, wish)
    return None


def _change(seat: Seat, wish: Wish) -> list[Assignment]:
    """Do it here and now; returns the new assignments."""
    platform = get_platform()
    if platform.is_remote:
        return change_here(seat, wish)
    for sitting in sitting_in(seat):
        all_his = wish.kind is Kind.CORRECT
        note_openings(given_to(sitting.account_id, sitting.holder_id) if all_his else [sitting])
    with transaction.atomic():
        old = hold(seat)
        now = timezone.now()
        check(wish, old, now=now)
        leaving = concerned(wish, old, now=now)
        untell(platform, leaving)
        new: list[Assignment] = []
        if wish.kind is not Kind.RELEASE:
            check_not_seated(wish, leaving, now=now)
            person_id, created = ensure_newcomer(wish, old)
            for one in leaving:
                enrolled = enrolled_until(platform, one.course_id, [person_id], now=now)
                if person_id in enrolled:
                    raise already_enrolled(enrolled[person_id])
            new = anew(wish, leaving, person_id, created_login=created, now=now)
            make_room(new, now=now)
            _check(tell(platform, new))
        return write(wish, leaving, new, now=now)


def _check(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if not outcome.ok:
            raise refusal("not_told", reason=outcome.code or outcome.state)
