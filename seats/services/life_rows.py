"""What the services of a product's life share: its events, and a platform that holds to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common import jobs, outbox
from common.audit import Actor
from common.cutting import cut
from common.jobs import Progress
from courses.models import ProductEvent
from courses.platform import Outcome, OutcomeState, PlatformAway
from courses.platforms import get_platform
from courses.wording import lazy_refusal_words
from delegation.refusals import Refused
from seats.models import Assignment, Seat, SeatChange, Session
from seats.selectors.products import ProductKind, find_product, latest_assignments, sits_elsewhere
from seats.services.apply import NotTold
from seats.services.confirming import invite, letter
from seats.services.telling import groups, pairs, tell

CHUNK = 500  # seats per transaction
TRIES = 5  # how often rows may change while a remote platform is told of them, or a race may be lost
HOLD_JOB = "seats.hold"

# Verbs of product events that only seats know; the others are those of course spaces.
KEPT, TO_CREDIT, COURSES = "kept", "to_credit", "courses"

Reason = Assignment.EndReason
Result = TypeVar("Result")


def events_of(
    details: Mapping[str, Mapping[str, Any]],
    verb: str,
    *,
    actor: Actor,
    at: datetime,
    why: str = "",
    key: str = "",
) -> list[ProductEvent]:
    """One event for each reference, not saved. With a `key` it can be saved once only."""
    return [
        ProductEvent(
            reference=reference,
            at=at,
            actor=actor.label,
            verb=verb,
            detail={**detail, **({"why": why} if why else {})},
            key=event_key(reference, verb, key) if key else None,
        )
        for reference, detail in details.items()
    ]


def event_key(reference: str, verb: str, key: str) -> str:
    """The key of an event that happens once: such as the extension that an order line brings."""
    return f"{reference}:{verb}:{key}"


def won(change: Callable[[], Result]) -> Result:
    """The result of a transaction that may lose a race for a person's only live seat in a course; it is tried again."""
    for attempt in range(1, TRIES + 1):
        try:
            return change()
        except IntegrityError:
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")


# --- the platform ---------------------------------------------------------------------------------


def tell_here(running: Sequence[Assignment], gone: Sequence[Assignment] = ()) -> None:
    """Tell a local platform, in the transaction that changes the rows. Raises Refused(not_told): roll back."""
    platform = get_platform()
    check(tell(platform, _no_longer_new(running)))
    if gone:
        check(platform.end_enrolments(pairs(gone)))


def _no_longer_new(assignments: Sequence[Assignment]) -> list[Assignment]:
    """The same, for a platform on which somebody may have given even new logins a later end since."""
    settled = [copy(one) for one in assignments]
    for one in settled:
        one.created_login = False
    return settled


def check(outcomes: Iterable[Outcome]) -> None:
    """Raises Refused(not_told) for the first refusal, PlatformAway when somebody was left unanswered."""
    told = list(outcomes)
    for outcome in told:
        if outcome.state is OutcomeState.REFUSED:
            message = _("The course platform refuses this: {reason}.")
            raise Refused("not_told", format_lazy(message, reason=lazy_refusal_words(outcome.code)))
    if any(not outcome.ok for outcome in told):
        raise PlatformAway("The platform left some people unanswered.")


def hold_later(event_ids: Iterable[int]) -> None:
    """Have a remote platform told what the products of these events are now, by a job each."""
    for event_id in event_ids:
        jobs.start(kind=HOLD_JOB, object_id=event_id)


def run_hold_job(event_id: int, progress: Progress) -> None:
    """The job behind `hold_later`. Raises NotTold (an OSError) when the platform is away: it is tried again."""
    reference = ProductEvent.objects.values_list("reference", flat=True).get(pk=event_id)
    try:
        run_hold(reference)
    except PlatformAway as error:
        raise NotTold(str(error)) from error


def run_hold(reference: str) -> None:
    """Have the platform hold to what the rows of a seat or a session say now. May be repeated.

    Whoever sits in a seat is enrolled until its end; who had one that expired or was withdrawn is suspended, unless
    he sits in another seat of the course. Whoever is being taken out of a seat (`SeatChange`) stays out. Raises
    PlatformAway, Refused(not_told).
    """
    for part in cut(list(latest_assignments(_seats_of(reference)).values_list("pk", flat=True)), CHUNK):
        told: set[int] = set()
        for _try in range(TRIES):
            seen = _rows(part)
            _tell(seen, told)
            if _as_told(_rows(part)) == _as_told(seen):
                break
            # Somebody has changed one of them meanwhile: the platform hears the newest.


def _seats_of(reference: str) -> Any:
    product = find_product(reference)
    if product.kind is ProductKind.SESSION:
        return Seat.objects.filter(pool__in=Session.objects.filter(pk=product.pk).values("pool"))
    return Seat.objects.filter(pk=product.pk)


def _rows(pks: Sequence[int]) -> list[Assignment]:
    leaving = SeatChange.objects.filter(assignment=OuterRef("pk"), state=SeatChange.State.TELLING)
    found = Assignment.objects.filter(pk__in=pks, person__isnull=False).annotate(
        elsewhere=sits_elsewhere(), leaving=Exists(leaving)
    )
    return list(found.select_related("person").order_by("pk"))


def _as_told(rows: Sequence[Any]) -> list[tuple[object, ...]]:
    return [(row.pk, row.state, row.ends_at, row.end_reason, row.leaving) for row in rows]


def _tell(rows: Sequence[Any], told: set[int]) -> None:
    """Tell the platform of rows as `_rows` gives them. `told`: who was told before that he is in; whoever is now, too."""
    now = timezone.now()
    platform = get_platform()
    running = [
        row
        for row in rows
        if row.state == Assignment.State.LIVE and not is_over(row, now) and not row.leaving
    ]
    check(tell(platform, _no_longer_new(running)))
    # Who was taken out of his seat while we said that he is in it.
    left = [row for row in rows if row.leaving or (row.pk in told and row.ended_at and not row.elsewhere)]
    over = [row for row in rows if row.end_reason in (Reason.EXPIRED, Reason.WITHDRAWN) and not row.elsewhere]
    if over or left:
        check(platform.end_enrolments(pairs([*over, *left])))
    if in_groups := groups(left):
        check(platform.remove_group_members(in_groups))
    told.update(row.pk for row in running)


# --- people ---------------------------------------------------------------------------------------


def is_over(assignment: Assignment, now: datetime) -> bool:
    """Whether the access of an assignment has ended by date."""
    return assignment.ends_at is not None and assignment.ends_at <= now


def write_again(assignments: Sequence[Assignment], *, mark: str, actor: Actor) -> None:
    """Write to people who get back into their courses: the invitation, where nobody has used the login. One account.

    `mark` names the event, so that it is one mail each.
    """
    if not assignments:
        return
    invitations = invite(assignments, by=actor.person_id)
    outbox.queue_many(
        letter(one, invitations.get(one.holder_id), event=f"assignment:{one.pk}:back:{mark}")
        for one in assignments
    )
