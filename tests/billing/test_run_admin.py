"""Deliveries in the back office: tried again, held, released, given up; and what the rest of the house makes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Person
from billing import production
from billing.models import Bill, ProductionRun
from billing.production.queue import startable
from billing.selectors import bill_document, bill_page, watch
from billing.services import open_bill
from common.audit import OPERATOR
from common.models import AuditEntry
from handlers.contract import HandlerError
from tests.accounts.factories import make_person
from tests.billing.conftest import Scripted
from tests.billing.factories import Customer, plain_item
from tests.billing.shopping import browser

LIST = reverse("admin:billing_productionrun_changelist")
BROKEN = HandlerError("no such course", permanent=True, field="coursename")


@pytest.fixture
def staff(db, client: Client) -> Client:
    """Signed in as somebody who may do everything, in English."""
    client.force_login(Person.objects.create_superuser("staff@shop.example", language="en"))
    client.cookies.load({"django_language": "en"})
    return client


@pytest.fixture
def bill(customer: Customer, scripted: Scripted) -> Bill:
    """An opened order whose runs are queued."""
    placed = customer.order(plain_item(handler="scripted"))
    return open_bill(number=placed.number, how="credit", actor=OPERATOR)


def the_run(bill: Bill, phase: str = "deliver") -> ProductionRun:
    return ProductionRun.objects.get(line__bill=bill, phase=phase)


def fail(bill: Bill, scripted: Scripted) -> ProductionRun:
    """The delivery of the order after it has failed."""
    scripted.delivering = [BROKEN]
    production.produce(actor=OPERATOR)
    return the_run(bill)


def rows() -> list[Any]:
    return list(ProductionRun.objects.order_by("id").values())


def text(response: Any) -> str:
    found: bytes = response.content
    return found.decode()


def act(client: Client, action: str, *runs: ProductionRun, **more: str) -> str:
    chosen = {"action": action, "_selected_action": [run.pk for run in runs], **more}
    return text(client.post(LIST, chosen, follow=True))


def audited(verb: str) -> list[tuple[str, str]]:
    return list(AuditEntry.objects.filter(verb=verb).values_list("object", "why"))


# --- held -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("takeover", [False, True])
def test_a_held_run_is_never_claimed(bill, scripted, takeover):
    run = the_run(bill, "prepare")
    assert production.hold(run_id=run.pk, actor=OPERATOR) is True
    before = rows()
    later = timezone.now() + timedelta(days=9999)
    assert production.run(run.pk, takeover=takeover, now=later) is False
    production.produce(numbers=[bill.number], takeover=takeover, retry_failed=True, now=later, actor=OPERATOR)
    # The delivery waits for the preparation that is held.
    assert (scripted.calls, rows()) == ([], before)
    assert audited("run.held") == [(f"bill:{bill.number}", "")]


def test_a_claim_that_was_about_to_happen_loses_against_the_hold(bill, scripted, monkeypatch):
    run = the_run(bill, "prepare")

    def held_after_the_look() -> Any:
        found = startable().filter(pk__in=list(startable().values_list("pk", flat=True)))
        production.hold(run_id=run.pk, actor=OPERATOR)
        return found

    monkeypatch.setattr("billing.production.runs.startable", held_after_the_look)
    assert production.run(run.pk) is False
    assert scripted.calls == []


def test_a_released_run_goes_on_from_where_it_was(bill, scripted):
    scripted.preparing = [HandlerError("soon", permanent=False)]
    run = the_run(bill, "prepare")
    production.run(run.pk)
    waiting = ProductionRun.objects.filter(pk=run.pk).values().get()
    assert production.hold(run_id=run.pk, actor=OPERATOR) is True
    assert production.hold(run_id=run.pk, actor=OPERATOR) is False
    assert production.release(run_id=run.pk, actor=OPERATOR) is True
    assert production.release(run_id=run.pk, actor=OPERATOR) is False
    assert ProductionRun.objects.filter(pk=run.pk).values().get() == waiting
    production.produce(now=timezone.now() + timedelta(hours=1), actor=OPERATOR)
    assert [run["state"] for run in rows()] == ["done", "done"]
    assert audited("run.released") == [(f"bill:{bill.number}", "")]


@pytest.mark.parametrize("state", ["running", "done", "failed"])
def test_only_what_has_not_started_can_be_held(bill, state):
    run = the_run(bill)
    ProductionRun.objects.filter(pk=run.pk).update(state=state)
    before = rows()
    assert production.hold(run_id=run.pk, actor=OPERATOR) is False
    assert (rows(), audited("run.held")) == (before, [])
    with pytest.raises(IntegrityError), transaction.atomic():
        ProductionRun.objects.filter(pk=run.pk).update(held_at=timezone.now())


def test_a_held_run_does_not_count_as_stuck(bill):
    ProductionRun.objects.update(not_before=timezone.now() - timedelta(days=3))
    assert (watch().oldest_run or 0) > 200_000
    for run in ProductionRun.objects.all():
        production.hold(run_id=run.pk, actor=OPERATOR)
    assert watch().oldest_run is None


# --- given up -------------------------------------------------------------------------------------


def test_a_failed_run_that_is_given_up_is_never_tried_again(bill, scripted):
    run = fail(bill, scripted)
    calls = len(scripted.calls)
    assert production.abandon(run_id=run.pk, actor=OPERATOR, why="  refunded \n by hand ") is True
    before = rows()
    assert production.retry(run_id=run.pk, actor=OPERATOR) is False
    production.produce(numbers=[bill.number], retry_failed=True, takeover=True, actor=OPERATOR)
    assert production.abandon(run_id=run.pk, actor=OPERATOR, why="again") is False
    assert (rows(), len(scripted.calls)) == (before, calls)
    run.refresh_from_db()
    assert (run.state, run.error, run.last_error) == (
        "failed",
        "Given up: refunded by hand",
        "no such course",
    )
    assert audited("run.abandoned") == [(f"bill:{bill.number}", "refunded by hand")]


def test_the_order_says_that_it_is_not_delivered_and_status_is_quiet(bill, scripted):
    run = fail(bill, scripted)
    assert watch().failed_runs == 1
    assert bill_page(bill.number).figures.abandoned is False
    production.abandon(run_id=run.pk, actor=OPERATOR, why="refunded")
    figures = bill_page(bill.number).figures
    assert (figures.production, figures.abandoned, figures.complete) == ("failed", True, False)
    assert watch().failed_runs == 0
    document = bill_document(bill.number)
    assert document["production"] == "failed"
    assert document["runs"][1]["error"] == "Given up: refunded"
    client = browser(bill.buyer)
    page = text(client.get(reverse("billing:bill", args=[bill.number])))
    assert "Something of this order is not delivered. The shop gets in touch with you." in page
    assert "not delivered: the shop gets in touch with you" in page
    assert "refunded" not in page
    assert "not delivered" in text(client.get(reverse("billing:purchases")))


def test_a_preparation_that_is_given_up_no_longer_holds_up_its_delivery(bill, scripted):
    assert production.abandon(run_id=the_run(bill, "prepare").pk, actor=OPERATOR, why="no support")
    production.produce(actor=OPERATOR)
    assert scripted.phases == ["deliver"]
    assert [run["state"] for run in rows()] == ["failed", "done"]
    assert bill_page(bill.number).figures.production == "done"


def test_a_held_run_can_be_given_up(bill):
    run = the_run(bill)
    production.hold(run_id=run.pk, actor=OPERATOR)
    assert production.abandon(run_id=run.pk, actor=OPERATOR, why="never mind") is True
    run.refresh_from_db()
    assert (run.state, run.held_at) == ("failed", None)


@pytest.mark.parametrize("state", ["done", "running"])
def test_what_is_done_or_under_way_cannot_be_given_up(bill, state):
    run = the_run(bill)
    later = timezone.now() + timedelta(minutes=5)
    ProductionRun.objects.filter(pk=run.pk).update(state=state, lease_until=later)
    before = rows()
    assert production.abandon(run_id=run.pk, actor=OPERATOR, why="stop") is False
    assert (rows(), audited("run.abandoned")) == (before, [])


def test_a_run_whose_worker_is_gone_can_be_given_up(bill):
    run = the_run(bill)
    ProductionRun.objects.filter(pk=run.pk).update(state="running", lease_until=timezone.now())
    assert production.abandon(run_id=run.pk, actor=OPERATOR, why="it dies every time") is True


def test_nothing_is_given_up_without_a_reason(bill):
    before = rows()
    with pytest.raises(ValueError, match="reason"):
        production.abandon(run_id=the_run(bill).pk, actor=OPERATOR, why=" \n")
    assert rows() == before


# --- the pages ------------------------------------------------------------------------------------


def test_the_list_shows_order_line_automation_phase_state_attempts_and_error(staff, bill, scripted):
    fail(bill, scripted)
    page = text(staff.get(LIST))
    for expected in (bill.number, "BOOK", "scripted", "before payment", "coursename: no such course"):
        assert expected in page, expected
    assert text(staff.get(LIST, {"state__exact": "queued"})).count('name="_selected_action"') == 0
    assert text(staff.get(LIST, {"state__exact": "failed"})).count('name="_selected_action"') == 1


@pytest.mark.parametrize("many", [1, 20])
def test_the_list_of_deliveries_takes_the_same_number_of_queries(
    staff, customer, scripted, many, django_assert_max_num_queries
):
    item = plain_item(handler="scripted")
    for _ in range(many):
        customer.order(item)
    staff.get(LIST)
    with django_assert_max_num_queries(9):
        staff.get(LIST)


def test_staff_holds_and_releases(staff, bill):
    run = the_run(bill)
    assert "1 delivery is held." in act(staff, "hold", run)
    assert "0 deliveries are held." in act(staff, "hold", run)
    page = text(staff.get(LIST, {"mark": "held"}))
    assert "queued, held" in page
    assert "its release" in page
    assert page.count('name="_selected_action"') == 1
    assert "queued, held" in text(staff.get(reverse("admin:billing_bill_change", args=[bill.pk])))
    assert "1 delivery is released." in act(staff, "release", run)
    run.refresh_from_db()
    assert run.held_at is None


def test_staff_gives_up_with_a_reason_only(staff, bill, scripted):
    run = fail(bill, scripted)
    asked = act(staff, "abandon", run)
    assert "These deliveries will never be tried again." in asked
    assert "This field is required." in act(staff, "abandon", run, why=" ")
    run.refresh_from_db()
    assert run.abandoned_at is None
    assert "1 delivery is given up." in act(staff, "abandon", run, why="paid back")
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "Given up: paid back")
    person = Person.objects.get(email="staff@shop.example")
    entry = AuditEntry.objects.get(verb="run.abandoned")
    assert (entry.actor, entry.why) == (f"person:{person.pk}", "paid back")
    assert "Given up: paid back" in text(staff.get(reverse("admin:billing_bill_change", args=[bill.pk])))
    assert text(staff.get(LIST, {"mark": "abandoned"})).count('name="_selected_action"') == 1
    assert "0 deliveries are tried again." in act(staff, "try_again", run)


@pytest.mark.parametrize("action", ["try_again", "hold", "release", "abandon"])
def test_staff_who_may_only_look_change_nothing(client, bill, action):
    person = make_person(email="reader@shop.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_productionrun"))
    client.force_login(person)
    before = rows()
    act(client, action, the_run(bill), why="because")
    assert rows() == before


# --- the command ----------------------------------------------------------------------------------


def test_listruns_shows_what_is_held_and_what_was_given_up(bill, capsys):
    production.hold(run_id=the_run(bill).pk, actor=OPERATOR)
    production.abandon(run_id=the_run(bill, "prepare").pk, actor=OPERATOR, why="no support")

    def printed(*options: str) -> Any:
        call_command("listruns", *options, "--json")
        return json.loads(capsys.readouterr().out)

    assert [run["phase"] for run in printed("--state", "held")] == ["deliver"]
    assert [(run["phase"], run["state"], run["error"]) for run in printed("--state", "abandoned")] == [
        ("prepare", "failed", "Given up: no support")
    ]
    assert [(bool(run["held"]), bool(run["abandoned"])) for run in printed()] == [
        (False, True),
        (True, False),
    ]
    call_command("listruns")
    shown = capsys.readouterr().out
    assert "deliver: queued, held" in shown
    assert "prepare: failed, given up" in shown
