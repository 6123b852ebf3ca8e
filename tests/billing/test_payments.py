"""The ledger, opening, cancelling: payment and opening are two facts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from billing.models import Bill, Payment, ProductionRun
from billing.selectors import Figures, figures, with_figures
from billing.services import OrderLine, Refused, cancel, open_bill, pay_by_test_card, record_payment
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, OutboxMail
from tests.billing.factories import Customer, plain_item, seats_item

PAID_AT = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.fixture
def bill(customer: Customer) -> Bill:
    """An order of 100.00 for ten seats."""
    return customer.order(seats_item(), 10)


def pay(bill: Bill, amount: int | None = None, reference: str | None = None, **more: object) -> Bill:
    return record_payment(number=bill.number, amount=amount, reference=reference, actor=OPERATOR, **more)  # type: ignore[arg-type]


def states(bill: Bill) -> Figures:
    return figures(with_figures(Bill.objects.all()).get(pk=bill.pk))


def delivers() -> int:
    return ProductionRun.objects.filter(phase="deliver").count()


def world() -> tuple[object, ...]:
    """Everything a payment may change."""
    return (
        list(Payment.objects.order_by("id").values()),
        list(Bill.objects.order_by("id").values()),
        list(ProductionRun.objects.order_by("id").values()),
        list(OutboxMail.objects.order_by("id").values()),
        list(AuditEntry.objects.order_by("id").values()),
    )


def refused(bill: Bill, amount: int | None = None, reference: str | None = None, **more: object) -> str:
    """Record a payment that must be refused: the key and the reason."""
    before = world()
    with pytest.raises(Refused) as caught:
        pay(bill, amount, reference, **more)
    assert world() == before
    (problem,) = caught.value.problems
    return str(problem)


# --- what a payment does --------------------------------------------------------------------------


def test_full_payment_opens_the_order_in_the_same_step(bill):
    paid = pay(bill, at=PAID_AT)
    assert (paid.opened_at, paid.opened_how, paid.opened_by) == (PAID_AT, "payment", "operator")
    payment = Payment.objects.get()
    assert (payment.amount, payment.gateway, payment.received_at) == (10000, "transfer", PAID_AT)
    assert [(run.phase, run.state) for run in ProductionRun.objects.all()] == [
        ("prepare", "queued"),
        ("deliver", "queued"),
    ]
    assert list(OutboxMail.objects.values_list("kind", flat=True)) == ["order_received", "payment_received"]
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == [
        "order.placed",
        "payment.recorded",
        "order.opened",
    ]


def test_a_partial_payment_does_not_open_and_the_rest_does(bill):
    pay(bill, 4000, "A")
    assert (states(bill).payment, states(bill).paid, states(bill).due) == ("partial", 4000, 6000)
    assert (states(bill).opened, delivers()) == (None, 0)
    pay(bill, None, "B", at=PAID_AT)
    assert (states(bill).payment, states(bill).due, states(bill).opened) == ("paid", 0, PAID_AT)
    assert list(Payment.objects.values_list("amount", flat=True)) == [4000, 6000]
    assert delivers() == 1


def test_paying_too_much_opens_and_is_shown(bill):
    pay(bill, 10100, "A")
    assert states(bill).payment == "overpaid"
    assert (states(bill).paid, states(bill).due, states(bill).overpaid) == (10100, 0, 100)
    assert states(bill).opened is not None


def test_nothing_due_changes_nothing(bill):
    pay(bill)
    before = world()
    pay(bill)
    pay(bill, None, "whatever")
    assert world() == before


def test_the_same_reference_and_amount_is_the_same_payment(bill):
    pay(bill, 4000, "A")
    before = world()
    pay(bill, 4000, " A ")
    assert world() == before
    pay(bill, 6000, "B")
    before = world()
    pay(bill, 4000, "A")
    pay(bill, 6000, "B")
    assert world() == before


def test_without_a_reference_each_payment_is_another_one(bill):
    pay(bill, 1000)
    pay(bill, 1000)
    references = list(Payment.objects.values_list("reference", flat=True))
    assert references == [f"{bill.number}/1", f"{bill.number}/2"]


def test_a_made_up_reference_avoids_one_that_was_given(bill):
    pay(bill, 1000, f"{bill.number}/1")
    pay(bill, 1000)
    assert Payment.objects.last().reference == f"{bill.number}/2"  # type: ignore[union-attr]


def test_the_number_is_found_whatever_its_case(bill):
    assert record_payment(number=f" {bill.number.lower()} ", actor=OPERATOR).pk == bill.pk


# --- what is refused ------------------------------------------------------------------------------


def test_the_same_reference_with_another_amount_is_refused_and_named(bill):
    pay(bill, 4000, "A")
    message = f"reference: This reference is already that of another payment, for {bill.number}."
    assert refused(bill, 5000, "A") == message
    assert refused(bill, None, "A") == message


def test_the_reference_of_another_order_is_refused_and_named(customer, bill):
    other = customer.order(plain_item(price=10000))
    pay(other, 10000, "A")
    assert refused(bill, 10000, "A") == (
        f"reference: This reference is already that of another payment, for {other.number}."
    )


def test_two_gateways_may_use_the_same_reference(bill):
    pay(bill, 1000, "A")
    pay(bill, 1000, "A", gateway="testcard")
    assert states(bill).paid == 2000


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
def test_a_payment_is_more_than_nothing_and_less_than_absurd(bill, amount):
    assert refused(bill, amount) == "amount: A payment is more than 0."


def test_an_unknown_order_gateway_or_endless_reference_is_refused(bill):
    assert refused(Bill(number="CMD-1999-000001")) == "bill: There is no order CMD-1999-000001."
    assert refused(bill, gateway="gold") == "gateway: This way of paying is not known."
    assert refused(bill, gateway="free") == "gateway: This way of paying is not known."
    for reference in ("x" * 121, "a\0b"):
        assert refused(bill, 1000, reference).startswith("reference: A reference has at most 120 characters")
    assert refused(Bill(number="a\0b")).startswith("bill: ")


def test_a_cancelled_order_takes_no_payment(bill):
    cancel(number=bill.number, actor=OPERATOR)
    assert refused(bill) == "bill: This order is cancelled: no payment can be recorded for it."


# --- opening --------------------------------------------------------------------------------------


def test_an_order_opens_once(bill):
    open_bill(number=bill.number, how="credit", actor=Actor.person(bill.buyer_id), at=PAID_AT)
    before = world()
    open_bill(number=bill.number, how="payment", actor=OPERATOR)
    assert world() == before
    bill.refresh_from_db()
    assert (bill.opened_at, bill.opened_how, bill.opened_by) == (
        PAID_AT,
        "credit",
        f"person:{bill.buyer_id}",
    )


def test_payment_after_opening_queues_nothing(bill):
    open_bill(number=bill.number, how="credit", actor=OPERATOR, at=PAID_AT)
    ProductionRun.objects.filter(phase="deliver").update(state="done")
    runs = list(ProductionRun.objects.values())
    pay(bill)
    assert list(ProductionRun.objects.values()) == runs
    assert (states(bill).opened, states(bill).payment) == (PAID_AT, "paid")


def test_opening_after_payment_queues_nothing(bill):
    pay(bill, at=PAID_AT)
    runs = list(ProductionRun.objects.values())
    open_bill(number=bill.number, how="credit", actor=OPERATOR)
    assert list(ProductionRun.objects.values()) == runs
    assert (states(bill).opened, delivers()) == (PAID_AT, 1)


def test_a_cancelled_order_is_not_opened(bill):
    cancel(number=bill.number, actor=OPERATOR)
    before = world()
    with pytest.raises(Refused, match="it cannot be opened"):
        open_bill(number=bill.number, how="credit", actor=OPERATOR)
    assert world() == before


# --- the test card --------------------------------------------------------------------------------


@override_settings(SHOPSEATS_TEST_CARD=True)
def test_the_test_card_pays_once(customer):
    bill = customer.place(OrderLine(seats_item(), 2), paymode="testcard")
    pay_by_test_card(number=bill.number, actor=OPERATOR)
    before = world()
    pay_by_test_card(number=bill.number, actor=OPERATOR)
    assert world() == before
    payment = Payment.objects.get()
    assert (payment.gateway, payment.amount, states(bill).payment) == ("testcard", 2000, "paid")


def test_the_test_card_is_refused_where_it_is_not_allowed(customer, bill):
    before = world()
    with pytest.raises(Refused, match="not accepted in this shop"):
        pay_by_test_card(number=bill.number, actor=OPERATOR)
    with (
        override_settings(SHOPSEATS_TEST_CARD=True),
        pytest.raises(Refused, match="not to be paid by the test card"),
    ):
        pay_by_test_card(number=bill.number, actor=OPERATOR)
    assert world() == before


# --- cancelling -----------------------------------------------------------------------------------


def test_cancelling_an_unpaid_order_drops_what_was_queued(bill):
    cancelled = cancel(number=bill.number, actor=OPERATOR, why="by telephone")
    assert (cancelled.state, ProductionRun.objects.count()) == ("cancelled", 0)
    assert OutboxMail.objects.get().state == "cancelled"
    entry = AuditEntry.objects.latest("id")
    assert (entry.verb, entry.counts, entry.why) == ("order.cancelled", {"runs_dropped": 1}, "by telephone")
    before = world()
    cancel(number=bill.number, actor=OPERATOR)
    assert world() == before


def test_a_paid_or_opened_order_is_not_cancelled(customer, bill):
    pay(bill, 1)
    opened = customer.order(plain_item())
    open_bill(number=opened.number, how="credit", actor=OPERATOR)
    before = world()
    with pytest.raises(Refused, match="There is a payment"):
        cancel(number=bill.number, actor=OPERATOR)
    with pytest.raises(Refused, match="This order is open"):
        cancel(number=opened.number, actor=OPERATOR)
    assert world() == before


# --- derived states -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([], "unpaid"),
        ([1], "partial"),
        ([9999], "partial"),
        ([10000], "paid"),
        ([10001], "overpaid"),
        ([10001, -1], "paid"),
        ([10000, -4000], "partial"),
        ([10000, -10000], "refunded"),
    ],
)
def test_the_payment_state_follows_the_ledger(bill, amounts, expected):
    for number, amount in enumerate(amounts):
        Payment.objects.create(
            bill=bill, amount=amount, gateway="transfer", reference=str(number), received_at=PAID_AT
        )
    assert (states(bill).payment, states(bill).paid) == (expected, sum(amounts))
    assert states(bill).due == max(10000 - sum(amounts), 0)


@pytest.mark.parametrize(
    ("opened", "prepare", "deliver", "expected"),
    [
        (False, "queued", None, "none"),
        (False, "done", None, "none"),
        (False, "failed", None, "failed"),
        (True, "queued", "queued", "queued"),
        (True, "running", "queued", "running"),
        (True, "done", "waiting", "queued"),
        (True, "done", "running", "running"),
        (True, "done", "failed", "failed"),
        (True, "failed", "done", "failed"),
        (True, "done", "done", "done"),
    ],
)
def test_the_production_state_follows_the_runs(bill, opened, prepare, deliver, expected):
    if opened:
        open_bill(number=bill.number, how="credit", actor=OPERATOR)
    ProductionRun.objects.filter(phase="prepare").update(state=prepare)
    ProductionRun.objects.filter(phase="deliver").update(state=deliver or "queued")
    assert states(bill).production == expected
    assert states(bill).complete is False
    pay(bill)
    ProductionRun.objects.update(state="done")
    assert states(bill).complete is True


def test_lines_without_automation_have_nothing_to_produce(customer):
    bill = customer.order(plain_item())
    assert states(bill).production == "none"
    pay(bill)
    assert (ProductionRun.objects.count(), states(bill).production, states(bill).complete) == (
        0,
        "done",
        True,
    )


def test_a_free_order_is_paid(customer):
    bill = customer.place(OrderLine(plain_item(price=0), 1), paymode="free")
    assert (states(bill).payment, states(bill).due, states(bill).complete) == ("paid", 0, True)
