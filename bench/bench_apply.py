"""A plan of 1,000 people applied: at most 60 statements, and 10,000 at most ten times that; time beside bare SQL."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Person
from accounts.services import NewPerson, ensure_people
from bench.measuring import bare_insert, number, seconds, statements
from common.audit import OPERATOR
from common.listing import PeopleList, from_rows
from common.models import OutboxMail
from courses.models import Course, CourseCategory, Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch
from seats.services import apply_here, create_list, generate_seats

SIZES = (1_000, 10_000)
ALLOWED = 60  # statements for 1,000 people


def run() -> list[str]:
    """One line for each size and kind of people."""
    one_list(100, known=False)  # what only happens once in a process is over
    lines = []
    for size in SIZES:
        for known in (False, True):
            sent, ours, bare, planned = one_list(size, known=known)
            lines.append(
                f"{size:>6} {'existing' if known else 'new':<8} people: {sent} statements "
                f"(at most {ALLOWED * size // 1000}), {1e3 * ours / size:.2f} ms each, "
                f"{ours / bare:.1f} × the bare INSERTs; planned in {1e3 * planned / size:.2f} ms each"
            )
    return lines


def one_list(size: int, *, known: bool) -> tuple[int, float, float, float]:
    """Statements and seconds to apply a list, seconds of the bare rows, seconds of the plan."""
    account = account_with_seats(2 * size)
    batch = prepared(account, size, known=known)
    with statements() as sent:
        apply(batch)
    people = people_list(size, known=known)
    planned = seconds(lambda: plan(account, make_course(), people))
    batch = prepared(account, size, known=known)
    ours = seconds(lambda: apply(batch))
    return len(sent), ours, again(batch, known=known), planned


def account_with_seats(size: int) -> CustomerAccount:
    """An account with so many free seats."""
    account = CustomerAccount.objects.create(slug=f"bench-{number()}", name="Bench")
    generate_seats(
        line_key=uuid.uuid4(),
        account_id=account.pk,
        item_code="SEATS",
        item_name="Seats",
        bill_number=f"CMD-{number()}",
        count=size,
        purchased_at=timezone.now(),
        access_seconds=int(timedelta(days=365).total_seconds()),
    )
    return account


def make_course() -> Course:
    """An open course nobody is in."""
    category, _made = CourseCategory.objects.get_or_create(name="Bench")
    return Course.objects.create(shortname=f"BENCH{number()}", fullname="Bench", category=category)


def people_list(size: int, *, known: bool) -> PeopleList:
    """So many people: nobody has heard of them, or each has a login that is in use."""
    mark = number()
    people = from_rows(
        {"email": f"person{n}@list{mark}.example", "firstname": "Ada", "lastname": f"Number {n}"}
        for n in range(size)
    )
    if known:
        made = ensure_people([NewPerson(row.email, row.firstname, row.lastname) for row in people.rows])
        ids = [pk for pk, _created in made.values()]
        Person.objects.filter(pk__in=ids).update(possessed_at=timezone.now())
    return people


def prepared(account: CustomerAccount, size: int, *, known: bool) -> AssignmentBatch:
    """A planned list for a course nobody is in."""
    return plan(account, make_course(), people_list(size, known=known))


def plan(account: CustomerAccount, course: Course, people: PeopleList) -> AssignmentBatch:
    """Enter a list, which plans it."""
    return create_list(account_id=account.pk, course_id=course.pk, people=people, actor=OPERATOR)


def apply(batch: AssignmentBatch) -> None:
    """Say yes to a list and run its job."""
    apply_here(batch_id=batch.pk, actor=OPERATOR)


def again(batch: AssignmentBatch, *, known: bool) -> float:
    """Seconds to write the rows of an applied list once more, by plain multi-row INSERTs in one transaction."""
    assignments = Assignment.objects.filter(row__batch=batch)
    ids = list(assignments.values_list("person_id", flat=True))
    keys = [f"assignment:{pk}:given" for pk in assignments.values_list("pk", flat=True)]
    written: list[QuerySet[Any, Any]] = [
        Person.objects.filter(pk__in=[] if known else ids),
        Assignment.objects.filter(person__in=ids),
        Enrolment.objects.filter(person__in=ids),
        GroupMember.objects.filter(person__in=ids),
        Delegation.objects.filter(person__in=ids),
        Invitation.objects.filter(person__in=ids),
        OutboxMail.objects.filter(event_key__in=keys),
    ]
    return rewritten(written)


def rewritten(written: list[QuerySet[Any, Any]]) -> float:
    """Seconds to write these rows once more by plain multi-row INSERTs, in this order; they are deleted before."""
    copies = [(rows.model, [stored(row) for row in rows]) for rows in written]
    with transaction.atomic():
        for rows in reversed(written):
            rows._raw_delete(rows.db)  # noqa: SLF001  (the fields that refer to them do not matter here)

    def insert() -> None:
        with transaction.atomic():
            for model, values in copies:
                bare_insert(model._meta.db_table, columns(model), values)

    return seconds(insert)


def columns(model: type[Model]) -> list[str]:
    """The columns of a table."""
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


def stored(row: Model) -> list[Any]:
    """The values of a row as the driver takes them."""
    return [
        field.get_db_prep_save(getattr(row, field.attname), connection) for field in row._meta.concrete_fields
    ]
