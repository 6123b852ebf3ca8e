"""The back office: what staff sees, what staff may do, and that the frozen stays frozen."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Person
from billing import production
from billing.models import Bill, BillLine, Payment, ProductionRun
from billing.services import OrderLine, cancel, record_payment
from common.audit import OPERATOR
from handlers.contract import HandlerError
from tests.accounts.factories import make_person
from tests.billing.factories import Customer, plain_item, seats_item

LIST = reverse("admin:billing_bill_changelist")


@pytest.fixture
def staff(db, client: Client) -> Client:
    """Signed in as somebody who may do everything, in English."""
    client.force_login(Person.objects.create_superuser("staff@shop.example", language="en"))
    client.cookies.load({"django_language": "en"})
    return client


@pytest.fixture
def bill(customer: Customer) -> Bill:
    return customer.order(seats_item(), 10)


def change(bill: Bill) -> str:
    return reverse("admin:billing_bill_change", args=[bill.pk])


def transfer(bill: Bill) -> str:
    return reverse("admin:billing_bill_transfer", args=[bill.pk])


def text(response: HttpResponse) -> str:
    return response.content.decode().replace("\u202f", " ")


def test_the_list_shows_number_organisation_total_payment_opening_and_production(staff, bill):
    page = text(staff.get(LIST))
    for expected in (bill.number, "Demo", "€100.00", "to be paid", "not started"):
        assert expected in page, expected
    record_payment(number=bill.number, actor=OPERATOR)
    production.produce(actor=OPERATOR)
    page = text(staff.get(LIST))
    assert ">paid<" in page
    assert ">delivered<" in page


@pytest.mark.parametrize("many", [1, 30])
def test_the_list_takes_the_same_number_of_queries_whatever_there_is(
    staff, customer, many, django_assert_max_num_queries
):
    item = seats_item()
    for _ in range(many):
        record_payment(number=customer.order(item, 2).number, actor=OPERATOR)
    staff.get(LIST)
    with django_assert_max_num_queries(9):
        staff.get(LIST)


def test_an_order_is_shown_whole_and_cannot_be_edited(staff, bill):
    record_payment(number=bill.number, amount=4000, reference="R7", actor=OPERATOR)
    page = text(staff.get(change(bill)))
    for expected in ("Free seats", "€60.00", "R7", "generateseats", "Demo", "Record a bank transfer"):
        assert expected in page, expected
    assert 'name="_save"' not in page
    assert "deletelink" not in page
    before = list(Bill.objects.values()), list(BillLine.objects.values())
    assert staff.post(change(bill), {"number": "X", "state": "cancelled"}).status_code == 403
    assert (
        staff.post(reverse("admin:billing_bill_delete", args=[bill.pk]), {"post": "yes"}).status_code == 403
    )
    assert staff.get(reverse("admin:billing_bill_add")).status_code == 403
    assert (list(Bill.objects.values()), list(BillLine.objects.values())) == before


def test_a_transfer_recorded_here_is_the_payment_that_markpaid_records(staff, bill):
    page = text(staff.get(transfer(bill)))
    assert 'value="100.00"' in page
    response = staff.post(transfer(bill), {"amount": "100.00", "reference": "R1"}, follow=True)
    assert response.redirect_chain == [(change(bill), 302)]
    assert f"€100.00 recorded for {bill.number}." in text(response)
    payment = Payment.objects.get()
    staff_id = Person.objects.get(email="staff@shop.example").pk
    assert (payment.amount, payment.reference, payment.gateway) == (10000, "R1", "transfer")
    assert payment.recorded_by == f"person:{staff_id}"
    bill.refresh_from_db()
    assert bill.opened_how == "payment"


def test_a_transfer_pressed_twice_is_one_payment(staff, bill):
    for _ in range(2):
        staff.post(transfer(bill), {"amount": "40", "reference": "R1"})
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "reference", "expected"),
    [
        ("ten", "R2", "This is not an amount."),
        ("0", "R2", "A payment is more than 0."),
        ("-5", "R2", "The amount cannot be negative."),
        ("", "R2", "This field is required."),
        ("5", "", "This field is required."),
        ("5", "R1", "This reference is already that of another payment"),
    ],
)
def test_a_transfer_that_is_wrong_is_refused_beside_its_field(staff, bill, amount, reference, expected):
    record_payment(number=bill.number, amount=100, reference="R1", actor=OPERATOR)
    response = staff.post(transfer(bill), {"amount": amount, "reference": reference})
    assert response.status_code == 200
    assert expected in text(response)
    assert Payment.objects.count() == 1


def test_a_transfer_for_a_cancelled_order_is_refused(staff, bill):
    cancel(number=bill.number, actor=OPERATOR)
    response = staff.post(transfer(bill), {"amount": "5", "reference": "R"})
    assert "This order is cancelled" in text(response)
    assert Payment.objects.count() == 0


def test_the_action_leads_to_the_transfer_of_one_order(staff, customer, bill):
    other = customer.order(plain_item())
    action = {"action": "record_a_transfer", "_selected_action": [bill.pk]}
    assert staff.post(LIST, action).headers["Location"] == transfer(bill)
    response = staff.post(LIST, {**action, "_selected_action": [bill.pk, other.pk]}, follow=True)
    assert "Choose one order" in text(response)
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("page", ["billing_bill", "billing_productionrun"])
def test_failed_deliveries_can_be_tried_again(staff, customer, scripted, page):
    bill = customer.place(OrderLine(plain_item(handler="scripted"), 1))
    record_payment(number=bill.number, actor=OPERATOR)
    scripted.delivering = [HandlerError("no such course", permanent=True, field="coursename")]
    production.produce(actor=OPERATOR)
    assert "coursename: no such course" in text(staff.get(change(bill)))
    assert "coursename: no such course" in text(staff.get(reverse("admin:billing_productionrun_changelist")))
    run = ProductionRun.objects.get(phase="deliver")
    chosen = bill.pk if page == "billing_bill" else run.pk
    url = reverse(f"admin:{page}_changelist")
    for message in ("1 delivery is tried again.", "0 deliveries are tried again."):
        response = staff.post(url, {"action": "try_again", "_selected_action": [chosen]}, follow=True)
        assert message in text(response)
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_delivery_is_shown_and_cannot_be_edited(staff, bill):
    run = ProductionRun.objects.get()
    url = reverse("admin:billing_productionrun_change", args=[run.pk])
    assert bill.number in text(staff.get(url))
    assert staff.post(url, {"state": "done"}).status_code == 403


def test_staff_who_may_only_look_may_not_act(client, bill):
    person = make_person(email="reader@shop.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_bill"))
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    page = text(client.get(change(bill)))
    assert bill.number in page
    assert "Record a bank transfer" not in page
    assert client.get(transfer(bill)).status_code == 403
    assert client.post(transfer(bill), {"amount": "100", "reference": "R"}).status_code == 403
    client.post(LIST, {"action": "try_again", "_selected_action": [bill.pk]})
    assert Payment.objects.count() == 0


def test_strangers_are_sent_to_sign_in(client, bill):
    for url in (LIST, change(bill), transfer(bill)):
        assert client.get(url).status_code == 302
        assert client.post(url, {"amount": "100", "reference": "R"}).status_code == 302
    assert Payment.objects.count() == 0


def test_an_unknown_order_is_not_found(staff):
    assert staff.get(reverse("admin:billing_bill_transfer", args=[987654])).status_code == 404
