"""A list of people: its review before anything happens, its progress, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from common.csvsafe import write_csv
from common.emailkey import suspect_domain
from common.models import Job
from courses.platforms import get_platform
from seats import services
from seats.forms import PoolForm
from seats.models import AssignmentBatch, AssignmentRow, Verdict
from seats.seatrow import SeatCounts
from seats.selectors import BatchTotals, ListRow, batch_rows, batch_totals, pool_counts, total_counts
from seats.selectors.lists import TAKING
from seats.services import Refused
from seats.views import corrections
from seats.views.give import again, columns, may_enter_another, role_cell, too_many_lists
from seats.views.shared import actor, as_page, asked_page, buyers, fetch_list, object_context
from seats.views.words import pool_option
from seats.wording import WILL_BE_INVITED, outcome_word, row_message, verdict_word

PER_PAGE = 50
FRESH = timedelta(minutes=1)
VERDICTS = (
    WILL_BE_INVITED,
    Verdict.NO_SEAT.value,
    Verdict.INVALID.value,
    Verdict.NOT_ALLOWED.value,
    Verdict.DUPLICATE.value,
    Verdict.ALREADY_ENROLLED.value,
)
State = AssignmentBatch.State
Outcome = AssignmentRow.Outcome


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A row of the review. `meant` is the address that was probably meant; `wrong` says which fields are to correct."""

    row: ListRow
    meant: str
    wrong: frozenset[str]

    @property
    def uses_seat(self) -> bool:
        return self.row.planned_verdict == WILL_BE_INVITED


@login_required
@never_cache
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a list is: being checked, to be read, being applied, or done."""
    batch = fetch_list(request, pk, write=False)
    if batch.state == State.PLANNED:
        return _review(request, batch)
    if batch.state == State.APPLIED:
        return _result(request, batch)
    if batch.state == State.DISCARDED:
        return render(request, "seats/list_dropped.html", _context(request, batch))
    return render(request, "seats/list_progress.html", _progress(request, batch))


def _context(request: HttpRequest, batch: AssignmentBatch) -> dict[str, Any]:
    return object_context(request, batch.account) | {"batch": batch, "course": batch.course}


# --- the review ---------------------------------------------------------------------------------------


def _review(request: HttpRequest, batch: AssignmentBatch) -> HttpResponse:
    context = _context(request, batch)
    totals = batch_totals(batch.pk)
    if _is_stale(batch, totals):
        services.plan_again(batch_id=batch.pk)
        if get_platform().is_remote:
            return redirect("seats:list", batch.pk)  # which waits for the job
        totals = batch_totals(batch.pk)
    told = totals.public
    wanted = request.GET.get("verdict", "")
    found = batch_rows(
        batch.pk, page=asked_page(request), per_page=PER_PAGE, verdict=wanted if wanted in VERDICTS else ""
    )
    waiting = totals.missing + (told.get(Verdict.NOT_ALLOWED, 0) if not totals.choices else 0)
    context |= {
        "totals": totals,
        "told": told,
        "left": _left(batch, totals),
        "before": total_counts(_used_pools(batch, totals)),
        "after": _after(batch, totals),
        "rows": [_review_row(row) for row in found.rows],
        "page": as_page(found, PER_PAGE),
        "chips": [("", pgettext("rows", "All"), totals.rows)]
        + [(name, verdict_word(name), told[name]) for name in VERDICTS if told.get(name)],
        "pool_form": PoolForm(pools=totals.choices, words=pool_option, chosen=batch.pool_id)
        if len(totals.choices) > 1
        else None,
        "missing_item": totals.choices[0] if totals.choices else None,
        "newest": next(reversed(pool_counts(batch.account_id)), None) if waiting else None,
        "buyers": buyers(batch.account) if waiting and not context["may_buy"] else [],
    }
    return render(request, "seats/list_review.html", context)


def _is_stale(batch: AssignmentBatch, totals: BatchTotals) -> bool:
    """Whether the plan promises seats that are gone, or withholds some that have come meanwhile.

    A remote platform is not asked again about a plan that is not a minute old.
    """
    if get_platform().is_remote and batch.planned_at and batch.planned_at > timezone.now() - FRESH:
        return False
    free = sum(pool.free for pool in totals.choices if batch.pool_id in (None, pool.pool_id))
    wanting = totals.verdicts[Verdict.NO_SEAT] + totals.verdicts[Verdict.NOT_ALLOWED]
    return totals.seats_used > free or (wanting > 0 and free > totals.seats_used)


def _used_pools(batch: AssignmentBatch, totals: BatchTotals) -> list[Any]:
    return [pool for pool in totals.choices if batch.pool_id in (None, pool.pool_id)]


def _left(batch: AssignmentBatch, totals: BatchTotals) -> int:
    """The seats for this course that stay free."""
    return sum(pool.free for pool in totals.choices) - totals.seats_used


def _after(batch: AssignmentBatch, totals: BatchTotals) -> SeatCounts:
    """The seats it takes from, as they will be."""
    now = total_counts(_used_pools(batch, totals))
    used = min(totals.seats_used, now.free)
    return SeatCounts(now.in_use, now.invited + used, now.free - used, now.ended)


def _review_row(row: ListRow) -> ReviewRow:
    meant = "" if row.planned_verdict in (Verdict.INVALID, Verdict.DUPLICATE) else suspect_domain(row.email)
    return ReviewRow(row, meant or "", frozenset(problem.field for problem in row.problems))


@login_required
@require_POST
def pool(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the seats from another pool."""
    batch = fetch_list(request, pk, write=True)
    form = PoolForm(request.POST, pools=batch_totals(batch.pk).choices, words=pool_option)
    if not form.is_valid():
        messages.error(request, _("These seats do not cover the course. Nothing was changed."))
        return redirect("seats:list", batch.pk)
    try:
        services.choose_pool(batch_id=batch.pk, pool_id=form.pool_id)
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("seats:list", batch.pk)


@login_required
@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct rows where they stand; the list is checked anew."""
    batch = fetch_list(request, pk, write=True)
    if batch.state != State.PLANNED:
        messages.error(request, _("This list has been applied or discarded."))
        return redirect("seats:list", batch.pk)
    changed = corrections.read(request.POST)
    if not corrections.change_anything(batch, changed):
        return redirect("seats:list", batch.pk)
    return _checked_again(request, batch, changed)


def _checked_again(
    request: HttpRequest, batch: AssignmentBatch, changed: corrections.Corrections
) -> HttpResponse:
    if not may_enter_another(batch.account_id):
        messages.error(request, too_many_lists())
        return redirect("seats:list", batch.pk)
    new = again(request, batch, corrections.corrected(batch, changed))
    return redirect("seats:list", new.pk)


@login_required
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the seats. What was corrected and not yet checked is checked first, and shown again."""
    batch = fetch_list(request, pk, write=True)
    changed = corrections.read(request.POST)
    if batch.state == State.PLANNED and corrections.change_anything(batch, changed):
        messages.info(
            request,
            _("Your corrections were checked first. Nothing has been given yet: read the list again."),
        )
        return _checked_again(request, batch, changed)
    try:
        services.start_apply(batch_id=batch.pk, actor=actor(request))
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("seats:list", batch.pk)


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a list that was not applied."""
    batch = fetch_list(request, pk, write=True)
    try:
        services.discard(batch_id=batch.pk, actor=actor(request))
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect("seats:list", batch.pk)
    messages.success(request, _("The list is dropped. No seat was given."))
    return redirect("seats:my")


# --- progress -------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a list is, for the page that asks every other second. When it is done, that page loads anew."""
    batch = fetch_list(request, pk, write=False)
    if batch.state not in (State.PLANNING, State.APPLYING):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "seats/list_progress_bar.html", _progress(request, batch))


def _progress(request: HttpRequest, batch: AssignmentBatch) -> dict[str, Any]:
    job = batch.job
    done, total = (job.done, job.total) if job else (0, 0)
    quarter = done * 4 // total if total else 0
    told = request.GET.get("told", "")
    return _context(request, batch) | {
        "job": job,
        "done": done,
        "total": total,
        "quarter": quarter,
        # The words for screen readers change at the start and at each quarter, not at every question.
        "say": told != str(quarter),
        "is_applying": batch.state == State.APPLYING,
        "stopped": job is not None and job.state == Job.State.FAILED,
        "waits": job is not None and job.state == Job.State.QUEUED and job.attempt > 0,
    }


# --- the result -----------------------------------------------------------------------------------------


def _result(request: HttpRequest, batch: AssignmentBatch) -> HttpResponse:
    totals = batch_totals(batch.pk)
    wanted = request.GET.get("outcome", "")
    found = batch_rows(
        batch.pk,
        page=asked_page(request),
        per_page=PER_PAGE,
        outcome=wanted if wanted in Outcome.values else "",
    )
    refused = totals.outcomes.get(Outcome.REFUSED, 0) + totals.outcomes.get(Outcome.FAILED, 0)
    told = totals.public
    context = _context(request, batch) | {
        "totals": totals,
        "told": told,
        "said": _said(totals, told),
        "given": totals.outcomes.get(Outcome.ASSIGNED, 0),
        "refused": refused,
        "rows": found.rows,
        "page": as_page(found, PER_PAGE),
        "chips": [("", pgettext("rows", "All"), totals.rows)]
        + [
            (name, outcome_word(name), totals.outcomes[name])
            for name in Outcome.values
            if totals.outcomes.get(name)
        ],
        "differing": _differing(batch),
        "counts": total_counts(pool_counts(batch.account_id)),
    }
    return render(request, "seats/list_result.html", context)


def _said(totals: BatchTotals, told: dict[str, int]) -> list[str]:
    """What became of those who got no seat, in words with numbers."""
    number = told.get(Verdict.ALREADY_ENROLLED.value, 0)
    said = []
    if number:
        said.append(
            ngettext(
                "%(count)d person was enrolled already", "%(count)d people were enrolled already", number
            )
            % {"count": number}
        )
    number = told.get(Verdict.DUPLICATE.value, 0)
    if number:
        said.append(
            ngettext(
                "%(count)d row stood twice in the list", "%(count)d rows stood twice in the list", number
            )
            % {"count": number}
        )
    number = totals.outcomes.get(Outcome.REFUSED, 0) + totals.outcomes.get(Outcome.FAILED, 0)
    if number:
        said.append(
            ngettext("%(count)d row has no seat", "%(count)d rows have no seat", number) % {"count": number}
        )
    return said


def _differing(batch: AssignmentBatch) -> int:
    """The rows for which applying came to another public verdict than the review had announced. One query."""
    same = Q(verdict=F("planned_verdict")) | Q(verdict__in=TAKING, planned_verdict__in=TAKING)
    return batch.rows.exclude(same).exclude(verdict="").count()


@login_required
@require_safe
def refused(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows without a seat as CSV, with the reason; it can be read again as it is."""
    batch = fetch_list(request, pk, write=False)
    rows = AssignmentRow.objects.filter(batch=batch, outcome__in=[Outcome.REFUSED, Outcome.FAILED])
    lines = (
        [row.email, row.first_name, row.last_name, role_cell(row.role), _reason(row)]
        for row in rows.order_by("position").iterator()
    )
    content = write_csv([*columns(), _("reason")], lines)
    name = _("without-a-seat")
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{batch.pk}.csv"'},
    )


def _reason(row: AssignmentRow) -> str:
    return row_message(row.verdict, row.detail, row.problems)
