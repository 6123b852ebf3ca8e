"""Two of everything at the same second: one order, one payment, one opening, one delivery."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from billing import production
from billing.models import Bill, Payment, ProductionRun
from billing.services import OrderLine, Refused, cancel, open_bill, record_payment
from billing.sweeper import sweep
from common import leases, outbox, wake
from common.audit import OPERATOR
from common.models import OutboxMail
from handlers import registry
from handlers.contract import Delivered, Delivery, Purchase
from seats.models import Seat
from tests.billing.conftest import Scripted
from tests.billing.factories import Customer, plain_item, seats_item
from tests.concurrency.racing import together

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 5


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[None]:
    """As with a broker that is away: the tests say who runs what."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setitem(wake._broker, "away_until", float("inf"))
    current_app.conf.update(task_always_eager=False)
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def customer() -> Customer:
    return Customer()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    handler = Scripted()
    monkeypatch.setitem(registry.load().handlers, "scripted", handler)
    return handler


def delivery_of(bill: Bill) -> ProductionRun:
    return ProductionRun.objects.get(line__bill=bill, phase="deliver")


def pay(bill: Bill, *, amount: int | None = None, reference: str | None = None) -> Bill:
    return record_payment(number=bill.number, amount=amount, reference=reference, actor=OPERATOR)


def test_a_checkout_submitted_twice_at_once_is_one_order(customer):
    item = seats_item()
    for number in range(ROUNDS):
        key = f"cart-{number}"
        results = together([partial(customer.place, OrderLine(item, 1), checkout_key=key)] * 3)
        assert {type(result) for result in results} == {Bill}
        assert len({result.pk for result in results}) == 1  # type: ignore[union-attr]
    assert Bill.objects.count() == ROUNDS
    assert OutboxMail.objects.count() == ROUNDS
    assert max(Bill.objects.values_list("number", flat=True)).endswith(f"-{ROUNDS:06d}")


def test_orders_at_the_same_second_have_numbers_of_their_own(customer):
    item = plain_item()
    results = together([partial(customer.order, item)] * 6)
    numbers = sorted(result.number for result in results)  # type: ignore[union-attr]
    assert [number[-6:] for number in numbers] == [f"{n:06d}" for n in range(1, 7)]


def test_a_payment_confirmed_twice_at_once_is_one_payment_and_one_opening(customer):
    item = seats_item()
    for number in range(ROUNDS):
        bill = customer.order(item, 3)
        reference = f"R{number}" if number % 2 else None
        together([partial(pay, bill, reference=reference)] * 3)
        assert Payment.objects.filter(bill=bill).count() == 1
        assert ProductionRun.objects.filter(line__bill=bill, phase="deliver").count() == 1
        assert OutboxMail.objects.filter(kind="payment_received").count() == number + 1


def test_one_reference_for_two_orders_at_once_pays_one_of_them(customer):
    item = plain_item()
    for number in range(ROUNDS):
        bills = [customer.order(item), customer.order(item)]
        results = together([partial(pay, bill, reference=f"R{number}") for bill in bills])
        refused = [result for result in results if isinstance(result, Refused)]
        assert [problem.problems[0].key for problem in refused] == ["reference"]
        assert sum(isinstance(result, Bill) for result in results) == 1
        assert Payment.objects.count() == number + 1


def test_two_partial_payments_at_once_open_once(customer):
    bill = customer.order(seats_item(), 10)
    together([partial(pay, bill, amount=5000, reference=reference) for reference in ("A", "B")])
    bill.refresh_from_db()
    assert Payment.objects.count() == 2
    assert bill.opened_at is not None
    assert ProductionRun.objects.filter(phase="deliver").count() == 1


def test_payment_and_acceptance_on_credit_at_once_open_once(customer):
    item = seats_item()
    for _ in range(ROUNDS):
        bill = customer.order(item, 2)
        results: list[Any] = together(
            [
                partial(pay, bill),
                partial(open_bill, number=bill.number, how="credit", actor=OPERATOR),
            ]
        )
        instants = {result.opened_at for result in results}
        assert len(instants) == 1
        assert delivery_of(bill).state == "queued"


def test_an_order_is_either_cancelled_or_paid(customer):
    item = plain_item()
    seen: Counter[str] = Counter()
    for _ in range(ROUNDS * 2):
        bill = customer.order(item)
        together(
            [
                partial(cancel, number=bill.number, actor=OPERATOR),
                partial(pay, bill),
            ]
        )
        bill.refresh_from_db()
        paid = bill.payments.exists()
        assert (bill.state == Bill.State.CANCELLED) is not paid
        assert (bill.opened_at is not None) is paid
        seen["paid" if paid else "cancelled"] += 1
    assert sum(seen.values()) == ROUNDS * 2


def test_two_workers_on_one_run_deliver_once(customer, scripted):
    item = plain_item(handler="scripted")
    for number in range(ROUNDS):
        bill = customer.order(item)
        record_payment(number=bill.number, actor=OPERATOR)
        preparing = ProductionRun.objects.get(line__bill=bill, phase="prepare")
        for run in (preparing, delivery_of(bill)):
            results = together([partial(production.run, run.pk)] * 3)
            assert sorted(results) == [False, False, True]  # type: ignore[type-var]
        assert scripted.phases == ["prepare", "deliver"] * (number + 1)
        assert delivery_of(bill).attempt == 1
        assert OutboxMail.objects.filter(kind="delivered").count() == number + 1


def test_a_worker_that_was_overtaken_while_it_worked_records_nothing(customer, scripted):
    bill = customer.order(plain_item(handler="scripted"))
    record_payment(number=bill.number, actor=OPERATOR)
    production.run(ProductionRun.objects.get(phase="prepare").pk)
    started, overtaken = threading.Event(), threading.Event()

    def slow(purchase: Purchase) -> Delivery:
        started.set()
        assert overtaken.wait(30)
        return Delivery(delivered=Delivered(enrolments=99))

    def overtake() -> bool:
        assert started.wait(30)
        try:
            return production.run(run.pk, takeover=True)
        finally:
            overtaken.set()

    scripted.delivering = [slow, Delivery(delivered=Delivered(enrolments=1))]
    run = delivery_of(bill)
    workers: list[Callable[[], bool]] = [partial(production.run, run.pk), overtake]
    assert [bool(result) for result in together(workers)] == [False, True]
    run.refresh_from_db()
    assert (run.state, run.attempt, run.delivered["enrolments"]) == ("done", 2, 1)
    assert OutboxMail.objects.filter(kind="delivered").count() == 1


def test_two_workers_that_both_make_the_seats_of_a_line_make_them_once(customer):
    for number in range(ROUNDS):
        item = seats_item(code=f"SEATS{number}")
        bill = customer.order(item, 500)
        record_payment(number=bill.number, actor=OPERATOR)
        production.run(ProductionRun.objects.get(line__bill=bill, phase="prepare").pk)
        run = delivery_of(bill)
        # The first holds it and is slow; the other takes over while it works.
        leases.claim(ProductionRun, run.pk, seconds=300, now=timezone.now())
        together([partial(production.run, run.pk, takeover=True)] * 2)
        assert Seat.objects.filter(pool__bill_number=bill.number).count() == 500
        assert delivery_of(bill).state == "done"
    assert OutboxMail.objects.filter(kind="seats_open").count() == 2 * ROUNDS


def test_two_sweepers_at_once_do_everything_once(customer):
    item = seats_item()
    bills = [customer.order(item, 2) for _ in range(ROUNDS)]
    for bill in bills:
        record_payment(number=bill.number, actor=OPERATOR)
    together([sweep, sweep])
    assert Seat.objects.count() == 2 * ROUNDS
    assert set(ProductionRun.objects.values_list("state", "attempt")) == {("done", 1)}
    outbox.deliver_due()
    assert set(OutboxMail.objects.values_list("state", "attempt")) == {("sent", 1)}
