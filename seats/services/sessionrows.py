"""The rows of a line whose people were named at the purchase: its pool, its list, its session, its seats.

The list is one like those that managers enter, with the source `order`: what became of each person stands in its rows,
and a run that was interrupted goes on from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import Person
from common.audit import SYSTEM, Actor
from common.emailkey import email_key
from common.references import new_reference
from courses.models import Course
from courses.platform import GroupRow
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool, Session, Verdict
from seats.services.generate import insert_seats
from seats.services.judging import Judged
from seats.services.leaving import forget_login

State = AssignmentBatch.State


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody named at the purchase; `role` is learner or tutor."""

    email: str
    first_name: str = ""
    last_name: str = ""
    role: str = "learner"


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A bought line that puts the people named into one course.

    `learner` and `supervisor` are roles of the platform. `is_session`: the line is a product with a reference of its
    own. `buyer_tutors`: the buyer is enrolled as a tutor as well, without a seat.
    """

    line_key: UUID
    account_id: int
    buyer_id: int | None
    item_code: str
    item_name: str
    bill_number: str
    purchased_at: datetime
    renewable: bool
    course: Course
    learner: str
    supervisor: str
    starts_at: datetime
    ends_at: datetime | None
    people: tuple[Named, ...]
    is_session: bool = True
    buyer_tutors: bool = False

    @property
    def actor(self) -> Actor:
        """Who gives these seats: whoever named the people."""
        return SYSTEM if self.buyer_id is None else Actor.person(self.buyer_id)

    def in_group(self, person_id: int) -> GroupRow:
        """A person in the group of the order."""
        return GroupRow(self.course.pk, self.bill_number, person_id)


@dataclass(frozen=True, slots=True)
class Line:
    """The rows of a line; `session` is its reference, or empty."""

    pool: SeatPool
    batch: AssignmentBatch
    session: str

    @property
    def is_done(self) -> bool:
        return self.batch.state == State.APPLIED


def find_line(order: SessionOrder) -> Line | None:
    """The rows of a line that an earlier attempt has made. Raises ValueError when it is known as something else."""
    pool = SeatPool.objects.filter(line_key=order.line_key).select_related("session").first()
    if pool is None:
        return None
    batch = AssignmentBatch.objects.filter(pool=pool, source=AssignmentBatch.ORDER).first()
    if batch is None or (pool.account_id, pool.size) != (order.account_id, len(order.people)):
        raise ValueError(f"Line {order.line_key} has {pool.size} seats of account {pool.account_id}")
    return Line(pool, batch, pool.session.reference if hasattr(pool, "session") else "")


def make_line(order: SessionOrder, *, language: str) -> Line:
    """Make the rows of a line, under the account's lock; its seats are made when they are given."""
    pool = SeatPool.objects.create(
        line_key=order.line_key,
        account_id=order.account_id,
        item_code=order.item_code,
        item_name=order.item_name,
        bill_number=order.bill_number,
        size=len(order.people),
        courselist=order.course.shortname,
        course=order.course,
        learner=order.learner,
        supervisor=order.supervisor,
        access_starts_at=order.starts_at,
        access_ends_at=order.ends_at,
        renewable=order.renewable,
        purchased_at=order.purchased_at,
    )
    batch = AssignmentBatch.objects.create(
        account_id=order.account_id,
        course=order.course,
        pool=pool,
        state=State.APPLYING,
        size=len(order.people),
        source=AssignmentBatch.ORDER,
        language=language or settings.LANGUAGE_CODE,
        created_by=order.actor.label,
        applied_by=order.actor.label,
    )
    AssignmentRow.objects.bulk_create(
        AssignmentRow(
            batch=batch,
            position=position,
            email=person.email,
            email_key=email_key(person.email),
            first_name=person.first_name,
            last_name=person.last_name,
            role=person.role,
            # What was bought for each of them: a seat.
            planned_verdict=Verdict.EXISTING_ACCOUNT,
        )
        for position, person in enumerate(order.people, start=1)
    )
    return Line(pool, batch, _make_session(order, pool) if order.is_session else "")


def _make_session(order: SessionOrder, pool: SeatPool) -> str:
    session = Session.objects.create(
        account_id=order.account_id,
        line_key=order.line_key,
        pool=pool,
        reference=new_reference(),
        course=order.course,
        group_name=order.bill_number,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
    )
    return session.reference


class NewSeats:
    """The seats of a line, made as they are taken: nobody else ever finds one free before the line is done.

    The ordinal of a seat is the place of its person in the order. Only to be used under the account's lock.
    """

    def __init__(self, pool: SeatPool, judged: Sequence[Judged]) -> None:
        self._pool = pool
        self._ordinals = [one.row.position for one in judged if one.verdict != Verdict.ALREADY_ENROLLED]

    def take(self, wanted: int, *, now: datetime) -> list[Seat]:
        """The next seats, at least one."""
        made: list[Seat] = []
        ordinals = self._ordinals[:wanted]
        while not made:
            insert_seats(self._pool, ordinals)
            made = list(Seat.objects.filter(pool=self._pool, ordinal__in=ordinals).order_by("ordinal"))
        for seat in made:
            seat.pool = self._pool
        taken = {seat.ordinal for seat in made}
        self._ordinals = [ordinal for ordinal in self._ordinals if ordinal not in taken]
        return made


def verdicts(line: Line) -> dict[str, int]:
    """How many people came to which verdict. One query."""
    groups = line.batch.rows.order_by().values("verdict").annotate(number=Count("id"))
    return {group["verdict"]: group["number"] for group in groups}


def finish(line: Line) -> dict[str, int]:
    """Everybody is in: the seats of those who needed none are free now, for this course; returns the verdicts.

    Under the account's lock.
    """
    numbers = verdicts(line)
    if Verdict.ALREADY_ENROLLED in numbers:
        _make_free_seats(line)
    AssignmentBatch.objects.filter(pk=line.batch.pk, state=State.APPLYING).update(
        state=State.APPLIED, applied_at=timezone.now()
    )
    line.batch.state = State.APPLIED
    return numbers


def _make_free_seats(line: Line) -> None:
    made = Seat.objects.filter(pool=line.pool).values("ordinal")
    freed = line.batch.rows.filter(verdict=Verdict.ALREADY_ENROLLED).exclude(position__in=made)
    missing = list(freed.values_list("position", flat=True))
    while missing:
        insert_seats(line.pool, missing)
        missing = list(freed.values_list("position", flat=True))


def joining(batch: AssignmentBatch) -> list[tuple[AssignmentRow, int]]:
    """The people of a list who were enrolled already, with their ids. One query."""
    rows = batch.rows.filter(verdict=Verdict.ALREADY_ENROLLED)
    known = dict(
        Person.objects.filter(email_key__in=rows.order_by().values("email_key")).values_list(
            "email_key", "pk"
        )
    )
    return [(row, known[row.email_key]) for row in rows if row.email_key in known]


def has_begun(line: Line) -> bool:
    """Whether somebody has been told already that he is in."""
    held = Assignment.objects.filter(row__batch=line.batch, state=Assignment.State.RESERVED)
    return Assignment.objects.filter(seat__pool=line.pool).exclude(pk__in=held.values("pk")).exists()


def others_in_group(order: SessionOrder, person_ids: Sequence[int], line: Line) -> set[int]:
    """Those of the people whom another line of the same order has put into its group."""
    other: QuerySet[Assignment] = Assignment.objects.filter(
        account=order.account_id,
        course=order.course,
        group_name=order.bill_number,
        person__in=person_ids,
        ended_at=None,
    ).exclude(seat__pool=line.pool)
    return {pk for pk in other.values_list("person_id", flat=True) if pk is not None}


def remove_line(line: Line) -> None:
    """Delete every row of a line that nobody knows of yet, and the logins made for it. Under the account's lock."""
    held = Assignment.objects.filter(row__batch=line.batch)
    made = [
        pk for pk in held.filter(created_login=True).values_list("person_id", flat=True) if pk is not None
    ]
    held.delete()
    Seat.objects.filter(pool=line.pool).delete()
    Session.objects.filter(pool=line.pool).delete()
    line.batch.delete()
    line.pool.delete()
    for person_id in made:
        forget_login(line.pool.account_id, person_id, made_now=True)
