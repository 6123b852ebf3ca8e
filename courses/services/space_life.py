"""The life of a course space: its end, a later end, withdrawn and given back.

What ends a space closes its course, and nothing else: no enrolment changes, so whoever was suspended before still is
when it is open again (seed "Achat d'un espace de cours", note 3).

A local platform closes and reopens in the transaction that changes the space. For a remote one the rows come first, and a
job holds the platform to them: whoever withdraws, restores or extends calls nobody, so he may be in a web request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common import audit, jobs
from common.audit import SYSTEM, Actor
from common.jobs import Progress, Waiting
from common.zone import add_exact, iso
from courses.models import CourseSpace, ProductEvent
from courses.platform import CoursePlatform, OutcomeState, PlatformAway
from courses.platforms import get_platform
from courses.services.spaces import SpaceRefused

CHUNK = 500  # spaces per transaction
HOLD_JOB = "courses.hold_space"
TRIES = 5  # how often rows may change while a remote platform is being told about them

EXPIRED, REOPENED = "expired", "reopened"
EXTENDED, WITHDRAWN, RESTORED = "extended", "withdrawn", "restored"

Change = Callable[[CourseSpace], dict[str, Any] | None]
"""Changes a locked row; returns the detail of the event, or none when there was nothing to change."""


# --- the end --------------------------------------------------------------------------------------


def expire_spaces(*, now: datetime) -> int:
    """Close the courses of all spaces whose time is over at `now`; returns how many.

    May be repeated: what is closed is not closed again. What a remote platform does not answer for is left to the
    next time. Raises PlatformAway.
    """
    over = Q(ends_at__lte=now) | Q(withdrawn_at__isnull=False)
    closed, last = 0, 0
    while True:
        due = CourseSpace.objects.filter(over, closed_at=None, pk__gt=last).order_by("pk")
        pks = list(due.values_list("pk", flat=True)[:CHUNK])
        closed += _hold_to(pks, now=now) if pks else 0
        if len(pks) < CHUNK:
            return closed
        last = pks[-1]


# --- changes by hand or by order ------------------------------------------------------------------


def extend_space(
    *, reference: str, until: datetime, actor: Actor, account_id: int | None = None, why: str = ""
) -> CourseSpace:
    """Give a space a later end, and open it again if its time was over (a remote course by a job). May be repeated.

    Raises CourseSpace.DoesNotExist (with `account_id` also for another account's), and SpaceRefused: `withdrawn`, or `too_early` for an end before the present one.
    """

    def change(space: CourseSpace) -> dict[str, Any] | None:
        _refuse_withdrawn(space)
        if until < space.ends_at:
            raise SpaceRefused("too_early", _("The space lasts longer already: nothing was changed."))
        return _set_end(space, until)

    return _change(reference, EXTENDED, change, actor=actor, account_id=account_id, why=why)


def extend_space_by(
    *, reference: str, days: int, at: datetime, key: str, actor: Actor, account_id: int | None = None
) -> CourseSpace:
    """Give a space so many days of 24 hours more, from the later of `at` and its end, and open it again.

    The same key (of an order line) extends once, however often it is asked. Raises as `extend_space`.
    """
    event_key = f"{reference}:{EXTENDED}:{key}"

    def change(space: CourseSpace) -> dict[str, Any] | None:
        _refuse_withdrawn(space)
        if ProductEvent.objects.filter(key=event_key).exists():
            return None
        return _set_end(space, add_exact(max(at, space.ends_at), days=days)) or {}

    return _change(reference, EXTENDED, change, actor=actor, account_id=account_id, event_key=event_key)


def withdraw_space(
    *, reference: str, actor: Actor, account_id: int | None = None, why: str = ""
) -> CourseSpace:
    """Take a space back: nobody gets in any more, and nothing of it is lost. May be repeated.

    A remote course is closed by a job. Raises CourseSpace.DoesNotExist.
    """

    def change(space: CourseSpace) -> dict[str, Any] | None:
        if space.withdrawn_at is not None:
            return None
        space.withdrawn_at = timezone.now()
        return {}

    return _change(reference, WITHDRAWN, change, actor=actor, account_id=account_id, why=why)


def restore_space(
    *, reference: str, actor: Actor, account_id: int | None = None, why: str = ""
) -> CourseSpace:
    """Give a withdrawn space back as it was; it is open unless its time is over. May be repeated.

    A remote course is opened by a job. Raises CourseSpace.DoesNotExist.
    """

    def change(space: CourseSpace) -> dict[str, Any] | None:
        if space.withdrawn_at is None:
            return None
        space.withdrawn_at = None
        return {}

    return _change(reference, RESTORED, change, actor=actor, account_id=account_id, why=why)


def _refuse_withdrawn(space: CourseSpace) -> None:
    if space.withdrawn_at is not None:
        raise SpaceRefused("withdrawn", _("This space was withdrawn: it cannot be extended."))


def _set_end(space: CourseSpace, until: datetime) -> dict[str, Any] | None:
    if until == space.ends_at:
        return None
    detail = {"from": iso(space.ends_at), "until": iso(until)}
    space.ends_at = until
    return detail


def _change(
    reference: str,
    verb: str,
    change: Change,
    *,
    actor: Actor,
    account_id: int | None,
    why: str = "",
    event_key: str | None = None,
) -> CourseSpace:
    """Change a space, note it, and have the platform hold to it: here and now, or a remote one by a job."""
    spaces = CourseSpace.objects.filter(reference=reference)
    if account_id is not None:
        spaces = spaces.filter(account=account_id)
    now = timezone.now()
    with transaction.atomic():
        space = spaces.select_for_update(no_key=True).get()
        detail = change(space)
        if detail is not None:
            space.save(update_fields=["ends_at", "withdrawn_at"])
            _event(space, verb, actor, detail | ({"why": why} if why else {}), event_key).save()
            audit.record(
                actor=actor,
                verb=f"space.{verb}",
                object=f"space:{reference}",
                scope=f"account:{space.account_id}",
                why=why,
            )
        if get_platform().is_remote:
            hold_space_later(space.pk)
        else:
            _hold_to([space.pk], now=now)
    space.refresh_from_db()
    return space


# --- telling the platform --------------------------------------------------------------------------


def hold_space_later(space_id: int) -> None:
    """Have a remote platform hold to what the rows of a space say, by a job; in the caller's transaction.

    A job for what happened to it last, so that each change has one of its own; none for a space that nothing happened to.
    """
    reference = CourseSpace.objects.values_list("reference", flat=True).get(pk=space_id)
    event = ProductEvent.objects.filter(reference=reference).order_by("pk").last()
    if event is not None:
        jobs.start(kind=HOLD_JOB, object_id=event.pk)


def run_hold_space(event_id: int, progress: Progress) -> None:
    """The job behind `hold_space_later`. The platform is told whatever the rows say, because an attempt that was cut off
    may have told it something else. Raises Waiting while it does not answer.
    """
    reference = ProductEvent.objects.values_list("reference", flat=True).get(pk=event_id)
    space = CourseSpace.objects.get(reference=reference)
    now = timezone.now()
    try:
        _closed, held = _hold_remote_to([space.pk], now=now, doubtful={space.pk})
    except PlatformAway as away:
        raise Waiting(str(away)) from away
    if space.pk not in held:
        raise Waiting("The course platform has not confirmed that it closed or opened the course.")


def _hold_to(pks: Collection[int], *, now: datetime) -> int:
    """Have the platform close and reopen courses as these rows say at `now`; returns how many were closed."""
    platform = get_platform()
    if not platform.is_remote:
        with transaction.atomic():
            rows = list(_locked(pks))
            return _note(rows, _tell(platform, rows, now=now), now=now)
    closed, _held = _hold_remote_to(pks, now=now)
    return closed


def _hold_remote_to(
    pks: Collection[int], *, now: datetime, doubtful: Collection[int] = ()
) -> tuple[int, set[int]]:
    """How many were closed, and for which spaces the platform has confirmed what it was told and what still is so.

    `doubtful`: spaces of which it is told whatever the rows say.
    """
    platform = get_platform()
    closed = 0
    held: set[int] = set()
    for _try in range(TRIES):
        seen = {row.pk: row for row in CourseSpace.objects.filter(pk__in=pks)}
        told = _tell(platform, list(seen.values()), now=now, doubtful=doubtful)
        with transaction.atomic():
            rows = list(_locked(told))
            same = {row.pk for row in rows if _as_seen(row, seen[row.pk], now=now)}
            closed += _note(rows, same, now=now)
        held = (held - told) | same
        # Somebody has extended or withdrawn these meanwhile: the platform heard what is no longer so.
        doubtful = told - same
        if not doubtful:
            break
    return closed, held


def _locked(pks: Collection[int]) -> QuerySet[CourseSpace]:
    return CourseSpace.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")


def _as_seen(row: CourseSpace, seen: CourseSpace, *, now: datetime) -> bool:
    return (row.closed_at, row.lasts(now=now)) == (seen.closed_at, seen.lasts(now=now))


def _tell(
    platform: CoursePlatform,
    rows: Sequence[CourseSpace],
    *,
    now: datetime,
    doubtful: Collection[int] = (),
) -> set[int]:
    """The ids of those rows whose course had to be closed or reopened, and now is.

    `doubtful`: rows that no longer say what the platform holds, so that it is told whatever they say.
    """
    shut: list[CourseSpace] = []
    back: list[CourseSpace] = []
    for row in rows:
        lasts = row.lasts(now=now)
        if lasts != (row.closed_at is None) or row.pk in doubtful:
            (back if lasts else shut).append(row)
    done: set[int] = set()
    for group, operation in ((shut, platform.close_courses), (back, platform.reopen_courses)):
        outcomes = operation([row.course_id for row in group]) if group else []
        # Into a course that the platform no longer has nobody gets: that is as good as closed.
        fine = (OutcomeState.OK, OutcomeState.REFUSED) if group is shut else (OutcomeState.OK,)
        done |= {row.pk for row, outcome in zip(group, outcomes, strict=True) if outcome.state in fine}
    return done


def _note(rows: Sequence[CourseSpace], done: Collection[int], *, now: datetime) -> int:
    """Write what the platform has done; returns how many were closed."""
    told = [row for row in rows if row.pk in done]
    shut = [row for row in told if row.closed_at is None and not row.lasts(now=now)]
    back = [row for row in told if row.closed_at is not None and row.lasts(now=now)]
    if shut:
        CourseSpace.objects.filter(pk__in=[row.pk for row in shut]).update(closed_at=timezone.now())
    if back:
        CourseSpace.objects.filter(pk__in=[row.pk for row in back]).update(closed_at=None)
    expired = [row for row in shut if row.withdrawn_at is None]
    events = [(row, EXPIRED) for row in expired] + [(row, REOPENED) for row in back]
    if events:
        ProductEvent.objects.bulk_create(
            [_event(row, verb, SYSTEM, {"ends": iso(row.ends_at)}) for row, verb in events]
        )
    if expired:
        audit.record(actor=SYSTEM, verb="spaces.expire", object="spaces", counts={"spaces": len(expired)})
    return len(shut)


def _event(
    space: CourseSpace, verb: str, actor: Actor, detail: dict[str, Any], key: str | None = None
) -> ProductEvent:
    return ProductEvent(reference=space.reference, actor=actor.label, verb=verb, detail=detail, key=key)
