"""Lists of people: entered, planned, started, discarded. What applying does is in `seats.services.apply`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from common import audit, jobs
from common.audit import Actor
from common.cutting import cut
from common.emailkey import email_key
from common.listing import PeopleList
from common.models import Job
from courses.platforms import get_platform
from delegation.refusals import Refused
from seats.models import AssignmentBatch, AssignmentRow, SeatPool, Verdict
from seats.services.judging import (
    NOBODY,
    SETTLED,
    USES_A_SEAT,
    Judged,
    Offered,
    Row,
    judge,
    look,
    offered,
    open_rows,
    seated_until,
)

PLAN_JOB = "seats.plan"
APPLY_JOB = "seats.apply"
CHUNK = 5000  # rows per statement
LOOK = 500  # people about whom a remote platform is asked at a time

State = AssignmentBatch.State


def create_list(
    *, account_id: int, course_id: int, people: PeopleList, actor: Actor, pool_id: int | None = None
) -> AssignmentBatch:
    """Keep a list of people for a course as rows, and plan it: at once, or as a job when the platform is remote.

    `pool_id` is the pool the manager chose, if any. Raises SeatPool.DoesNotExist when it is not the account's.
    """
    if pool_id is not None:
        SeatPool.objects.only("pk").get(pk=pool_id, account=account_id)
    is_remote = get_platform().is_remote
    with transaction.atomic():
        batch = AssignmentBatch.objects.create(
            account_id=account_id,
            course_id=course_id,
            pool_id=pool_id,
            source=people.source,
            size=len(people.rows),
            ignored_columns=list(people.ignored_columns),
            ignored_sheets=list(people.ignored_sheets),
            language=get_language() or settings.LANGUAGE_CODE,
            created_by=actor.label,
        )
        AssignmentRow.objects.bulk_create(_rows(batch, people), batch_size=CHUNK)
        if is_remote:
            batch.job = jobs.start(kind=PLAN_JOB, object_id=batch.pk, total=len(people.rows))
            batch.save(update_fields=["job"])
    if not is_remote:
        plan(batch_id=batch.pk)
        batch.refresh_from_db()
    return batch


def _rows(batch: AssignmentBatch, people: PeopleList) -> Iterator[AssignmentRow]:
    """The rows as entered; what cannot change later (a bad row, an address given twice) is settled here."""
    first_seen: dict[str, int] = {}
    for entry in people.rows:
        row = AssignmentRow(
            batch=batch,
            position=entry.row,
            email=entry.email[:320],
            email_key=email_key(entry.email)[:320],
            first_name=entry.firstname[:150],
            last_name=entry.lastname[:150],
            role=entry.role or "learner",
            problems=[{"field": problem.field, "code": problem.code} for problem in entry.problems],
        )
        if row.problems:
            row.planned_verdict = Verdict.INVALID
        elif first_seen.setdefault(row.email_key, row.position) != row.position:
            row.planned_verdict = Verdict.DUPLICATE
            row.detail = {"row": first_seen[row.email_key]}
        yield row


class Reports(Protocol):
    """Where progress is told (`common.jobs.Progress`)."""

    def report(self, done: int, total: int) -> None:
        """Say how far the work is; raises LeaseLost when somebody else has taken it over."""


def plan(*, batch_id: int, progress: Reports | None = None) -> None:
    """Give each row of a list the verdict it would have now. Reads seats and enrolments, changes neither.

    May be repeated until the list is applied or discarded; does nothing afterwards. Raises PlatformAway.
    """
    while not _planned(batch_id, progress):
        pass


def _planned(batch_id: int, progress: Reports | None) -> bool:
    """Plan once; returns False when another pool was chosen meanwhile. A list that is gone needs no plan."""
    batch = AssignmentBatch.objects.select_related("course").filter(pk=batch_id).first()
    if batch is None:
        return True
    now = timezone.now()
    offer = offered(batch)
    rows = open_rows(batch)
    if offer.pools:
        judged = _judged(batch, offer, rows, progress, now=now)
    else:
        judged = judge(rows, offer, NOBODY, seated={})
    free = offer.free
    for judgement in judged:
        if judgement.verdict in USES_A_SEAT:
            if free:
                free -= 1
            else:
                judgement.verdict = Verdict.NO_SEAT
    with transaction.atomic():
        waiting = AssignmentBatch.objects.filter(pk=batch_id, state__in=[State.PLANNING, State.PLANNED])
        if waiting.filter(pool=batch.pool_id).update(state=State.PLANNED, planned_at=now):
            _keep_plan(judged)
            return True
        return not waiting.exists()


def _judged(
    batch: AssignmentBatch, offer: Offered, rows: Sequence[Row], progress: Reports | None, *, now: datetime
) -> list[Judged]:
    """The rows with their verdicts; a remote platform is asked about some of them at a time."""
    platform = get_platform()
    judged: list[Judged] = []
    for part in cut(rows, LOOK if platform.is_remote else CHUNK):
        if progress is not None:
            progress.report(len(judged), len(rows))
        known = [person for row, person in part if person is not None and row.planned_verdict not in SETTLED]
        seated = seated_until(batch.course_id, known, now=now)
        judged += judge(part, offer, look(platform, batch.course_id, part, now=now), seated=seated)
    return judged


def _keep_plan(judged: Sequence[Judged]) -> None:
    """Write the verdicts: a statement for each verdict, not for each row."""
    by_verdict: dict[Verdict, list[int]] = {}
    explained: list[AssignmentRow] = []
    for judgement in judged:
        row = judgement.row
        if row.planned_verdict != judgement.verdict:
            by_verdict.setdefault(judgement.verdict, []).append(row.pk)
        if row.detail != judgement.detail:
            row.detail = judgement.detail
            explained.append(row)
    for verdict, pks in by_verdict.items():
        for part in cut(pks, CHUNK):
            AssignmentRow.objects.filter(pk__in=part).update(planned_verdict=verdict)
    AssignmentRow.objects.bulk_update(explained, ["detail"], batch_size=500)


def choose_pool(*, batch_id: int, pool_id: int | None) -> None:
    """Take the seats of a list from this pool (none: in the usual order), and plan it anew.

    Raises SeatPool.DoesNotExist when the pool is not the account's, Refused(applied) when it is too late.
    """
    batch = AssignmentBatch.objects.get(pk=batch_id)
    if pool_id is not None:
        SeatPool.objects.only("pk").get(pk=pool_id, account=batch.account_id)
    with transaction.atomic():
        open_lists = AssignmentBatch.objects.filter(pk=batch_id, state__in=[State.PLANNING, State.PLANNED])
        if not open_lists.update(pool=pool_id):
            raise Refused("applied", _("This list has been applied or discarded."))
    plan_again(batch_id=batch_id)


def plan_again(*, batch_id: int) -> None:
    """Plan a list anew: at once, or as a job when the platform is remote. Does nothing once it is applied."""
    if not get_platform().is_remote:
        plan(batch_id=batch_id)
        return
    with transaction.atomic():
        open_lists = AssignmentBatch.objects.filter(pk=batch_id, state__in=[State.PLANNING, State.PLANNED])
        if open_lists.update(state=State.PLANNING):
            batch = AssignmentBatch.objects.get(pk=batch_id)
            batch.job = jobs.restart(kind=PLAN_JOB, object_id=batch_id, total=batch.size)
            batch.save(update_fields=["job"])


def start_apply(*, batch_id: int, actor: Actor) -> Job:
    """Say yes to a planned list: a job applies it. Said twice it is one job, and the same is returned; one that was
    given up after many attempts goes on.

    Without a broker the job runs as soon as the current transaction is committed. Raises Refused(not_planned) while
    the list is being planned, Refused(discarded) when it was.
    """
    with transaction.atomic():
        return _start(batch_id, actor, wake=True)


def apply_here(*, batch_id: int, actor: Actor) -> bool:
    """As `start_apply`, but this process does it, here and now; returns whether it is done. For commands."""
    with transaction.atomic():
        job = _start(batch_id, actor, wake=False)
    jobs.run(job.pk)
    return AssignmentBatch.objects.filter(pk=batch_id, state=State.APPLIED).exists()


def _start(batch_id: int, actor: Actor, *, wake: bool) -> Job:
    started = AssignmentBatch.objects.filter(pk=batch_id, state=State.PLANNED).update(
        state=State.APPLYING, applied_by=actor.label
    )
    batch = AssignmentBatch.objects.select_related("job").get(pk=batch_id)
    if batch.state == State.PLANNING:
        raise Refused("not_planned", _("This list is still being checked."))
    if batch.state == State.DISCARDED:
        raise Refused("discarded", _("This list was discarded."))
    if started:
        if wake:
            batch.job = jobs.start(kind=APPLY_JOB, object_id=batch_id, total=batch.size)
        else:
            batch.job = Job.objects.create(kind=APPLY_JOB, object_id=batch_id, total=batch.size)
        batch.save(update_fields=["job"])
    if batch.job is None:
        raise Job.DoesNotExist(f"list {batch_id}")
    if batch.job.state == Job.State.FAILED:
        _again(batch.job, wake=wake)
    return batch.job


def _again(job: Job, *, wake: bool) -> None:
    """A job that was given up is due again: saying yes once more is how a list that has stopped goes on."""
    jobs.retry(job.pk, wake_up=wake)
    job.state = Job.State.QUEUED


def discard(*, batch_id: int, actor: Actor) -> None:
    """Drop a list that was not applied, with the addresses in it. Raises Refused(applied) when it was."""
    with transaction.atomic():
        open_lists = AssignmentBatch.objects.filter(
            pk=batch_id, state__in=[State.PLANNING, State.PLANNED, State.DISCARDED]
        )
        if not open_lists.update(state=State.DISCARDED):
            raise Refused("applied", _("This list has been applied: take back its seats one by one."))
        deleted, _counts = AssignmentRow.objects.filter(batch=batch_id).delete()
        if deleted:
            audit.record(
                actor=actor, verb="list.discard", object=f"list:{batch_id}", counts={"rows": deleted}
            )
