"""Runs: claimed, handed over, recorded; errors of every kind; nothing lost, nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from billing import production
from billing.models import Bill, ProductionRun
from billing.production import MAX_TRIES
from billing.services import OrderLine, cancel, open_bill
from common import leases
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from handlers.contract import Delivered, Delivery, HandlerError, ParticipantEntry
from seats.models import Seat, SeatPool
from tests.billing.conftest import talking
from tests.billing.factories import people, plain_item, seats_item

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def opened(bill: Bill) -> Bill:
    return open_bill(number=bill.number, how="credit", actor=OPERATOR, at=AT)


def the_run(bill: Bill, phase: str = "deliver") -> ProductionRun:
    return ProductionRun.objects.get(line__bill=bill, phase=phase)


def run_all(bill: Bill) -> None:
    for run in ProductionRun.objects.filter(line__bill=bill):
        production.run(run.pk)


@pytest.fixture
def bill(customer, scripted) -> Bill:
    """An opened order of something the scripted handler delivers."""
    return opened(customer.order(plain_item(handler="scripted"), 2))


def mails(kind: str) -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind=kind))


# --- a run that works -----------------------------------------------------------------------------


def test_the_handler_gets_the_purchase_of_the_line(customer, scripted):
    item = plain_item(handler="scripted", params="packsize=3", seat_mode="quantity", renewable=True)
    bill = customer.place(OrderLine(item, 2, participants=people(2)))
    production.run(the_run(bill, "prepare").pk)
    opened(bill)
    production.run(the_run(bill).pk)
    (_, before), (_, purchase) = scripted.calls
    line = bill.lines.get()
    assert isinstance(purchase.line_key, UUID)
    assert (purchase.line_key, purchase.account_id, purchase.buyer_id) == (
        line.key,
        bill.account_id,
        bill.buyer_id,
    )
    assert (purchase.bill_number, purchase.item_code, purchase.item_name) == (bill.number, "BOOK", "Book")
    assert (purchase.quantity, purchase.params["packsize"], purchase.renewable) == (2, 3, True)
    assert purchase.participants == (
        ParticipantEntry("learner1@demo.example", "Lea", "Learner1"),
        ParticipantEntry("learner2@demo.example", "Lea", "Learner2"),
    )
    # The purchase is the opening, whenever it runs; before that, the placing.
    assert purchase.purchased_at == AT
    assert before.purchased_at == bill.placed_at


def test_a_finished_run_keeps_what_it_delivered_and_said(bill, scripted):
    scripted.delivering = [talking()]
    run_all(bill)
    run = the_run(bill)
    assert (run.state, run.attempt, run.last_error, run.lease_until) == ("done", 1, "", None)
    assert run.delivered == {"seats": 0, "enrolments": 1, "spaces": 0, "accounts_created": 0}
    assert set(run.feedback) == {"public", "private", "sales"}
    assert [(mail.to, mail.kind) for mail in OutboxMail.objects.exclude(kind="order_received")] == [
        ("buyer@demo.example", "delivered"),
        ("aide@atelier.example", "production_note"),
    ]
    entry = AuditEntry.objects.filter(verb="run.done").latest("id")
    assert (entry.actor, entry.object, entry.counts["enrolments"]) == ("system", f"bill:{bill.number}", 1)


def test_generateseats_makes_the_seats_and_writes_to_everybody_who_gives_them(customer):
    bill = opened(customer.order(seats_item(params="packsize=3"), 2))
    run_all(bill)
    pool = SeatPool.objects.get()
    assert (pool.size, pool.bill_number, pool.purchased_at) == (6, bill.number, AT)
    assert Seat.objects.count() == 6
    assert the_run(bill).delivered["seats"] == 6
    assert [mail.to for mail in mails("seats_open")] == ["owner@demo.example", "buyer@demo.example"]


def test_a_run_that_is_done_is_not_run_again(bill, scripted):
    run_all(bill)
    calls, rows = len(scripted.calls), list(ProductionRun.objects.values())
    run_all(bill)
    assert production.run(the_run(bill).pk, takeover=True) is False
    assert (len(scripted.calls), list(ProductionRun.objects.values())) == (calls, rows)


def test_a_run_that_is_gone_is_nothing(db):
    assert production.run(987654) is False


# --- preparation comes first ----------------------------------------------------------------------


def test_delivery_waits_for_the_preparation(bill, scripted):
    scripted.preparing = [HandlerError("soon", permanent=False)]
    assert production.run(the_run(bill).pk) is False
    production.run(the_run(bill, "prepare").pk)
    assert the_run(bill, "prepare").state == "waiting"
    assert production.run(the_run(bill).pk) is False
    assert (scripted.phases, the_run(bill).state, the_run(bill).attempt) == (["prepare"], "queued", 0)
    production.run(the_run(bill, "prepare").pk, now=timezone.now() + timedelta(hours=1))
    assert production.run(the_run(bill).pk) is True
    assert scripted.phases == ["prepare", "prepare", "deliver"]


def test_a_failed_preparation_shows_and_does_not_hold_back_what_was_paid(bill, scripted):
    scripted.preparing = [HandlerError("no such course", permanent=True, field="customersupport")]
    run_all(bill)
    assert (the_run(bill, "prepare").state, the_run(bill).state) == ("failed", "done")
    production.retry(run_id=the_run(bill, "prepare").pk, actor=OPERATOR)
    run_all(bill)
    assert (the_run(bill, "prepare").state, the_run(bill).state) == ("done", "done")
    assert scripted.phases == ["prepare", "deliver", "prepare"]


def test_lines_do_not_wait_for_each_other(customer, scripted):
    item = plain_item(handler="scripted")
    bill = opened(customer.place(OrderLine(item, 1), OrderLine(seats_item(), 1)))
    scripted.preparing = [HandlerError("soon", permanent=False)]
    run_all(bill)
    assert [(run.line.item_code, run.phase, run.state) for run in ProductionRun.objects.order_by("id")] == [
        ("BOOK", "prepare", "waiting"),
        ("SEATS", "prepare", "done"),
        ("BOOK", "deliver", "queued"),
        ("SEATS", "deliver", "done"),
    ]


# --- errors ---------------------------------------------------------------------------------------


def test_a_permanent_error_fails_with_its_field_and_tells_the_shop(bill, scripted):
    scripted.delivering = [HandlerError("There is no course SCI.", permanent=True, field="coursename")]
    run_all(bill)
    run = the_run(bill)
    assert (run.state, run.last_error, run.error_field) == ("failed", "There is no course SCI.", "coursename")
    assert run.error == "coursename: There is no course SCI."
    (mail,) = mails("production_failed")
    assert (mail.to, mail.language, mail.ids) == ("aide@atelier.example", "fr", {"run": run.pk})
    assert production.run(run.pk, now=timezone.now() + timedelta(days=9)) is False


def test_a_temporary_error_waits_longer_each_time(bill, scripted):
    run_all_after = timezone.now()
    production.run(the_run(bill, "prepare").pk)
    scripted.delivering = [HandlerError("away", permanent=False) for _ in range(3)]
    for wait in (10, 20, 40):
        before = timezone.now()
        production.run(the_run(bill).pk, now=run_all_after + timedelta(days=1))
        run = the_run(bill)
        assert (run.state, run.last_error) == ("waiting", "away")
        assert timedelta(seconds=wait) <= run.not_before - before < timedelta(seconds=wait + 5)
    assert mails("production_failed") == []
    assert production.run(the_run(bill).pk) is False  # not due yet
    assert production.run(the_run(bill).pk, now=timezone.now() + timedelta(minutes=1)) is True
    assert (the_run(bill).attempt, the_run(bill).last_error) == (4, "")


def test_a_temporary_error_is_given_up_in_the_end_and_tells_the_shop_once(bill, scripted):
    production.run(the_run(bill, "prepare").pk)
    scripted.delivering = [HandlerError("away", permanent=False) for _ in range(MAX_TRIES)]
    later = timezone.now() + timedelta(days=1)
    for _ in range(MAX_TRIES + 3):
        production.run(the_run(bill).pk, now=later)
    assert (the_run(bill).state, the_run(bill).attempt, the_run(bill).last_error) == (
        "failed",
        MAX_TRIES,
        "away",
    )
    assert len(mails("production_failed")) == 1


@pytest.mark.parametrize("error", [OperationalError("deadlock"), ConnectionError(), TimeoutError()])
def test_a_database_or_platform_that_is_away_is_temporary(bill, scripted, error):
    scripted.delivering = [error]
    run_all(bill)
    assert (the_run(bill).state, the_run(bill).last_error) == ("waiting", type(error).__name__)


def test_any_other_exception_fails_with_its_class_and_without_its_text(bill, scripted, caplog):
    scripted.delivering = [ZeroDivisionError("secret")]
    run_all(bill)
    assert (the_run(bill).state, the_run(bill).last_error) == ("failed", "ZeroDivisionError")
    assert len(mails("production_failed")) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_handler_that_is_no_longer_installed_fails_the_run(customer, scripted):
    bill = opened(customer.order(plain_item(handler="scripted")))
    ProductionRun.objects.update(handler="gone")
    run_all(bill)
    run = the_run(bill)
    assert (run.state, run.error_field) == ("failed", "handler")
    assert "gone" in run.last_error


def test_frozen_parameters_that_are_no_longer_sound_fail_the_run(bill):
    bill.lines.update(params="packsize=many")
    run_all(bill)
    assert (the_run(bill).state, the_run(bill).error_field) == ("failed", "packsize")


def test_a_failure_inside_the_handler_s_transaction_leaves_nothing_half_made(bill, scripted):
    def half(purchase: Any) -> Delivery:
        with transaction.atomic():
            plain_item(code="HALF")
            raise HandlerError("stop", permanent=True)

    scripted.delivering = [half]
    run_all(bill)
    assert the_run(bill).state == "failed"
    assert not type(bill.lines.get().item)._default_manager.filter(code="HALF").exists()


# --- retrying -------------------------------------------------------------------------------------


def test_a_failed_run_can_be_retried_with_its_attempts_counted_anew(bill, scripted):
    scripted.delivering = [HandlerError("no", permanent=True), HandlerError("away", permanent=False)]
    run_all(bill)
    run = the_run(bill)
    assert production.retry(run_id=run.pk, actor=OPERATOR) is True
    assert production.retry(run_id=run.pk, actor=OPERATOR) is False
    production.run(run.pk)
    run = the_run(bill)
    assert (run.state, run.attempt, run.tries) == ("waiting", 2, 1)
    assert run.not_before < timezone.now() + timedelta(seconds=15)
    assert AuditEntry.objects.filter(verb="run.retried").count() == 1


def test_each_failure_after_a_retry_tells_the_shop_again(bill, scripted):
    scripted.delivering = [HandlerError("no", permanent=True), HandlerError("no", permanent=True)]
    run_all(bill)
    production.retry(run_id=the_run(bill).pk, actor=OPERATOR)
    run_all(bill)
    assert len(mails("production_failed")) == 2


def test_produce_runs_what_is_due_of_the_orders_named_and_nothing_else(customer, scripted):
    item = plain_item(handler="scripted")
    one, two = opened(customer.order(item)), opened(customer.order(item))
    scripted.delivering = [HandlerError("no", permanent=True)]
    assert production.produce(numbers=[one.number], actor=OPERATOR) == [one.number]
    assert (the_run(one).state, the_run(two).state) == ("failed", "queued")
    assert production.produce(actor=OPERATOR) == [two.number]
    assert (the_run(one).state, the_run(two).state) == ("failed", "done")
    assert production.produce(retry_failed=True, actor=OPERATOR) == [one.number]
    assert (the_run(one).state, the_run(one).attempt) == ("done", 2)


def test_produce_judges_due_at_the_instant_given(bill, scripted):
    scripted.delivering = [HandlerError("away", permanent=False)]
    production.produce(actor=OPERATOR)
    production.produce(actor=OPERATOR)
    assert the_run(bill).attempt == 1
    production.produce(now=timezone.now() + timedelta(minutes=1), actor=OPERATOR)
    assert (the_run(bill).state, the_run(bill).attempt) == ("done", 2)


def test_orders_placed_in_another_time_are_due_in_that_time(customer, scripted):
    past = AT - timedelta(days=365)
    bill = customer.place(OrderLine(plain_item(handler="scripted"), 1), at=past)
    open_bill(number=bill.number, how="credit", actor=OPERATOR, at=past)
    production.produce(now=past, actor=OPERATOR)
    assert the_run(bill).state == "done"


# --- leases ---------------------------------------------------------------------------------------


def test_a_run_that_somebody_holds_is_left_alone_until_its_lease_ends(bill, scripted, settings):
    production.run(the_run(bill, "prepare").pk)
    leases.claim(ProductionRun, the_run(bill).pk, seconds=settings.SHOPSEATS_RUN_LEASE)
    assert production.run(the_run(bill).pk) is False
    assert production.produce(actor=OPERATOR) == []
    # The worker died without a word; its lease has ended.
    later = timezone.now() + timedelta(seconds=settings.SHOPSEATS_RUN_LEASE + 1)
    assert production.run_due(now=later) == 1
    assert (the_run(bill).state, the_run(bill).attempt, scripted.phases) == (
        "done",
        2,
        ["prepare", "deliver"],
    )


def test_takeover_does_not_wait_for_the_lease(bill, scripted):
    production.run(the_run(bill, "prepare").pk)
    leases.claim(ProductionRun, the_run(bill).pk, seconds=300)
    production.produce(numbers=[bill.number], takeover=True, actor=OPERATOR)
    assert (the_run(bill).state, the_run(bill).attempt) == ("done", 2)


def test_whoever_was_overtaken_writes_nothing(bill, scripted):
    production.run(the_run(bill, "prepare").pk)

    def overtaken(purchase: Any) -> Delivery:
        assert production.run(the_run(bill).pk, takeover=True) is True
        return Delivery(delivered=Delivered(enrolments=99))

    scripted.delivering = [overtaken, Delivery(delivered=Delivered(enrolments=1))]
    assert production.run(the_run(bill).pk) is False
    assert (the_run(bill).state, the_run(bill).attempt) == ("done", 2)
    assert the_run(bill).delivered["enrolments"] == 1
    assert len(mails("delivered")) == 1


def test_the_heartbeat_renews_the_lease_and_stops_whoever_was_overtaken(bill, scripted, settings):
    production.run(the_run(bill, "prepare").pk)
    seen: list[Any] = []

    def slow(purchase: Any) -> Delivery:
        ProductionRun.objects.filter(pk=the_run(bill).pk).update(lease_until=timezone.now())
        purchase.beat()
        held = the_run(bill).lease_until
        assert held is not None
        seen.append(held - timezone.now())
        leases.claim(ProductionRun, the_run(bill).pk, seconds=300, takeover=True)
        purchase.beat()
        seen.append("went on")
        return Delivery()

    scripted.delivering = [slow]
    assert production.run(the_run(bill).pk) is False
    (renewed,) = seen
    assert abs(renewed.total_seconds() - settings.SHOPSEATS_RUN_LEASE) < 5
    assert (the_run(bill).state, the_run(bill).attempt) == ("running", 2)


def test_a_run_whose_workers_keep_dying_is_given_up(bill, scripted):
    production.run(the_run(bill, "prepare").pk)
    later = timezone.now()
    for _ in range(MAX_TRIES):
        later += timedelta(days=1)
        assert leases.claim(ProductionRun, the_run(bill).pk, seconds=1, now=later) is not None
    production.run(the_run(bill).pk, now=later + timedelta(days=1))
    assert (the_run(bill).state, scripted.phases) == ("failed", ["prepare"])
    assert len(mails("production_failed")) == 1
    production.retry(run_id=the_run(bill).pk, actor=OPERATOR)
    assert production.run(the_run(bill).pk) is True


def test_cancelling_leaves_a_preparation_alone_that_is_under_way(customer, scripted):
    bill = customer.order(plain_item(handler="scripted"))
    leases.claim(ProductionRun, the_run(bill, "prepare").pk, seconds=300)
    cancel(number=bill.number, actor=OPERATOR)
    assert the_run(bill, "prepare").state == "running"
