"""Work is a row: without a broker it runs after the commit, with a dead one the sweeper finds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core import mail as django_mail
from django.utils import timezone
from kombu import pools

from billing.models import Bill, ProductionRun
from billing.selectors import bill_document
from billing.services import record_payment
from billing.sweeper import sweep
from billing.tasks import run as run_task
from billing.tasks import sweep as sweep_task
from common import jobs, outbox, wake
from common.audit import OPERATOR
from common.models import Job, OutboxMail
from seats.models import Seat
from tests.billing.factories import Customer, seats_item


@pytest.fixture(autouse=True)
def _in_memory(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """Celery as in production, with a broker that does not answer."""
    conf = current_app.conf
    before = {name: conf[name] for name in ("task_always_eager", "broker_url")}
    # Port 1 of this machine: nothing listens there.
    conf.update(task_always_eager=False, broker_url="redis://127.0.0.1:1/0")
    forget_connections()
    yield
    conf.update(before)
    forget_connections()


def forget_connections() -> None:
    """Celery keeps its pools for the life of a process."""
    pools.reset()
    app: Any = current_app
    app._pool = None
    app.amqp._producer_pool = None
    wake._broker["away_until"] = 0.0


def states(bill: Bill) -> list[tuple[str, str]]:
    return [(run.phase, run.state) for run in ProductionRun.objects.filter(line__bill=bill).order_by("id")]


def kinds() -> list[tuple[str, str]]:
    return list(OutboxMail.objects.order_by("id").values_list("kind", "state"))


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_everything_happens_after_the_commit():
    bill = Customer().order(seats_item(), 10)
    assert states(bill) == [("prepare", "done")]
    record_payment(number=bill.number, actor=OPERATOR)
    assert states(bill) == [("prepare", "done"), ("deliver", "done")]
    assert Seat.objects.count() == 10
    assert {state for _kind, state in kinds()} == {"sent"}
    assert len(django_mail.outbox) == len(kinds()) == 5
    assert sweep() == {"runs": 0, "jobs": 0, "mails": 0}


@pytest.mark.django_db(transaction=True)
def test_the_broker_down_when_the_payment_is_confirmed_the_sweeper_delivers(dead_broker):
    bill = Customer().order(seats_item(), 10)
    record_payment(number=bill.number, actor=OPERATOR)
    document = bill_document(bill.number)
    assert (document["payment"], document["production"], document["complete"]) == ("paid", "queued", False)
    assert (states(bill), Seat.objects.count(), len(django_mail.outbox)) == (
        [("prepare", "queued"), ("deliver", "queued")],
        0,
        0,
    )
    assert sweep() == {"runs": 2, "jobs": 0, "mails": 5}
    document = bill_document(bill.number)
    assert (document["production"], document["complete"]) == ("done", True)
    assert (Seat.objects.count(), len(django_mail.outbox)) == (10, 5)
    assert sweep() == {"runs": 0, "jobs": 0, "mails": 0}
    assert (Seat.objects.count(), len(django_mail.outbox)) == (10, 5)


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_delivered_twice_changes_nothing_the_second_time():
    bill = Customer().order(seats_item(), 3)
    record_payment(number=bill.number, actor=OPERATOR)
    before = (list(ProductionRun.objects.values()), kinds(), Seat.objects.count())
    for run in ProductionRun.objects.all():
        run_task.delay(run.pk)
    sweep_task.delay()
    assert (list(ProductionRun.objects.values()), kinds(), Seat.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_died_silently_is_taken_over_when_its_lease_ends(dead_broker, settings):
    bill = Customer().order(seats_item(), 3)
    record_payment(number=bill.number, actor=OPERATOR)
    lease = timedelta(seconds=settings.SHOPSEATS_RUN_LEASE)
    ProductionRun.objects.update(state="running", attempt=1, lease_until=timezone.now() + lease)
    assert sweep()["runs"] == 0
    assert sweep(now=timezone.now() + lease + timedelta(seconds=1))["runs"] == 2
    assert [run.attempt for run in ProductionRun.objects.all()] == [2, 2]
    assert (Seat.objects.count(), bill_document(bill.number)["complete"]) == (3, True)


@pytest.mark.django_db
def test_what_cannot_be_done_does_not_hold_up_what_can(customer, monkeypatch):
    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(jobs._runners, "broken", broken)
    done: list[int] = []
    monkeypatch.setitem(jobs._runners, "sound", lambda pk, _progress: done.append(pk))
    for kind in ("broken", "sound"):
        jobs.start(kind=kind, object_id=7)
    outbox.queue(outbox.Draft("nobody renders this", "a@example.org", "k"))
    customer.order(seats_item(), 1)
    assert sweep() == {"runs": 1, "jobs": 1, "mails": 1}
    assert done == [7]
    assert list(Job.objects.order_by("id").values_list("state", "last_error")) == [
        ("queued", "ZeroDivisionError"),
        ("done", ""),
    ]
    assert kinds() == [("nobody renders this", "queued"), ("order_received", "sent")]
    for days in range(1, 20):
        later = timezone.now() + timedelta(days=days)
        sweep(now=later)
        Job.objects.update(not_before=timezone.now())
    assert Job.objects.first().state == "failed"  # type: ignore[union-attr]
    assert kinds()[0] == ("nobody renders this", "failed")
