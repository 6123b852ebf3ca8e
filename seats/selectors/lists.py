"""Lists of people: their totals and their rows, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Count, F, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from common.listing import Problem
from common.models import OutboxMail
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Verdict
from seats.selectors.covering import AssignableCourse, assignable_courses, covering_pools
from seats.selectors.pools import PoolCounts, pool_counts
from seats.wording import problems_of, public_verdict, row_message

PER_PAGE = 50
TAKING = (Verdict.NEW_ACCOUNT.value, Verdict.EXISTING_ACCOUNT.value)


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How many seats of a pool a list takes (or took), and when access ends that is given now."""

    pool_id: int
    item_code: str
    item_name: str
    bill_number: str
    seats: int
    access_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """A list in numbers: as planned until it is applied, as done afterwards.

    `verdicts` has every verdict of DESIGN section 4, `public` the same with the first two as `will_be_invited`.
    `missing` is how many seats would have to be bought; `covered` what the free seats do cover, when somebody is
    `not_allowed`. `choices` are the pools to choose from, in the order in which seats are taken.
    """

    state: str
    rows: int
    verdicts: dict[str, int]
    outcomes: dict[str, int]
    seats_used: int
    free_left: int
    missing: int
    pools: list[PoolUse]
    choices: list[PoolCounts]
    covered: list[AssignableCourse]

    @property
    def public(self) -> dict[str, int]:
        """The verdicts as customers see them."""
        told: dict[str, int] = {}
        for verdict, number in self.verdicts.items():
            told[public_verdict(verdict)] = told.get(public_verdict(verdict), 0) + number
        return told


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row as the portal shows it. `mail` is the state of the mail (empty: none was queued)."""

    position: int
    email: str
    first_name: str
    last_name: str
    role: str
    problems: list[Problem]
    planned_verdict: str  # public
    verdict: str  # public; empty until applied
    outcome: str
    message: str
    seat: str  # reference
    mail: str

    @property
    def differs(self) -> bool:
        """Whether applying came to another verdict than the review had announced."""
        return bool(self.verdict) and self.verdict != self.planned_verdict


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of rows; `number` counts from 1 and is within `pages`, whatever was asked for."""

    rows: list[ListRow]
    number: int
    pages: int
    total: int


def batch_totals(batch_id: int) -> BatchTotals:
    """A list in numbers. A constant number of queries, whatever its length."""
    batch = AssignmentBatch.objects.select_related("course").get(pk=batch_id)
    verdicts = dict.fromkeys(Verdict.values, 0)
    outcomes: dict[str, int] = {}
    rows = used = to_come = 0
    effective = Coalesce(NullIf(F("verdict"), Value("")), F("planned_verdict"), output_field=CharField())
    groups = batch.rows.order_by().annotate(effective=effective).values("effective", "outcome")
    for group in groups.annotate(number=Count("id")):
        verdict, outcome, number = group["effective"], group["outcome"], group["number"]
        rows += number
        if verdict:  # a list that is still being planned has rows without one
            verdicts[verdict] += number
        if outcome:
            outcomes[outcome] = outcomes.get(outcome, 0) + number
        if verdict in TAKING and outcome != AssignmentRow.Outcome.FAILED:
            used += number
            to_come += number if not outcome else 0
    account_pools = pool_counts(batch.account_id)
    covering = covering_pools(account_pools, batch.course)
    chosen = [pool for pool in covering if batch.pool_id in (None, pool.pool_id)]
    return BatchTotals(
        state=batch.state,
        rows=rows,
        verdicts=verdicts,
        outcomes=outcomes,
        seats_used=used,
        free_left=sum(pool.free for pool in account_pools) - to_come,
        missing=verdicts[Verdict.NO_SEAT],
        pools=_uses(batch, account_pools, chosen, to_come),
        choices=[pool for pool in covering if pool.free],
        covered=assignable_courses(batch.account_id) if verdicts[Verdict.NOT_ALLOWED] else [],
    )


def batch_rows(
    batch_id: int, *, page: int = 1, per_page: int = PER_PAGE, verdict: str = "", outcome: str = ""
) -> ListPage:
    """A page of the rows of a list, in its order. Three queries. `verdict` (a public one) and `outcome` filter."""
    effective = Coalesce(NullIf(F("verdict"), Value("")), F("planned_verdict"), output_field=CharField())
    rows = AssignmentRow.objects.filter(batch=batch_id).annotate(effective=effective)
    if verdict:
        rows = rows.filter(effective__in=[name for name in Verdict.values if public_verdict(name) == verdict])
    if outcome:
        rows = rows.filter(outcome=outcome)
    total = rows.count()
    pages = max(1, -(-total // per_page))
    number = min(max(1, page), pages)
    first = (number - 1) * per_page
    found = list(rows.select_related("assignment__seat").order_by("position")[first : first + per_page])
    mails = mail_states(row.assignment.pk for row in found if hasattr(row, "assignment"))
    return ListPage([_row(row, mails) for row in found], number, pages, total)


def mail_states(assignment_ids: Iterable[int]) -> dict[int, str]:
    """The state of the mail that told each of these people about the seat. One query."""
    events = {f"assignment:{pk}:given": pk for pk in assignment_ids}
    found = OutboxMail.objects.filter(event_key__in=events).values_list("event_key", "state")
    return {events[event]: state for event, state in found}


def _uses(
    batch: AssignmentBatch, pools: Iterable[PoolCounts], chosen: Iterable[PoolCounts], to_come: int
) -> list[PoolUse]:
    """The seats by pool: those given, and those that will be, in the order in which they are taken."""
    given = Assignment.objects.filter(row__batch=batch.pk).exclude(end_reason=Assignment.EndReason.FAILED)
    seats = dict(given.order_by().values_list("seat__pool").annotate(number=Count("id")))
    for pool in chosen:
        taken = min(pool.free, to_come)
        if taken:
            seats[pool.pool_id] = seats.get(pool.pool_id, 0) + taken
            to_come -= taken
    now = timezone.now()
    return [
        PoolUse(
            pool.pool_id,
            pool.item_code,
            pool.item_name,
            pool.bill_number,
            seats[pool.pool_id],
            pool.access_end(now),
        )
        for pool in pools
        if pool.pool_id in seats
    ]


def _row(row: AssignmentRow, mails: dict[int, str]) -> ListRow:
    assignment: Assignment | None = getattr(row, "assignment", None)
    verdict = row.verdict or row.planned_verdict
    return ListRow(
        position=row.position,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        role=row.role,
        problems=problems_of(row.problems),
        planned_verdict=public_verdict(row.planned_verdict),
        verdict=public_verdict(row.verdict),
        outcome=row.outcome,
        message=row_message(verdict, row.detail, row.problems) if verdict else "",
        seat=assignment.seat.reference if assignment else "",
        mail=mails.get(assignment.pk, "") if assignment else "",
    )
