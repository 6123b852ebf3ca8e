"""Deliveries that meet an absent course platform wait until it is back; they are never given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import production
from billing.models import Bill, ProductionRun
from billing.production import MAX_TRIES
from billing.selectors import run_documents
from billing.services import open_bill
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.platform import PlatformAway
from handlers.contract import HandlerError
from tests.billing.factories import Customer, plain_item

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def bill(clock, customer: Customer, scripted) -> Bill:
    """An opened order, prepared, of something the scripted handler delivers."""
    bill = customer.order(plain_item(handler="scripted"), 2)
    open_bill(number=bill.number, how="credit", actor=OPERATOR, at=NOON)
    assert production.run_due(limit=1) == 1
    return bill


def delivery() -> ProductionRun:
    return ProductionRun.objects.get(phase="deliver")


ABSENT = [
    HandlerError("The token is refused.", outside=True, field="x"),
    PlatformAway("The token is refused."),
]


@pytest.mark.parametrize("error", ABSENT, ids=["said by the handler", "not caught by the handler"])
def test_ten_hours_of_absence_end_well_without_anybody(bill, scripted, clock, error):
    scripted.delivering = [error] * 1000
    for minute in range(600):
        clock.move_to(NOON + timedelta(minutes=minute))
        production.run_due()
    run = delivery()
    assert (run.state, run.waiting_since, run.last_error) == ("waiting", NOON, "The token is refused.")
    assert [one["waiting_since"] for one in run_documents([run], marks=True)] == [NOON]
    assert run.attempt > 5 * MAX_TRIES
    assert run.tries == 0
    assert run.not_before - NOON < timedelta(hours=10, minutes=5)
    assert not OutboxMail.objects.filter(kind="production_failed").exists()

    scripted.delivering = []
    clock.move_to(NOON + timedelta(hours=10, minutes=5))
    assert production.run_due() == 1
    run = delivery()
    assert (run.state, run.waiting_since, run.error) == ("done", None, "")


def test_an_absence_without_a_word_has_the_name_of_the_error(bill, scripted):
    scripted.delivering = [PlatformAway()]
    production.run_due()
    assert (delivery().state, delivery().last_error) == ("waiting", "PlatformAway")


def test_absences_between_other_errors_do_not_count(bill, scripted, clock):
    errors = [HandlerError("away", outside=True), HandlerError("soon", permanent=False)]
    scripted.delivering = errors * MAX_TRIES
    for hour in range(2 * MAX_TRIES):
        assert delivery().state != "failed", hour
        clock.move_to(NOON + timedelta(hours=2 * hour))
        production.run_due()
    run = delivery()
    assert (run.state, run.tries, run.waiting_since, run.last_error) == ("failed", MAX_TRIES, None, "soon")


def test_what_waits_is_called_at_once_and_what_is_held_stays(bill, customer, scripted, clock):
    scripted.delivering = [PlatformAway("away")] * 3
    clock.move_to(NOON + timedelta(hours=1))
    production.run_due()
    clock.move_to(NOON + timedelta(hours=1, seconds=5))
    assert production.run_due() == 0
    assert production.call_waiting() == 1
    assert production.call_waiting() == 0
    assert production.run_due() == 1
    production.hold(run_id=delivery().pk, actor=OPERATOR)
    assert production.call_waiting() == 0


def test_given_up_and_tried_again_it_no_longer_waits(bill, scripted, clock):
    scripted.delivering = [PlatformAway("away"), HandlerError("no", permanent=True), PlatformAway("away")]
    production.run_due()
    clock.shift(60)
    production.run_due()
    assert (delivery().state, delivery().waiting_since) == ("failed", None)
    production.retry(run_id=delivery().pk, actor=OPERATOR)
    assert (delivery().state, delivery().waiting_since, delivery().tries) == ("queued", None, 0)
    production.run_due()
    assert delivery().waiting_since == NOON + timedelta(seconds=60)
    production.abandon(run_id=delivery().pk, actor=OPERATOR, why="enough")
    assert (delivery().state, delivery().waiting_since) == ("failed", None)


def test_an_absence_is_not_for_good():
    with pytest.raises(ValueError, match="an absence ends"):
        HandlerError("x", permanent=True, outside=True)
