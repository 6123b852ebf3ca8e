"""The commands of section 9: their documents, their refusals, their exit codes."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from billing.models import Bill, BillParticipant, Payment, ProductionRun
from billing.services import record_payment
from catalog.models import SeatMode
from common import leases, outbox
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.builtin.platform import BuiltinPlatform
from courses.platform import PlatformAway
from handlers.contract import HandlerError
from seats.models import Seat
from tests.accounts.factories import make_account, make_member, make_person
from tests.billing.factories import Customer, plain_item, seats_item

pytestmark = pytest.mark.django_db
AT = "2026-11-20T10:00:00+01:00"


def printed(*arguments: Any) -> Any:
    """Run a command with --json and read what it printed."""
    out = io.StringIO()
    call_command(*map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def failed(*arguments: Any) -> tuple[int, str, str]:
    """Run a command that must not succeed: exit code, standard error, standard output."""
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*map(str, arguments), "--json", stdout=out)
    return caught.value.returncode, str(caught.value), out.getvalue()


def place(*arguments: Any) -> Any:
    return printed("placeorder", "--account", "demo", *arguments)


def refused(*arguments: Any) -> str:
    """A refusal by placeorder: exit 2, nothing printed, nothing there."""
    code, message, out = failed("placeorder", "--account", "demo", *arguments)
    assert (code, out) == (2, "")
    assert Bill.objects.count() == 0
    return message


# --- placeorder -----------------------------------------------------------------------------------


def test_placeorder_prints_the_order(customer):
    seats_item()
    document = place("--item", "seats", "--quantity", 10, "--at", AT)
    (line,) = document.pop("lines")
    (run,) = document.pop("runs")
    assert document == {
        "bill": "CMD-2026-000001",
        "state": "placed",
        "payment": "unpaid",
        "opened": None,
        "production": "none",
        "complete": False,
        "total": "100.00",
        "currency": "EUR",
        "paid": "0.00",
        "due": "100.00",
        "invoices": [],
    }
    assert (line["item"], line["quantity"], line["unit_price"]) == ("SEATS", 10, "10.00")
    assert (line["net"], line["tax"], line["gross"], line["tax_rate"]) == (
        "83.33",
        "16.67",
        "100.00",
        "20.00",
    )
    assert run["line"] == line["key"]
    bill = Bill.objects.get()
    assert (bill.buyer, bill.paymode) == (customer.owner, "transfer")
    assert bill.placed_at == datetime.fromisoformat(AT)


def test_placeorder_takes_a_buyer_and_a_way_of_paying(customer, settings):
    settings.SHOPSEATS_TEST_CARD = True
    plain_item()
    place(
        "--item", "BOOK", "--quantity", 1, "--buyer", "BUYER@demo.example ", "--paymode", "testcard"
    )  # fmt: skip
    bill = Bill.objects.get()
    assert (bill.buyer, bill.paymode) == (customer.buyer, "testcard")


def test_placeorder_opens_what_costs_nothing(customer):
    plain_item(price=0)
    document = place("--item", "BOOK", "--quantity", 1, "--at", AT)
    assert (document["payment"], document["opened"], document["complete"]) == ("paid", AT, True)


def test_placeorder_reads_participants_from_a_file(customer, tmp_path: Path):
    plain_item(seat_mode=SeatMode.QUANTITY)
    path = tmp_path / "people.csv"
    path.write_bytes(
        "Courriel;Prénom;Rôle\nzoe@demo.example;Zoé;tuteur\nal@demo.example;Al;\n".encode("cp1252")
    )
    place("--item", "BOOK", "--quantity", 2, "--participants", path)
    rows = BillParticipant.objects.all()
    assert [(row.email, row.first_name, row.role) for row in rows] == [
        ("zoe@demo.example", "Zoé", "tutor"),
        ("al@demo.example", "Al", "learner"),
    ]


def test_placeorder_refuses_what_is_wrong_and_names_it(customer, tmp_path: Path):
    plain_item(seat_mode=SeatMode.QUANTITY)
    viewer = make_member(Role.VIEWER, account=customer.account)
    book = ("--item", "BOOK", "--quantity", 1)
    assert refused("--item", "NOPE", "--quantity", 1).startswith("item: ")
    assert refused("--item", "BOOK", "--quantity", 0).startswith("quantity: ")
    assert refused(*book).startswith("participants: ")
    assert refused(*book, "--participants", tmp_path / "none.csv").startswith("participants: ")
    path = tmp_path / "people.csv"
    path.write_text("email\nnobody\n@x\n")
    assert refused(*book, "--participants", path).startswith("participants: ")
    path.write_text("email,firstname\na@demo.example,A\nb@@demo.example,B\n")
    assert refused(*book, "--participants", path).startswith("participants: row 2, email: ")
    assert refused(*book, "--buyer", viewer.person.email).startswith("buyer: ")
    assert refused(*book, "--customer-data", "{").startswith("customer-data: ")
    assert refused(*book, "--customer-data", '{"a": 1}').startswith("customer-data: ")
    assert refused(*book, "--at", "soon").startswith("at: ")
    code, message, _out = failed("placeorder", "--account", "nobody", *book)
    assert (code, message.partition(":")[0]) == (2, "account")


def test_placeorder_refuses_customer_data_nobody_asked_for(customer):
    plain_item()
    message = refused("--item", "BOOK", "--quantity", 1, "--customer-data", '[{"a": 1}]')
    assert message.startswith("customer_data: ")


def test_placeorder_needs_somebody_who_may_order():
    make_account(slug="empty")
    plain_item()
    code, message, _out = failed("placeorder", "--account", "empty", "--item", "BOOK", "--quantity", 1)
    assert (code, message.partition(":")[0]) == (2, "buyer")
    assert Bill.objects.count() == 0


def test_placeorder_is_closed_while_the_seller_is_incomplete(customer):
    item = plain_item()
    item.shop.siren = ""
    item.shop.save()
    assert refused("--item", "BOOK", "--quantity", 1).startswith("seller: ")


# --- markpaid and showbill ------------------------------------------------------------------------


@pytest.fixture
def bill(customer: Customer) -> Bill:
    return customer.order(seats_item(), 10)


def test_markpaid_without_amount_pays_what_is_due_and_prints_the_order(bill):
    document = printed("markpaid", bill.number.lower(), "--at", AT)
    assert (document["payment"], document["paid"], document["due"]) == ("paid", "100.00", "0.00")
    assert document["opened"] == AT
    assert printed("markpaid", bill.number) == document == printed("showbill", bill.number)
    assert Payment.objects.count() == 1


def test_markpaid_takes_amount_and_reference(bill):
    document = printed("markpaid", bill.number, "--amount", "40,00", "--reference", "R1")
    assert (document["payment"], document["due"]) == ("partial", "60.00")
    assert printed("markpaid", bill.number, "--amount", "40.00", "--reference", "R1") == document
    payment = Payment.objects.get()
    assert (payment.amount, payment.reference, payment.recorded_by) == (4000, "R1", "operator")


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["--amount", "ten"], "amount"),
        (["--amount", "0"], "amount"),
        (["--amount", "-5"], "amount"),
        (["--amount", "10.001"], "amount"),
        (["--amount", "99999999999999999999"], "amount"),
        (["--reference", "x" * 121], "reference"),
        (["--at", "yesterday"], "at"),
    ],
)
def test_markpaid_refuses_bad_arguments(bill, arguments, key):
    code, message, out = failed("markpaid", bill.number, *arguments)
    assert (code, message.partition(":")[0], out) == (2, key, "")
    assert Payment.objects.count() == 0


def test_markpaid_refuses_a_reference_of_another_payment(customer, bill):
    record_payment(number=bill.number, amount=100, reference="R1", actor=OPERATOR)
    code, message, _out = failed("markpaid", bill.number, "--amount", "2", "--reference", "R1")
    assert (code, message.partition(":")[0]) == (2, "reference")
    assert Payment.objects.count() == 1


def test_an_unknown_order_is_refused():
    for command in ("markpaid", "showbill", "produce"):
        code, message, out = failed(command, "CMD-1999-000001")
        assert (code, message, out) == (2, "bill: there is no order CMD-1999-000001.", "")


def test_amounts_keep_two_decimals_in_every_document(bill):
    document = printed("showbill", bill.number)
    amounts = [document[key] for key in ("total", "paid", "due")]
    amounts += [document["lines"][0][key] for key in ("unit_price", "net", "tax", "gross")]
    assert all(isinstance(amount, str) and Decimal(amount).as_tuple().exponent == -2 for amount in amounts)


# --- produce, listruns, sweep ---------------------------------------------------------------------


def test_produce_runs_and_prints_the_runs(bill):
    printed("markpaid", bill.number)
    runs = printed("produce", bill.number)
    assert [(run["phase"], run["state"], run["attempts"], run["error"]) for run in runs] == [
        ("prepare", "done", 1, ""),
        ("deliver", "done", 1, ""),
    ]
    assert runs[1]["delivered"] == {"seats": 10, "enrolments": 0, "spaces": 0, "accounts_created": 0}
    assert printed("produce", bill.number) == runs
    assert printed("produce") == []
    assert Seat.objects.count() == 10


def test_produce_exits_1_when_one_has_failed_and_retries_when_told(customer, scripted):
    bill = customer.order(plain_item(handler="scripted"))
    printed("markpaid", bill.number)
    scripted.delivering = [HandlerError("no course", permanent=True, field="coursename")]
    code, _message, out = failed("produce", bill.number)
    runs = json.loads(out)
    assert (code, runs[1]["state"], runs[1]["error"]) == (1, "failed", "coursename: no course")
    assert failed("produce", bill.number)[0] == 1
    runs = printed("produce", "--retry-failed")
    assert [(run["state"], run["attempts"]) for run in runs] == [("done", 1), ("done", 2)]


def test_produce_takes_over_at_once_when_told(bill):
    printed("markpaid", bill.number)
    for run in ProductionRun.objects.all():
        leases.claim(ProductionRun, run.pk, seconds=300)
    assert [run["state"] for run in printed("produce", bill.number)] == ["running", "running"]
    assert [run["state"] for run in printed("produce", "--takeover", bill.number)] == ["done", "done"]


def test_listruns_filters_by_state(bill):
    assert [run["phase"] for run in printed("listruns", "--state", "queued")] == ["prepare"]
    assert printed("listruns", "--state", "failed") == []
    assert len(printed("listruns")) == 1
    with pytest.raises(CommandError):
        call_command("listruns", "--state", "odd")


def test_sweep_does_what_is_due(bill, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    record_payment(number=bill.number, actor=OPERATOR)
    assert printed("sweep") == {"runs": 2, "jobs": 0, "mails": 5}
    assert printed("sweep") == {"runs": 0, "jobs": 0, "mails": 0}
    assert Seat.objects.count() == 10


# --- status and listmail --------------------------------------------------------------------------


def test_status_is_quiet_when_nothing_is_stuck(bill):
    document = printed("status")
    assert document["problems"] == []
    assert document["platform"] == {
        "name": "builtin",
        "reachable": True,
        "reason": "",
        "away_since": None,
        "needs_admin": False,
    }
    assert document["failed_runs"] == 0


def test_status_exits_1_beyond_its_thresholds(bill):
    ProductionRun.objects.update(not_before=timezone.now() - timedelta(seconds=1000))
    code, _message, out = failed("status")
    assert (code, len(json.loads(out)["problems"])) == (1, 1)
    assert printed("status", "--threshold", 2000)["problems"] == []
    ProductionRun.objects.update(state="failed")
    assert failed("status", "--threshold", 2000)[0] == 1
    assert printed("status", "--max-failed", 1)["failed_runs"] == 1


def test_status_exits_1_when_the_platform_is_away(monkeypatch):
    def away(self: BuiltinPlatform) -> None:
        raise PlatformAway("no answer")

    monkeypatch.setattr(BuiltinPlatform, "check", away)
    code, _message, out = failed("status")
    assert (code, json.loads(out)["platform"]["reachable"]) == (1, False)


def test_listmail_shows_the_outbox_without_ids_or_secrets(bill, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox.deliver_due()
    outbox.queue(
        outbox.Draft("order_received", "else@demo.example", "k", {"bill": bill.pk, "token": "secret"})
    )
    first, second = printed("listmail")
    assert set(first) == {"to", "kind", "state", "created", "sent"}
    assert (first["to"], first["kind"], first["state"]) == ("buyer@demo.example", "order_received", "sent")
    assert first["sent"] is not None
    assert (second["state"], second["sent"]) == ("queued", None)
    assert [mail["to"] for mail in printed("listmail", "--to", "ELSE@demo.example")] == ["else@demo.example"]
    assert OutboxMail.objects.count() == 2


def test_every_command_also_prints_text(bill):
    make_person()
    for command in (
        ["showbill", bill.number],
        ["markpaid", bill.number],
        ["produce", bill.number],
        ["listruns"],
        ["listmail"],
        ["status"],
        ["sweep"],
        ["placeorder", "--account", "demo", "--item", "SEATS", "--quantity", "1"],
    ):
        out = io.StringIO()
        call_command(*command, stdout=out)
        assert out.getvalue().strip(), command
        assert not out.getvalue().startswith("{")
