"""Sessions as orders: what is refused when they are placed, and runs that fail, are repaired and tried again."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Bill, BillParticipant, ProductionRun
from billing.production import produce, run
from billing.selectors import bill_document
from billing.services import OrderLine, Refused, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.models import Course, Enrolment
from handlers.contract import ParticipantEntry
from seats.models import Assignment, AssignmentBatch, Seat, SeatPool, Session
from tests.billing.factories import Customer, plain_item
from tests.handlers.sessions import NAME, enrolments, named, spoc

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return Customer()


@pytest.fixture
def course() -> Course:
    return spoc()


def session_item(params: str = "coursename=SPOC", **fields: Any) -> CatalogItem:
    return plain_item("SPOCM1", handler=NAME, params=params, **({"seat_mode": "quantity"} | fields))


def refused(customer: Customer, item: CatalogItem, quantity: int, *people: str) -> list[str]:
    """Why an order is not placed; nothing is changed."""
    before = Bill.objects.count()
    with pytest.raises(Refused) as refusal:
        customer.place(OrderLine(item, quantity, participants=named(*people)))
    assert Bill.objects.count() == before
    return [str(problem) for problem in refusal.value.problems]


def opened(customer: Customer, item: CatalogItem, *people: str, **changes: Any) -> Bill:
    bill = customer.place(OrderLine(item, len(people), participants=named(*people)), **changes)
    return record_payment(number=bill.number, actor=OPERATOR)


def delivery_of(bill: Bill) -> ProductionRun:
    return ProductionRun.objects.get(line__bill=bill, phase=ProductionRun.Phase.DELIVER)


def nothing_made(course: Course) -> bool:
    tables = (SeatPool, Seat, Session, AssignmentBatch, Assignment)
    return not any(table._default_manager.exists() for table in tables) and enrolments(course) == []


# --- placing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "people", "problems"),
    [
        (2, ("ada@a.example",), ["participants: 2 participants are to be named here, not 1."]),
        (
            1,
            ("ada@a.example", "ben@a.example"),
            ["participants: 1 participant is to be named here, not 2."],
        ),
        (
            2,
            ("ada@a.example", "ADA@a.example"),
            ["participants[2].email: This address is already that of participant 1."],
        ),
        (
            2,
            ("ada@a.example", "ada@a.example tutor"),
            ["participants[2].email: This address is already that of participant 1."],
        ),
        (1, ("ada",), ["participants[1].email: An e-mail address has an @ in it."]),
    ],
)
def test_people_who_do_not_fit_the_seats_are_refused_before_the_order(
    customer, course, quantity: int, people: tuple[str, ...], problems: list[str]
):
    assert refused(customer, session_item(), quantity, *people) == problems


def test_a_role_that_is_not_offered_is_refused_before_the_order(customer, course):
    item = session_item("coursename=SPOC&requiredroles=learner")
    assert refused(customer, item, 1, "tom@a.example tutor") == [
        "participants[1].role: Nobody can be named as a tutor for this item."
    ]


def test_a_buyer_who_tutors_and_learns_is_refused_before_the_order(customer, course):
    item = session_item("coursename=SPOC&autoenrolsupervisor=1")
    assert refused(customer, item, 1, "Buyer@demo.example") == [
        "participants[1].email: The buyer tutors this session and cannot learn in it too."
    ]


def test_a_course_that_is_closed_is_refused_before_the_order(customer, course):
    item = session_item()
    Course.objects.update(is_template=True)
    assert refused(customer, item, 1, "ada@a.example") == [
        "item: The course of this item is not open for now."
    ]


def test_a_seat_mode_that_is_wrong_is_refused_before_the_order(customer, course):
    item = session_item(seat_mode="one")
    assert refused(customer, item, 2, "ada@a.example") == ["item: This item is not available for now."]


# --- production ---------------------------------------------------------------------------------------


def test_an_order_is_delivered_once_whatever_is_repeated(customer, course):
    bill = opened(customer, session_item(), "ada@a.example", "tom@a.example tutor")
    produce(numbers=[bill.number], actor=OPERATOR)
    document = bill_document(bill.number)
    mails = sorted(OutboxMail.objects.values_list("to", "kind"))
    # The confirmation of the payment comes twice, the task is replayed, the operator produces again.
    record_payment(number=bill.number, actor=OPERATOR)
    assert run(delivery_of(bill).pk) is False
    produce(numbers=[bill.number], retry_failed=True, takeover=True, actor=OPERATOR)
    assert bill_document(bill.number) == document
    assert sorted(OutboxMail.objects.values_list("to", "kind")) == mails
    assert document["runs"][1]["delivered"] == {
        "seats": 2, "enrolments": 2, "spaces": 0, "accounts_created": 2,
    }  # fmt: skip
    assert (Seat.objects.count(), Assignment.objects.count(), Enrolment.objects.count()) == (2, 2, 2)
    assert [mail for mail in mails if mail[0].endswith("@a.example")] == [
        ("ada@a.example", "invitation"),
        ("tom@a.example", "invitation"),
    ]


def test_a_course_that_went_away_fails_the_run_and_a_retry_after_the_repair_completes(customer, course):
    bill = opened(customer, session_item(), "ada@a.example", "ben@a.example")
    Course.objects.update(closed_at=bill.placed_at)
    produce(numbers=[bill.number], actor=OPERATOR)
    failed = delivery_of(bill)
    assert (failed.state, failed.error_field) == ("failed", "coursename")
    assert nothing_made(course)
    assert bill_document(bill.number)["production"] == "failed"
    Course.objects.update(closed_at=None)
    produce(numbers=[bill.number], retry_failed=True, actor=OPERATOR)
    assert [row[0] for row in enrolments(course)] == ["ada@a.example", "ben@a.example"]
    assert bill_document(bill.number)["complete"] is True


def test_a_person_twice_in_an_opened_order_fails_the_run_until_somebody_repairs_it(customer, course):
    bill = opened(customer, session_item(), "ada@a.example", "ben@a.example")
    second = BillParticipant.objects.filter(line__bill=bill, position=2)
    second.update(email="ada@a.example", role="tutor")
    produce(numbers=[bill.number], actor=OPERATOR)
    assert delivery_of(bill).state == "failed"
    assert delivery_of(bill).error_field == "participants"
    assert nothing_made(course)
    second.update(email="ben@a.example", role="learner")
    produce(numbers=[bill.number], retry_failed=True, actor=OPERATOR)
    assert bill_document(bill.number)["complete"] is True


def test_the_buyer_the_shop_and_each_participant_are_told_once(customer, course):
    bill = customer.place(OrderLine(session_item(), 1, participants=[ParticipantEntry("ada@a.example")]))
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    assert sorted(OutboxMail.objects.values_list("kind", "to")) == [
        ("delivered", "buyer@demo.example"),
        ("invitation", "ada@a.example"),
        ("order_received", "buyer@demo.example"),
        ("payment_received", "buyer@demo.example"),
        ("production_note", "aide@atelier.example"),
    ]
