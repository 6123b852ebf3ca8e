"""A later end for what an account owns: by an order (from the later of the purchase and the old end), or to a date.

The rows change first, under the account's lock; a local platform is told in the same transaction, a remote one
afterwards. What an order line extends is known by the key of its event: however often it is delivered, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common import audit
from common.audit import Actor
from common.cutting import cut
from common.zone import DateRangeError, add_exact, iso, parse_iso
from courses.models import ProductEvent
from courses.platforms import get_platform
from courses.services import SpaceRefused, extend_space, extend_space_by
from courses.services.space_life import EXTENDED
from delegation.refusals import Refused
from seats.models import Assignment, Seat, SeatPool, Session
from seats.selectors.products import (
    Product,
    ProductKind,
    find_product,
    latest_assignments,
    seat_obstacle,
    session_obstacle,
    sits_elsewhere,
)
from seats.services.life_rows import (
    CHUNK,
    Reason,
    event_key,
    events_of,
    hold_later,
    is_over,
    run_hold,
    tell_here,
    won,
    write_again,
)
from seats.services.locking import lock_account, touch_account


@dataclass(frozen=True, slots=True)
class Extended:
    """What an extension has come to; asked again it is the same. `until` is exclusive."""

    product: Product
    until: datetime
    event_id: int | None = None  # of the product's event; none when nothing had to be changed


@dataclass(frozen=True, slots=True)
class _Later:
    """How an end becomes later. `key` is that of the order line; empty when staff acts."""

    end_after: Callable[[datetime], datetime]
    actor: Actor
    key: str = ""
    why: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def done(self) -> Exists:
        """Whether the seat of an assignment has been extended by this line already."""
        key = Concat(OuterRef("seat__reference"), Value(f":{EXTENDED}:{self.key}"), output_field=CharField())
        return Exists(ProductEvent.objects.filter(key=key))

    def before(self, reference: str) -> ProductEvent | None:
        """The event by which this line has extended a product already."""
        if not self.key:
            return None
        return ProductEvent.objects.filter(key=event_key(reference, EXTENDED, self.key)).first()


# --- by an order --------------------------------------------------------------------------------------


def run_extend(
    *,
    reference: str,
    days: int,
    at: datetime,
    key: str,
    actor: Actor,
    account_id: int | None = None,
    order: str = "",
) -> Extended:
    """Give a product so many days of 24 hours more, from the later of `at` and its end; what expired is open again.

    A session's reference extends everybody who sits in its seats, and how long its free ones may be given. The same
    `key` (of an order line) extends once. Raises PlatformAway and Refused with the code `unknown` (with `account_id`
    also another account's), `withdrawn`, `unlimited`, `free`, `busy`, `elsewhere`, `too_far` or `not_told`.
    """

    def end_after(end: datetime) -> datetime:
        try:
            return add_exact(max(at, end), days=days)
        except DateRangeError as error:
            raise Refused("too_far", _("The new end lies outside the calendar.")) from error

    product = find_product(reference, account_id=account_id)
    later = _Later(end_after, actor, key=key, detail={"order": order} if order else {})
    if product.kind is ProductKind.SPACE:
        return _extend_space_by(product, later, days=days, at=at)
    extended = _extend(product, later)
    if get_platform().is_remote:
        run_hold(reference)
    return extended


def check_extend(*, reference: str, key: str, account_id: int) -> None:
    """Raises Refused as `run_extend` does when it cannot extend this product and has not done so by this key."""
    product = find_product(reference, account_id=account_id)
    known = ProductEvent.objects.filter(key=event_key(reference, EXTENDED, key))
    if product.obstacle is not None and not known.exists():
        raise product.obstacle


# --- by staff -----------------------------------------------------------------------------------------


def extend_to(*, reference: str, until: datetime, actor: Actor, why: str) -> Extended:
    """Give a product this end (exclusive), which is no earlier than the one it has; what expired is open again.

    A session's seats that last longer keep their end. May be repeated. Raises as `run_extend`, and Refused with the
    code `too_early` or `past`. A remote platform is told by a job.
    """
    if until <= timezone.now():
        raise Refused("past", _("This date has passed: nothing was changed."))
    product = find_product(reference)
    if product.kind is ProductKind.SPACE:
        return _extend_space_to(product, until, actor=actor, why=why)
    if product.ends_at is not None and until < product.ends_at:
        raise Refused("too_early", _("It lasts longer already: nothing was changed."))
    return _extend(product, _Later(lambda end: max(end, until), actor, why=why))


# --- spaces -------------------------------------------------------------------------------------------


def _extend_space_by(product: Product, later: _Later, *, days: int, at: datetime) -> Extended:
    if product.obstacle is not None and later.before(product.reference) is None:
        raise product.obstacle
    try:
        space = extend_space_by(
            reference=product.reference,
            days=days,
            at=at,
            key=later.key,
            actor=later.actor,
            account_id=product.account_id,
        )
    except SpaceRefused as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
    event = later.before(product.reference)
    return Extended(product, _until(event) if event else space.ends_at, event.pk if event else None)


def _extend_space_to(product: Product, until: datetime, *, actor: Actor, why: str) -> Extended:
    try:
        space = extend_space(
            reference=product.reference,
            until=until,
            actor=actor,
            account_id=product.account_id,
            why=why,
        )
    except SpaceRefused as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
    event = ProductEvent.objects.filter(reference=product.reference, verb=EXTENDED).last()
    changed = event is not None and until != product.ends_at
    return Extended(product, space.ends_at, event.pk if event is not None and changed else None)


# --- seats and sessions -------------------------------------------------------------------------------


def _extend(product: Product, later: _Later) -> Extended:
    if product.kind is ProductKind.SEAT:
        return won(lambda: _extend_seat(product, later))
    extended, since = _extend_session(product, later)
    pool = Session.objects.filter(pk=product.pk).values("pool")
    # Whoever got his seat after the session was extended has the new end already.
    given = latest_assignments(Seat.objects.filter(pool__in=pool, withdrawn_at=None)).filter(
        created_at__lte=since
    )
    is_told = bool(later.key) or not get_platform().is_remote
    for part in cut(list(given.values_list("pk", flat=True)), CHUNK):
        each = not is_told and extended.event_id is None
        won(lambda part=part, each=each: _extend_seats(product, part, later, hold_each=each))  # type: ignore[misc]
    if not is_told and extended.event_id is not None:
        hold_later([extended.event_id])
    return extended


def _extend_seat(product: Product, later: _Later) -> Extended:
    with transaction.atomic():
        lock_account(product.account_id)
        seat = Seat.objects.select_for_update(no_key=True).get(pk=product.pk)
        before = later.before(product.reference)
        if before is not None:
            return Extended(product, _until(before), before.pk)
        one = next(iter(_locked(latest_assignments(Seat.objects.filter(pk=seat.pk)))), None)
        obstacle = seat_obstacle(seat, one, elsewhere=one is not None and _is_elsewhere(one))
        if obstacle is not None:
            raise obstacle
        assert one is not None  # noqa: S101 - nobody in the seat would be an obstacle
        assert one.ends_at is not None  # noqa: S101 - no end would be one, too
        events = _move([one], later)
        if events:
            _record(product, later, seats=1)
            if not later.key and get_platform().is_remote:
                hold_later([events[0].pk])
        return Extended(product, one.ends_at, events[0].pk if events else None)


def _extend_session(product: Product, later: _Later) -> tuple[Extended, datetime]:
    """The session itself and how long its free seats may be given; and the instant from which that holds."""
    with transaction.atomic():
        lock_account(product.account_id)
        now = timezone.now()
        session = Session.objects.select_for_update(no_key=True).get(pk=product.pk)
        before = later.before(product.reference)
        if before is not None:
            return Extended(product, _until(before), before.pk), before.at
        obstacle = session_obstacle(session)
        if obstacle is not None:
            raise obstacle
        assert session.ends_at is not None  # noqa: S101 - no end would be an obstacle
        end = later.end_after(session.ends_at)
        if end == session.ends_at:
            return Extended(product, end), now
        detail = {**later.detail, "from": iso(session.ends_at), "until": iso(end)}
        [event] = events_of(
            {product.reference: detail}, EXTENDED, actor=later.actor, at=now, why=later.why, key=later.key
        )
        event.save()
        Session.objects.filter(pk=session.pk).update(ends_at=end, expired_at=None)
        SeatPool.objects.filter(pk=session.pool_id).update(access_ends_at=end)
        _free_again(session.pool_id)
        seats = Seat.objects.filter(pool=session.pool_id, withdrawn_at=None)
        _record(product, later, seats=seats.count())
        touch_account(product.account_id)
    return Extended(product, end, event.pk), now


def _free_again(pool_id: int) -> None:
    """Seats of a pool that expired while nobody had them may be given again."""
    expired = Seat.objects.filter(pool=pool_id, withdrawn_at=None, expired_at__isnull=False)
    kept = latest_assignments(expired).filter(end_reason=Reason.EXPIRED)
    expired.exclude(pk__in=list(kept.values_list("seat", flat=True))).update(expired_at=None)


def _extend_seats(product: Product, pks: Sequence[int], later: _Later, *, hold_each: bool) -> None:
    """Extend these assignments of one account, except those that cannot be or have been by this line."""
    with transaction.atomic():
        lock_account(product.account_id)
        # A seat that was given back or withdrawn meanwhile is left alone.
        found = Assignment.objects.filter(
            Q(ended_at=None) | Q(end_reason=Reason.EXPIRED, seat__expired_at__isnull=False),
            pk__in=pks,
            seat__withdrawn_at=None,
            person__isnull=False,
            ends_at__isnull=False,
            state__in=[Assignment.State.LIVE, Assignment.State.ENDED],
        )
        if later.key:
            found = found.exclude(later.done)
        rows = _locked(found.select_related("person", "course", "seat__pool").order_by("seat_id"))
        events = _move([one for one in rows if one.ended_at is None or not _is_elsewhere(one)], later)
        if hold_each:
            hold_later(event.pk for event in events)


def _locked(rows: QuerySet[Assignment]) -> list[Assignment]:
    annotated = rows.annotate(elsewhere=sits_elsewhere())
    return list(annotated.select_for_update(no_key=True, of=("self",)))


def _is_elsewhere(one: Assignment) -> bool:
    return bool(one.elsewhere)  # type: ignore[attr-defined]  # annotated by _locked


def _move(rows: Sequence[Assignment], later: _Later) -> list[ProductEvent]:
    """Give locked assignments their new end, note it, and tell a local platform; returns the events."""
    now = timezone.now()
    ends = {one.pk: later.end_after(one.ends_at) for one in rows if one.ends_at is not None}
    rows = [one for one in rows if one.pk in ends and (ends[one.pk] != one.ends_at or one.ended_at)]
    if not rows:
        return []
    # Who could not get in any more, whether or not `expire` has run since.
    back = [one for one in rows if one.ended_at is not None or is_over(one, now)]
    details = {
        one.seat.reference: {**later.detail, "from": iso(one.ends_at), "until": iso(ends[one.pk])}
        for one in rows
    }
    _write(rows, ends)
    events = events_of(details, EXTENDED, actor=later.actor, at=now, why=later.why, key=later.key)
    ProductEvent.objects.bulk_create(events)
    if not get_platform().is_remote:
        tell_here([one for one in rows if not is_over(one, now)])
    mark = later.key or str(events[0].pk)
    write_again([one for one in back if not is_over(one, now)], mark=mark, actor=later.actor)
    touch_account(rows[0].account_id)
    return events


def _write(rows: Sequence[Assignment], ends: Mapping[int, datetime]) -> None:
    """One UPDATE for each new end: seats of a session mostly share it."""
    groups: dict[datetime, list[int]] = {}
    for one in rows:
        one.ends_at = ends[one.pk]
        groups.setdefault(ends[one.pk], []).append(one.pk)
    reopened = [one for one in rows if one.ended_at is not None]
    for end, pks in groups.items():
        Assignment.objects.filter(pk__in=pks).update(
            ends_at=end, state=Assignment.State.LIVE, ended_at=None, ended_by="", end_reason=""
        )
    if reopened:
        Seat.objects.filter(pk__in=[one.seat_id for one in reopened]).update(expired_at=None)
    for one in rows:
        one.state, one.ended_at, one.ended_by, one.end_reason = Assignment.State.LIVE, None, "", ""


def _record(product: Product, later: _Later, *, seats: int) -> None:
    audit.record(
        actor=later.actor,
        verb=f"{product.kind}.{EXTENDED}",
        object=product.object,
        scope=f"account:{product.account_id}",
        counts={"seats": seats},
        why=later.why,
    )


def _until(event: ProductEvent) -> datetime:
    return parse_iso(event.detail["until"])
