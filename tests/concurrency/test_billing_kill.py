"""A whole order, killed after every SQL statement and every commit, ends as if nothing had happened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Bill, Payment
from billing.selectors import bill_document
from billing.services import OrderLine, record_payment
from billing.sweeper import sweep
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from seats.models import Seat, SeatPool
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, seats_item
from tests.concurrency.killing import count_steps, run_killed

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PARTS = 4  # so that several processes can share the walk
_numbers = count(1)


@pytest.fixture
def item(settings, tmp_path: Path) -> CatalogItem:
    """Three seats a unit; mails go to files, which outlive the process that wrote them."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return seats_item(params="packsize=3")


class Order:
    """An organisation of its own, its order, and what is left of it in the end."""

    def __init__(self, item: CatalogItem, mail_folder: Path) -> None:
        self.item = item
        self.mail_folder = mail_folder
        self.name = f"walk{next(_numbers)}"
        self.customer = Customer(
            make_account(slug=self.name),
            make_person(email=f"owner@{self.name}.example"),
            make_person(email=f"buyer@{self.name}.example"),
        )

    def place_and_pay(self) -> None:
        """What a buyer and an operator do, and the workers after them (without a broker they are this process).

        Done again it is the same checkout and the same payment.
        """
        bill = self.customer.place(OrderLine(self.item, 1), checkout_key="once")
        record_payment(number=bill.number, reference=self.name, actor=OPERATOR)
        sweep()

    def resume(self) -> None:
        """Whoever was interrupted tries again; later, when every lease has ended, the sweeper comes round."""
        self.place_and_pay()
        sweep(now=timezone.now() + timedelta(hours=1))

    def end_state(self) -> dict[str, Any]:
        account = self.customer.account
        bills = Bill.objects.filter(account=account)
        (document,) = [bill_document(bill.number) for bill in bills]
        for line in document["lines"]:
            del line["key"]
        runs = [(run["phase"], run["state"], run["error"], run["delivered"]) for run in document.pop("runs")]
        opened = document.pop("opened")
        pools = SeatPool.objects.filter(account=account)
        payments = Payment.objects.filter(bill__account=account)
        mails = OutboxMail.objects.filter(to__endswith=f"@{self.name}.example")
        notes = OutboxMail.objects.filter(kind="production_note", ids__run__in=self._run_ids())
        audit = AuditEntry.objects.filter(scope=f"account:{account.pk}")
        return {
            "order": {key: value for key, value in document.items() if key != "bill"},
            "runs": runs,
            "opened by": list(bills.values_list("opened_how", "opened_by")),
            "payments": list(payments.values_list("amount", "gateway")),
            "pools": list(pools.values_list("size", "item_code")),
            "purchase is the opening": [pool.purchased_at == opened for pool in pools],
            "seats": sorted(Seat.objects.filter(account=account).values_list("ordinal", flat=True)),
            "outbox": sorted((mail.kind, mail.to.partition("@")[0], mail.state) for mail in mails),
            "notes": sorted(notes.values_list("to", "state")),
            "letters": self._letters(),
            "audit": sorted(audit.values_list("verb", flat=True)),
        }

    def _run_ids(self) -> list[int]:
        lines = Bill.objects.get(account=self.customer.account).lines.all()
        return [run.pk for line in lines for run in line.runs.all()]

    def _letters(self) -> Counter[str]:
        """How many letters really left, by addressee and subject."""
        number = Bill.objects.get(account=self.customer.account).number
        found: Counter[str] = Counter()
        for path in self.mail_folder.iterdir():
            for letter in path.read_text(encoding="utf-8").split("Content-Type: multipart/alternative;")[1:]:
                to = re.search(r"^To: (\S+)$", letter, re.MULTILINE)
                subject = re.search(r"^Subject: (.*)$", letter, re.MULTILINE)
                assert to is not None
                assert subject is not None
                if to[1].endswith(f"@{self.name}.example") or number in letter:
                    found[f"{to[1].partition('@')[0]}: {subject[1].replace(number, 'N')}"] += 1
        return found


@pytest.fixture
def order(item: CatalogItem, tmp_path: Path) -> Callable[[], Order]:
    return lambda: Order(item, tmp_path)


def test_the_story_ends_as_it_should(order):
    whole = order()
    whole.place_and_pay()
    state = whole.end_state()
    assert state["order"]["complete"] is True
    assert state["runs"] == [
        ("prepare", "done", "", {"seats": 0, "enrolments": 0, "spaces": 0, "accounts_created": 0}),
        ("deliver", "done", "", {"seats": 3, "enrolments": 0, "spaces": 0, "accounts_created": 0}),
    ]
    assert (state["seats"], state["payments"]) == ([1, 2, 3], [(1000, "transfer")])
    assert state["outbox"] == [
        ("order_received", "buyer", "sent"),
        ("payment_received", "buyer", "sent"),
        ("seats_open", "buyer", "sent"),
        ("seats_open", "owner", "sent"),
    ]
    assert state["notes"] == [("aide@atelier.example", "sent")]
    assert sorted(state["letters"].values()) == [1, 1, 1, 1, 1]
    assert state["audit"] == [
        "order.opened",
        "order.placed",
        "payment.recorded",
        "run.done",
        "run.done",
    ]
    whole.resume()
    assert whole.end_state() == state


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_and_resumed_the_end_is_the_same(order, part):
    whole = order()
    total = count_steps(whole.place_and_pay)
    expected = whole.end_state()
    assert total > 60
    for step in range(1 + part, total + 1, PARTS):
        killed = order()
        assert run_killed(killed.place_and_pay, after=step), step
        killed.resume()
        assert killed.end_state() == expected, f"killed after step {step} of {total}"


def test_nothing_is_left_to_do_after_a_story(order):
    whole = order()
    whole.place_and_pay()
    later = timezone.now() + timedelta(days=1)
    assert sweep(now=later) == {"runs": 0, "jobs": 0, "mails": 0}
    assert whole.end_state()["order"]["production"] == "done"
