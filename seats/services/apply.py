"""Applying a list: seats are reserved, the platform is told, the assignments are confirmed; part by part.

A local platform is told within the transaction that reserves and confirms: 1,000 people are done together or not at
all. A remote one is told between two transactions, of 100 at a time; what was reserved for whom stands in the rows, and whoever takes
the job over tells the platform again (its operations may be repeated) before he goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from common import audit
from common.audit import Actor
from common.cutting import cut
from common.jobs import Waiting
from courses.platform import CoursePlatform, PlatformAway
from courses.platforms import get_platform
from seats.models import Assignment, AssignmentBatch, AssignmentRow
from seats.services.confirming import confirm, dismiss, reserved, settle
from seats.services.judging import (
    NOBODY,
    SETTLED,
    Found,
    Judged,
    Offered,
    Row,
    judge,
    look,
    offered,
    open_rows,
    seated_until,
)
from seats.services.lists import Reports
from seats.services.locking import lock_account, touch_account
from seats.services.picking import Picker
from seats.services.reserving import reserve
from seats.services.telling import FOUND_ENROLLED, let_oversee, tell

# People per transaction. Each costs some thirty statements whatever its size: with 500 a list of 1,000 would need more
# than the 60 it may have, and 1,000 hold the account's lock for about half a second.
CHUNK = 1_000
# A remote platform takes seconds for a hundred new people; the job reports, and keeps its lease, after each part.
PART = 100
Rows = Sequence[Row]


def actor_of(label: str) -> Actor:
    """The actor whose label a row has kept."""
    kind, _colon, number = label.partition(":")
    return Actor(label, int(number)) if kind == "person" else Actor(label)


class NotTold(Waiting):
    """The platform did not answer, or not for everybody: the job waits until it does."""


@dataclass(frozen=True, slots=True)
class Work:
    """One run over a list."""

    batch: AssignmentBatch
    actor: Actor
    platform: CoursePlatform
    offer: Offered
    picker: Picker
    progress: Reports
    total: int

    @property
    def inviter_id(self) -> int | None:
        """The person who said yes to the list; none for an operator."""
        return self.actor.person_id


def run_apply(batch_id: int, progress: Reports) -> None:
    """Do what a started list says; does nothing for any other. Resumable from rows alone.

    Verdicts are computed anew under the account's lock; `planned_verdict` keeps what was announced. Raises NotTold
    (an OSError) when the platform is away or left somebody unanswered: the next run does what is missing.
    """
    batch = AssignmentBatch.objects.select_related("course").get(pk=batch_id)
    if batch.state != AssignmentBatch.State.APPLYING:
        return
    offer = offered(batch)
    work = Work(
        batch=batch,
        actor=actor_of(batch.applied_by),
        platform=get_platform(),
        offer=offer,
        picker=Picker(offer.pools),
        progress=progress,
        total=batch.size,
    )
    try:
        if work.platform.is_remote:
            _apply_remotely(work)
        else:
            while not _apply_here(work):
                pass
    except PlatformAway as error:
        raise NotTold(str(error)) from error


def _apply_here(work: Work) -> bool:
    """The next people of the list, in one transaction; returns whether they were the last."""
    with transaction.atomic():
        lock_account(work.batch.account_id)
        rows, is_last = _next(work)
        _report(work, rows)
        judged, assignments = _reserve(work, rows, _look(work, rows))
        confirm(assignments, tell(work.platform, assignments), by=work.inviter_id, now=timezone.now())
        settle(judged)
        touch_account(work.batch.account_id)
        if is_last:
            _finish(work)
    return is_last


def _apply_remotely(work: Work) -> None:
    # What an earlier attempt has reserved and not confirmed, those nobody answered for included.
    for part in cut(reserved(work.batch), PART):
        _report(work, [(one.row, None) for one in part if one.row is not None])
        _tell_and_confirm(work, part, ())
    is_last = False
    while not is_last:
        rows, is_last = _next(work)
        found = _look(work, rows)
        with transaction.atomic():
            lock_account(work.batch.account_id)
            # Rows are read by whoever holds the job, so they are still right if he still holds it.
            _report(work, rows)
            judged, assignments = _reserve(work, rows, found)
            touch_account(work.batch.account_id)
        if not _tell_and_confirm(work, assignments, judged):
            is_last = False  # some rows are open again
    if work.batch.rows.filter(outcome=AssignmentRow.Outcome.PENDING).exists():
        raise NotTold("The platform left some people unanswered.")
    with transaction.atomic():
        _finish(work)


def _tell_and_confirm(work: Work, assignments: Sequence[Assignment], judged: Sequence[Judged]) -> bool:
    """Returns whether all these rows are settled, which they are not when somebody was found to be enrolled already."""
    outcomes = tell(work.platform, assignments)
    let_oversee(work.platform, assignments, outcomes, by=work.inviter_id)
    with transaction.atomic():
        lock_account(work.batch.account_id)
        staying = dismiss(assignments, outcomes)
        told = [outcome for outcome in outcomes if outcome != FOUND_ENROLLED]
        confirm(staying, told, by=work.inviter_id, now=timezone.now())
        settle(judged)
        touch_account(work.batch.account_id)
    return len(staying) == len(assignments)


def _next(work: Work) -> tuple[Rows, bool]:
    """The next rows, and whether there are no more after them."""
    most = PART if work.platform.is_remote else CHUNK
    rows = open_rows(work.batch, limit=most + 1)
    return rows[:most], len(rows) <= most


def _report(work: Work, rows: Rows) -> None:
    """How far we are when these rows are done. Raises LeaseLost when somebody else has taken the job over."""
    work.progress.report(rows[-1][0].position if rows else work.total, work.total)


def _look(work: Work, rows: Rows) -> Found:
    """Who is enrolled on the platform; it is not asked about people when no seat covers the course."""
    if not work.offer.pools:
        return NOBODY
    return look(work.platform, work.batch.course_id, rows, now=timezone.now())


def _reserve(work: Work, rows: Rows, found: Found) -> tuple[list[Judged], list[Assignment]]:
    now = timezone.now()
    state = Assignment.State.RESERVED if work.platform.is_remote else Assignment.State.LIVE
    people = [known for row, known in rows if known is not None and row.planned_verdict not in SETTLED]
    judged = judge(rows, work.offer, found, seated=seated_until(work.batch.course_id, people, now=now))
    return judged, reserve(work.batch, judged, work.picker, state=state, actor=work.actor, now=now)


def _finish(work: Work) -> None:
    """The list is applied; one audit entry says what became of it."""
    applying = AssignmentBatch.objects.filter(pk=work.batch.pk, state=AssignmentBatch.State.APPLYING)
    if not applying.update(state=AssignmentBatch.State.APPLIED, applied_at=timezone.now()):
        return
    outcomes = work.batch.rows.order_by().values("outcome").annotate(number=Count("id"))
    audit.record(
        actor=work.actor,
        verb="list.apply",
        object=f"list:{work.batch.pk}",
        scope=f"account:{work.batch.account_id}",
        counts={row["outcome"]: row["number"] for row in outcomes},
    )
