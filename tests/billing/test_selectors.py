"""What is read: the document of section 9, the pages, and how many queries they take."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from billing import production
from billing.models import Bill, ProductionRun
from billing.selectors import bill_document, bill_page, purchases, run_documents, watch
from billing.services import OrderLine, record_payment
from common.audit import OPERATOR
from common.models import Job, OutboxMail
from tests.accounts.factories import make_account, make_person
from tests.billing.conftest import talking
from tests.billing.factories import Customer, people, plain_item, seats_item

AT = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))


def test_the_document_of_an_order_is_that_of_the_design(customer):
    bill = customer.order(seats_item(params="packsize=2"), 10)
    record_payment(number=bill.number, amount=4000, at=AT, actor=OPERATOR)
    document = bill_document(bill.number)
    line = bill.lines.get()
    assert document == {
        "bill": bill.number,
        "state": "placed",
        "payment": "partial",
        "opened": None,
        "production": "none",
        "complete": False,
        "total": 100,
        "currency": "EUR",
        "paid": 40,
        "due": 60,
        "lines": [
            {
                "key": line.key,
                "item": "SEATS",
                "quantity": 10,
                "unit_price": 10,
                "tax_rate": 20,
                "net": Decimal("83.33"),
                "tax": Decimal("16.67"),
                "gross": 100,
                "params": "packsize=2",
            }
        ],
        "runs": [
            {
                "bill": bill.number,
                "line": line.key,
                "handler": "generateseats",
                "phase": "prepare",
                "state": "queued",
                "attempts": 0,
                "error": "",
                "delivered": {"seats": 0, "enrolments": 0, "spaces": 0, "accounts_created": 0},
            }
        ],
        "invoices": [],
    }
    record_payment(number=bill.number, at=AT, actor=OPERATOR)
    production.produce(numbers=[bill.number], actor=OPERATOR)
    document = bill_document(bill.number)
    assert (document["payment"], document["opened"], document["production"]) == ("paid", AT, "done")
    assert (document["complete"], document["due"]) == (True, 0)
    assert [(run["phase"], run["state"], run["delivered"]["seats"]) for run in document["runs"]] == [
        ("prepare", "done", 0),
        ("deliver", "done", 20),
    ]


def test_an_unknown_order_has_no_document(db):
    with pytest.raises(Bill.DoesNotExist):
        bill_document("CMD-1999-000001")


def test_the_page_of_an_order_shows_everything_and_only_to_its_organisation(customer, scripted):
    scripted.delivering = [talking()]
    bill = customer.place(
        OrderLine(plain_item(handler="scripted"), 1),
        OrderLine(seats_item(params="packsize=5"), 2),
        OrderLine(plain_item(code="P", seat_mode="quantity"), 2, participants=people(2)),
    )
    record_payment(number=bill.number, amount=100, actor=OPERATOR)
    page = bill_page(bill.number, accounts=[customer.account.pk])
    assert [(view.line.item_code, view.seats, view.messages) for view in page.lines] == [
        ("BOOK", 1, ()),
        ("SEATS", 10, ()),
        ("P", 2, ()),
    ]
    assert page.transfer is not None
    assert (page.transfer.amount, page.transfer.reference) == (bill.gross - 100, bill.number)
    record_payment(number=bill.number, actor=OPERATOR)
    production.produce(numbers=[bill.number], actor=OPERATOR)
    page = bill_page(bill.number, accounts=[customer.account.pk])
    assert page.transfer is None
    assert page.lines[0].messages == ("Look here",)
    assert [payment.amount for payment in page.payments] == [100, bill.gross - 100]
    assert [party.kind for party in page.parties] == ["customer"]
    with pytest.raises(Bill.DoesNotExist):
        bill_page(bill.number, accounts=[make_account().pk])


def test_my_purchases_are_pages_of_the_organisation_s_own_orders(customer):
    item = plain_item()
    numbers = [customer.order(item).number for _ in range(25)]
    other = Customer(make_account(), owner=customer.owner, buyer=make_person())
    other.order(item)
    first, second = purchases(customer.account.pk, 1), purchases(customer.account.pk, "2")
    assert [row.bill.number for row in first] == numbers[:4:-1]
    assert [row.bill.number for row in second] == numbers[4::-1]
    assert (first.paginator.count, first.has_next(), second.has_next()) == (25, True, False)
    assert first[0].figures.payment == "unpaid"
    assert [line.item_code for line in first[0].lines] == ["BOOK"]
    assert purchases(customer.account.pk, "nonsense").number == 1


@pytest.mark.parametrize("many", [1, 15])
def test_reading_takes_the_same_number_of_queries_whatever_there_is(
    customer, many, django_assert_num_queries
):
    item = seats_item()
    bills = [customer.order(item, 2) for _ in range(many)]
    big = customer.place(*[OrderLine(plain_item(code=f"P{n}"), 1) for n in range(many)], OrderLine(item, 1))
    for number in (*(bill.number for bill in bills), big.number):
        record_payment(number=number, actor=OPERATOR)
    production.produce(actor=OPERATOR)
    with django_assert_num_queries(3):
        purchases(customer.account.pk)
    with django_assert_num_queries(3):
        bill_document(big.number)
    with django_assert_num_queries(5):
        bill_page(big.number, accounts=[customer.account.pk])
    with django_assert_num_queries(1):
        run_documents(ProductionRun.objects.all())


def test_the_watch_tells_what_waits_and_what_failed(customer):
    assert watch() == type(watch())(None, None, None, 0, 0, 0, 0, 0, None)
    bill = customer.order(seats_item())
    now = timezone.now() + timedelta(seconds=1000)
    Job.objects.create(kind="k", object_id=1, not_before=now - timedelta(seconds=50))
    seen = watch(now=now)
    assert seen.oldest_job == 50
    assert seen.oldest_run is not None
    assert seen.oldest_mail is not None
    assert 995 <= seen.oldest_run <= 1001
    assert 995 <= seen.oldest_mail <= 1001
    ProductionRun.objects.filter(line__bill=bill).update(state="failed")
    OutboxMail.objects.update(state="failed")
    Job.objects.update(state="failed")
    assert watch(now=now) == type(seen)(None, None, None, 1, 1, 1, 0, 0, None)
