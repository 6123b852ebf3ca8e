"""A session, killed after every SQL statement and every commit of its delivery, ends as if nothing had happened.

On every database: a process that dies leaves what it had committed, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import Invitation, Person
from billing.models import ProductionRun
from billing.production import run
from billing.services import OrderLine, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from courses.models import Course, Enrolment, GroupMember
from delegation.models import Delegation
from handlers.contract import ParticipantEntry
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Session
from seats.selectors import seats_with_state
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.concurrency.killing import count_steps, run_killed
from tests.courses.factories import make_course, make_enrolment
from tests.seats.remote import install

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW = timezone.now()
DAY = timedelta(days=1)
PARTS = 2  # so that several processes can share the walk
_numbers = count(1)


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings, monkeypatch) -> Iterator[None]:
    """The tests say who runs what, and no mail leaves; a session is done four people at a time."""
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setattr("seats.services.session.CHUNK", 4)
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


def order_of(handler: str, params: str, **fields: Any) -> CatalogItem:
    item = CatalogItem.objects.filter(code=handler[:20]).first()
    item = item or plain_item(handler[:20], handler=handler, **fields)
    item.params = params
    item.save()
    return item


class Bought:
    """An organisation of its own with an opened order for all sorts of people, in a course of its own."""

    handler = "setuponecoursesession"

    def __init__(self) -> None:
        self.mark = f"walk{next(_numbers)}"
        self.course: Course = make_course(self.mark)
        self.customer = Customer(
            make_account(slug=self.mark), make_person(), make_person(email=self.address("buyer"))
        )
        self.item = self.make_item()
        bill = self.customer.place(self.line())
        self.bill = record_payment(number=bill.number, actor=OPERATOR, at=NOW)
        runs = ProductionRun.objects.filter(line__bill=self.bill)
        assert run(runs.get(phase="prepare").pk)
        self.run = runs.get(phase="deliver")

    def make_item(self) -> CatalogItem:
        params = f"coursename={self.mark}&duration=30&autoenrolsupervisor=1"
        return order_of(self.handler, params, seat_mode="quantity")

    def line(self) -> OrderLine:
        make_person(email=self.address("inuse"), possessed_at=NOW)
        make_person(email=self.address("staff"), is_staff=True)
        inside = make_person(email=self.address("inside"))
        make_enrolment(self.course, inside, starts_at=NOW - DAY, ends_at=NOW + 99 * DAY)
        over = make_person(email=self.address("over"))
        make_enrolment(self.course, over, starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)
        names = ("new", "inuse", "inside", "over", "staff", "late")
        people = [ParticipantEntry(self.address(name)) for name in names]
        tutor = ParticipantEntry(self.address("tutor"), role="tutor")
        return OrderLine(self.item, len(people) + 1, participants=[*people, tutor])

    def address(self, name: str) -> str:
        return f"{name}@{self.mark}.example"

    def name(self, email: str) -> str:
        return email.partition("@")[0]

    def deliver(self) -> None:
        """What a worker does; whoever was killed before has lost his lease."""
        ProductionRun.objects.filter(pk=self.run.pk, state="running").update(lease_until=NOW)
        run(self.run.pk)

    def end_state(self) -> dict[str, Any]:
        account = self.customer.account
        people = Person.objects.filter(email__endswith=f"@{self.mark}.example")
        seats = seats_with_state().filter(account=account).order_by("ordinal")
        given = Assignment.objects.filter(account=account).order_by("seat__ordinal", "id")
        self.run.refresh_from_db()
        feedback = str(self.run.feedback)
        for session in Session.objects.filter(account=account):
            feedback = feedback.replace(session.reference, "REF")
        mails = OutboxMail.objects.filter(to__endswith=f"@{self.mark}.example").order_by("to", "kind")
        return {
            "run": (self.run.state, self.run.error, self.run.delivered),
            "feedback": feedback.replace(self.bill.number, "N").replace(self.course.fullname, "C"),
            "people": sorted(self.name(person.email) for person in people),
            "sessions": list(Session.objects.filter(account=account).values_list("starts_at", "ends_at")),
            "lists": list(AssignmentBatch.objects.filter(account=account).values_list("state", "size")),
            "rows": list(
                AssignmentRow.objects.filter(batch__account=account)
                .order_by("position")
                .values_list("position", "verdict", "outcome")
            ),
            "seats": list(seats.values_list("ordinal", "state")),
            "given": [
                (one.seat.ordinal, self.name(one.email), one.role, one.state, one.created_login)
                for one in given
            ],
            "dates": set(given.values_list("starts_at", "ends_at")),
            "enrolments": sorted(
                (self.name(one.person.email), one.role, one.status, one.starts_at, str(one.ends_at))
                for one in Enrolment.objects.filter(course=self.course).select_related("person")
            ),
            "groups": sorted(
                (one.group.name == self.bill.number, self.name(one.person.email))
                for one in GroupMember.objects.filter(group__course=self.course).select_related(
                    "group", "person"
                )
            ),
            "delegated": sorted(
                (self.name(one.email), one.created_login)
                for one in Delegation.objects.filter(account=account, ended_at=None)
            ),
            "invited": sorted(
                self.name(one.person.email)
                for one in Invitation.objects.filter(account=account).select_related("person")
            ),
            "mails": [(mail.kind, self.name(mail.to), mail.state) for mail in mails],
            "audit": list(
                AuditEntry.objects.filter(scope=f"account:{account.pk}").order_by("id").values_list("verb")
            ),
        }


class Own(Bought):
    """An order of the buyer's own place."""

    handler = "enrolonecourse"

    def make_item(self) -> CatalogItem:
        return order_of(self.handler, f"coursename={self.mark}&duration=30", seat_mode="none")

    def line(self) -> OrderLine:
        return OrderLine(self.item, 1)


def walk(make: Callable[[], Bought], first: int, step: int) -> int:
    """Kill an order of its own after each step, let another worker finish, and compare; returns how many there are."""
    whole = make()
    total = count_steps(whole.deliver)
    expected = whole.end_state()
    assert expected["run"][0] == "done"
    for killed_after in range(first, total + 1, step):
        killed = make()
        assert run_killed(killed.deliver, after=killed_after), killed_after
        killed.deliver()
        assert killed.end_state() == expected, f"killed after step {killed_after} of {total}"
    return total


def test_the_story_ends_as_it_should():
    whole = Bought()
    whole.deliver()
    state = whole.end_state()
    assert state["run"] == (
        "done", "", {"seats": 7, "enrolments": 7, "spaces": 0, "accounts_created": 3},
    )  # fmt: skip
    assert state["seats"] == [(number, "free" if number == 3 else "assigned") for number in range(1, 8)]
    assert state["given"] == [
        (1, "new", "student", "live", True),
        (2, "inuse", "student", "live", False),
        (4, "over", "student", "live", False),
        (5, "staff", "student", "live", False),
        (6, "late", "student", "live", True),
        (7, "tutor", "teacher", "live", True),
    ]
    assert state["groups"] == [
        (True, name) for name in ("buyer", "inside", "inuse", "late", "new", "over", "staff", "tutor")
    ]
    assert state["delegated"] == [
        ("inside", False), ("inuse", False), ("late", True), ("new", True), ("over", False), ("tutor", True),
    ]  # fmt: skip
    assert state["invited"] == ["late", "new", "over", "tutor"]
    assert [mail[:2] for mail in state["mails"] if mail[1] != "buyer"] == [
        ("enrolled", "inuse"),
        ("invitation", "late"),
        ("invitation", "new"),
        ("invitation", "over"),
        ("enrolled", "staff"),
        ("invitation", "tutor"),
    ]
    whole.deliver()
    assert whole.end_state() == state


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_and_taken_over_the_end_is_the_same(part):
    assert walk(Bought, 1 + part, PARTS) > 80


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_with_a_remote_platform_the_end_is_the_same(part, monkeypatch, settings):
    install(monkeypatch, settings)
    assert walk(Bought, 1 + part, PARTS) > 100


def test_the_buyers_own_place_killed_anywhere_ends_the_same():
    assert walk(Own, 1, 1) > 40
