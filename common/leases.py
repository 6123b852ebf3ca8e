"""Rows that are work: claimed by one UPDATE, held for a while, taken over when the holder is gone.

A holder may only write while it still holds: every write is `WHERE attempt = mine`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

# How long work waits between two looks for something absent.
SHORTEST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)


class LeaseLost(Exception):
    """Somebody else has taken this row over; whatever we were about to write is void."""


class LeasedRow(models.Model):
    """A row of work.

    `state` is one of the subclass's states; `CLAIMABLE` may be claimed when due, `RUNNING` may be
    taken over once its lease has ended. What is not `FREE` waits although it is due.
    """

    CLAIMABLE: ClassVar[tuple[str, ...]] = ("queued",)
    FREE: ClassVar[Q] = Q()
    RUNNING: ClassVar[str] = "running"

    state: Any  # a CharField of the subclass's own choices
    attempt = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        abstract = True


class PatientRow(LeasedRow):
    """Work that is given up after many attempts, of which those that met something absent do not count.

    While all that keeps it from going on is something outside (a platform that does not answer), it waits and is never
    given up: `waiting_since` says since when.
    """

    # Attempts made before it was last queued by hand, or that met something absent: the limit counts without them.
    attempts_before = models.PositiveIntegerField(default=0)
    waiting_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def tries(self) -> int:
        """The attempts that count, the current one included."""
        return self.attempt - self.attempts_before


def due(model: type[LeasedRow], *, now: datetime) -> Q:
    """What may be claimed at `now`: waiting and due, or running with an ended lease."""
    waiting = Q(state__in=model.CLAIMABLE, not_before__lte=now) & model.FREE
    return waiting | Q(state=model.RUNNING, lease_until__lte=now)


Row = TypeVar("Row", bound=LeasedRow)


def claim(
    model: type[Row], pk: int, *, seconds: int, now: datetime | None = None, takeover: bool = False
) -> Row | None:
    """Claim one row for `seconds`, or return None when it is not ours to take.

    With `takeover` a running row is taken even though its lease has not ended.
    """
    now = now or timezone.now()
    allowed = due(model, now=now)
    if takeover:
        allowed |= Q(state=model.RUNNING)
    row = model._default_manager.filter(allowed, pk=pk).first()
    if row is None:
        return None
    lease_until = timezone.now() + timedelta(seconds=seconds)
    won = model._default_manager.filter(allowed, pk=pk, attempt=row.attempt).update(
        state=model.RUNNING, attempt=F("attempt") + 1, lease_until=lease_until
    )
    if not won:
        return None
    row.attempt += 1
    row.lease_until = lease_until
    row.state = model.RUNNING
    return row


def record(row: LeasedRow, **fields: Any) -> None:
    """Write to a held row; raises LeaseLost when it is no longer ours."""
    model = type(row)
    mine = Q(pk=row.pk, attempt=row.attempt, state=model.RUNNING)
    if not model._default_manager.filter(mine).update(**fields):
        raise LeaseLost(f"{model.__name__} {row.pk}")
    for name, value in fields.items():
        setattr(row, name, value)


def renew(row: LeasedRow, *, seconds: int) -> None:
    """Hold a row for `seconds` more; raises LeaseLost when it is no longer ours."""
    record(row, lease_until=timezone.now() + timedelta(seconds=seconds))


def back_off(attempt: int) -> timedelta:
    """How long to wait after the given failed attempt: 10 s, 20 s, 40 s … at most an hour."""
    return timedelta(seconds=min(10 * 2 ** (attempt - 1), 3600))


def wait(row: PatientRow, why: str, **fields: Any) -> None:
    """Put a held row back because something outside is absent; raises LeaseLost when it is no longer ours.

    It is due again after as long as it has waited already, at least 10 s and at most 5 minutes: 10 s, 10 s, 20 s, 40 s …
    """
    now = timezone.now()
    since = row.waiting_since or now
    pause = min(max(now - since, SHORTEST_WAIT), LONGEST_WAIT)
    record(
        row,
        **fields,
        waiting_since=since,
        attempts_before=row.attempts_before + 1,
        not_before=now + pause,
        lease_until=None,
        last_error=why,
    )


def waiting(model: type[PatientRow]) -> Q:
    """What waits for something outside, nobody being at it."""
    return Q(state__in=model.CLAIMABLE, waiting_since__isnull=False)


def call_waiting(model: type[PatientRow]) -> list[int]:
    """Make what waits for something outside due at once; returns what was not. What is held back stays so."""
    now = timezone.now()
    asleep = model._default_manager.filter(waiting(model) & model.FREE, not_before__gt=now)
    called = list(asleep.order_by("id").values_list("pk", flat=True))
    model._default_manager.filter(waiting(model), pk__in=called).update(not_before=now)
    return called
