"""What waits or was given up, as the operators' page lists it: jobs, deliveries, mails. What failed comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.translation import pgettext

from billing.models import ProductionRun
from billing.selectors.subjects import Subject, kind_label, subjects_of
from common.models import Job, OutboxMail

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the page. `mark` is a class of tags: error, waits, or nothing; `next_try` None when there is none."""

    pk: int
    what: str
    subject: Subject
    state: str
    mark: str
    attempts: int
    since: datetime
    why: str
    next_try: datetime | None
    has_failed: bool


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page of one table. `kinds`: (kind, label, how many) of everything in it, for jobs."""

    page: Page[Any]
    rows: list[Waiting]
    kinds: list[tuple[str, str, int]]


def unfinished_jobs() -> QuerySet[Job]:
    return _failed_first(Job.objects.exclude(state=Job.State.DONE))


def unfinished_runs() -> QuerySet[ProductionRun]:
    """Deliveries that are not done; what was given up for good needs nobody any more."""
    runs = ProductionRun.objects.exclude(state=ProductionRun.State.DONE).filter(abandoned_at=None)
    return _failed_first(runs)


def unsent_mails() -> QuerySet[OutboxMail]:
    return _failed_first(
        OutboxMail.objects.exclude(state__in=[OutboxMail.State.SENT, OutboxMail.State.CANCELLED])
    )


def waiting_jobs(number: str, *, kind: str = "") -> WaitingPage:
    """Jobs that are not done; only of one kind, if that is named."""
    jobs = unfinished_jobs()
    kinds = jobs.order_by("kind").values_list("kind").annotate(count=Count("pk"))
    page = Paginator(jobs.filter(kind=kind) if kind else jobs, PER_PAGE).get_page(number)
    subjects = subjects_of(page)
    rows = [
        Waiting(
            pk=job.pk,
            what=kind_label(job.kind),
            subject=subjects[job.pk],
            **_state(job, waits=job.waiting_since is not None),
            attempts=job.attempt,
            since=job.waiting_since or job.created_at,
            why=job.last_error,
        )
        for job in page
    ]
    return WaitingPage(page, rows, [(name, kind_label(name), count) for name, count in kinds])


def waiting_runs(number: str) -> WaitingPage:
    """Deliveries that are not done."""
    page = Paginator(unfinished_runs().select_related("line__bill__account"), PER_PAGE).get_page(number)
    return WaitingPage(page, [_of_run(run) for run in page], [])


def waiting_mails(number: str) -> WaitingPage:
    """Mails that have not left."""
    page = Paginator(unsent_mails(), PER_PAGE).get_page(number)
    rows = [
        Waiting(
            pk=mail.pk,
            what=mail.kind,
            subject=Subject(mail.to),
            **_state(mail, waits=mail.attempt > 0),
            attempts=mail.attempt,
            since=mail.created_at,
            why=mail.last_error,
        )
        for mail in page
    ]
    return WaitingPage(page, rows, [])


def _of_run(run: ProductionRun) -> Waiting:
    bill = run.line.bill
    words = _state(run, waits=run.state == ProductionRun.State.WAITING)
    if run.held_at is not None:
        words |= {"state": run.state_words, "next_try": None}
    return Waiting(
        pk=run.pk,
        what=f"{run.line.item_code} · {run.get_phase_display()}",
        subject=Subject(
            bill.number,
            bill.account.name,
            reverse("admin:billing_bill_change", args=[bill.pk]),
        ),
        **words,
        attempts=run.attempt,
        since=run.waiting_since or run.created_at,
        why=run.error,
    )


def _failed_first(rows: QuerySet[Any]) -> QuerySet[Any]:
    place = Case(When(Q(state="failed"), then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.order_by(place, "id")


def _state(row: Job | ProductionRun | OutboxMail, *, waits: bool) -> dict[str, Any]:
    """What the columns of the state hold: `waits` marks what was tried and is to be tried again."""
    failed = row.state == "failed"
    runs = row.state == row.RUNNING
    if failed:
        words = pgettext("work", "given up")
    elif runs:
        words = pgettext("work", "under way")
    else:
        words = pgettext("work", "waits") if waits else pgettext("work", "is next")
    return {
        "state": words,
        "mark": "error" if failed else "waits" if waits and not runs else "",
        "next_try": None if failed or runs else row.not_before,
        "has_failed": failed,
    }
