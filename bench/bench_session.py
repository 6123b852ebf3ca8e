"""A session of 1,000 participants: its run takes at most 80 statements; time beside the bare SQL of the same rows."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery import current_app
from django.db.models import QuerySet

from accounts.models import CustomerAccount, Invitation, Member, Person, Role
from bench.bench_apply import make_course, people_list, rewritten
from bench.measuring import number, seconds, statements
from billing.models import ProductionRun
from billing.production import run as run_now
from billing.services import OrderLine, identity_of, open_bill, place
from catalog.models import CatalogItem
from catalog.selectors import get_shop
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.models import Enrolment, GroupMember
from delegation.models import Delegation
from handlers.contract import ParticipantEntry
from portal.sample.items import SELLER
from seats.models import Assignment, AssignmentRow, Seat

SIZES = (1_000, 10_000)
ALLOWED = 80  # statements for 1,000 participants
CODE = "SESSION"
HANDLER = "setuponecoursesession"
BUYER = "buyer@bench.example"


def run() -> list[str]:
    """One line for each size and kind of people."""
    # Runs wait for us instead of following each commit.
    current_app.conf.task_always_eager = False
    account = a_shop()
    deliver(ordered(account, 100, known=False))  # what only happens once in a process is over
    lines = []
    for size in SIZES:
        for known in (False, True):
            waiting = ordered(account, size, known=known)
            with statements() as sent:
                deliver(waiting)
            waiting = ordered(account, size, known=known)
            ours = seconds(partial(deliver, waiting))
            bare = again(waiting, known=known)
            lines.append(
                f"{size:>6} {'existing' if known else 'new':<8} participants: {len(sent)} statements "
                f"(at most {ALLOWED * size // 1000}), {1e3 * ours / size:.2f} ms each, "
                f"{ours / bare:.1f} × the bare INSERTs"
            )
    return lines


def a_shop() -> CustomerAccount:
    """A seller, one item of his, and an organisation that may order it."""
    shop = get_shop()
    for name, value in SELLER.items():
        setattr(shop, name, value)
    shop.save()
    CatalogItem.objects.create(
        shop=shop, code=CODE, name_fr=CODE, name_en=CODE, price=1000, handler=HANDLER, seat_mode="quantity"
    )
    account = CustomerAccount.objects.create(slug=f"bench-{number()}", name="Bench")
    buyer = Person.objects.create_user(BUYER)
    Member.objects.create(account=account, person=buyer, role=Role.BUYER)
    return account


def ordered(account: CustomerAccount, size: int, *, known: bool) -> ProductionRun:
    """The delivery of an opened order of a session for so many people, in a course nobody is in."""
    item = CatalogItem.objects.get(code=CODE)
    item.params = f"coursename={make_course().shortname}&duration=180"
    item.save(update_fields=["params"])
    buyer = Person.objects.get(email_key=BUYER)
    people = [
        ParticipantEntry(row.email, row.firstname, row.lastname)
        for row in people_list(size, known=known).rows
    ]
    bill = place(
        account=account,
        buyer=buyer,
        lines=[OrderLine(item, size, participants=people)],
        identity=identity_of(account, buyer),
        paymode="transfer",
        terms_version=item.shop.terms_version,
        actor=OPERATOR,
    )
    open_bill(number=bill.number, how="payment", actor=OPERATOR)
    runs = ProductionRun.objects.filter(line__bill=bill)
    run_now(runs.get(phase=ProductionRun.Phase.PREPARE).pk)
    return runs.get(phase=ProductionRun.Phase.DELIVER)


def deliver(waiting: ProductionRun) -> None:
    """Run it here and now, from the claim to the record."""
    if not run_now(waiting.pk):
        waiting.refresh_from_db()
        raise RuntimeError(waiting.error)


def again(done: ProductionRun, *, known: bool) -> float:
    """Seconds to write what a delivery has written once more."""
    given = Assignment.objects.filter(seat__pool__line_key=done.line.key)
    ids = list(given.values_list("person_id", flat=True))
    keys = [f"assignment:{pk}:given" for pk in given.values_list("pk", flat=True)]
    seats = list(given.values_list("seat_id", flat=True))
    rows = list(given.values_list("row_id", flat=True))
    written: list[QuerySet[Any, Any]] = [
        Person.objects.filter(pk__in=[] if known else ids),
        Seat.objects.filter(pk__in=seats),
        AssignmentRow.objects.filter(pk__in=rows),
        Assignment.objects.filter(seat__in=seats),
        Enrolment.objects.filter(person__in=ids),
        GroupMember.objects.filter(person__in=ids),
        Delegation.objects.filter(person__in=ids),
        Invitation.objects.filter(person__in=ids),
        OutboxMail.objects.filter(event_key__in=keys),
    ]
    return rewritten(written)
