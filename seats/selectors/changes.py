"""Changes of mind about seats of a remote platform: what waits, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from common.models import Job
from courses.platforms import get_platform
from delegation.refusals import Refused
from seats.models import Assignment, SeatChange
from seats.selectors.refusing import refusal

State = SeatChange.State
TOLD_FOR = timedelta(minutes=10)  # how long it is said that a change was done; history keeps it
REASON_FOR = timedelta(days=7)  # and why it was not, as long as the same person has the seat
MOST = 20  # that are told of at once


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody has changed his mind about a seat.

    `name` is who had the seat when it was asked for, `email` whoever is to have it or has it now. `waits`: the platform
    does not answer; `stopped`: the shop has to look after it.
    """

    pk: int
    kind: str  # a value of SeatChange.Kind
    reference: str
    name: str
    email: str
    is_open: bool
    is_refused: bool
    waits: bool = False
    stopped: bool = False
    refused: Refused | None = None

    @property
    def told(self) -> str:
        """Changes whenever there is something else to say."""
        return f"{self.pk}-{int(self.is_open)}{int(self.waits)}{int(self.stopped)}"


def change_of(seat_id: int) -> Change | None:
    """What is, or was lately, done to a seat because somebody changed his mind. One query; none on a local platform."""
    if not get_platform().is_remote:
        return None
    newest = _changes(SeatChange.objects.filter(seat=seat_id)).order_by("-pk").first()
    return _told(newest) if newest is not None and _is_news(newest, timezone.now()) else None


def changes_of(account_id: int) -> list[Change]:
    """What waits for the platform in an organisation, and what was refused lately. One query; none on a local platform."""
    if not get_platform().is_remote:
        return []
    now = timezone.now()
    wanted = Q(state__in=SeatChange.OPEN) | Q(state=State.REFUSED, ended_at__gt=now - REASON_FOR)
    newer = SeatChange.objects.filter(seat=OuterRef("seat"), pk__gt=OuterRef("pk"))
    found = _changes(SeatChange.objects.filter(wanted, ~Exists(newer), account=account_id)).order_by("-pk")
    return [_told(one) for one in found[:MOST] if _is_news(one, now)]


def changing(seat_ids: Iterable[int]) -> dict[int, str]:
    """Those of these seats that are being changed, and how. One query; none on a local platform."""
    if not get_platform().is_remote:
        return {}
    found = SeatChange.objects.filter(seat__in=list(seat_ids), state__in=SeatChange.OPEN)
    return dict(found.values_list("seat_id", "kind"))


def _changes(changes: QuerySet[SeatChange]) -> QuerySet[SeatChange]:
    sitting = Assignment.objects.filter(seat=OuterRef("seat"), ended_at=None)
    return changes.select_related("seat", "assignment", "job", "lead__job").annotate(
        sitter=sitting.values("email")[:1], still=Exists(sitting.filter(pk=OuterRef("assignment")))
    )


def _is_news(change: SeatChange, now: datetime) -> bool:
    if change.state in SeatChange.OPEN or change.ended_at is None:
        return True
    if change.state == State.DONE:
        return change.ended_at > now - TOLD_FOR
    return change.ended_at > now - REASON_FOR and bool(change.still)  # type: ignore[attr-defined]  # annotated


def _told(change: SeatChange) -> Change:
    job = change.lead.job if change.lead is not None else change.job
    one = change.assignment
    is_open = change.state in SeatChange.OPEN
    return Change(
        pk=change.pk,
        kind=change.kind,
        reference=change.seat.reference,
        name=f"{one.first_name} {one.last_name}".strip() or one.email,
        email=change.email or change.sitter or "",  # type: ignore[attr-defined]  # annotated
        is_open=is_open,
        is_refused=change.state == State.REFUSED,
        waits=is_open and job is not None and job.state == Job.State.QUEUED and job.attempt > 0,
        stopped=is_open and job is not None and job.state == Job.State.FAILED,
        refused=refusal(change.code, **change.detail) if change.state == State.REFUSED else None,
    )
