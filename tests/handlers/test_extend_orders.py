"""`extendenrolperiod` from the link on My products to the later end: refused at the cart, and again when placing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from billing.models import Bill, CartLine, ProductionRun
from billing.production import produce
from billing.services import OrderLine, Refused, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.models import OutboxMail
from common.references import new_reference
from courses.models import Course
from seats.models import Assignment, Seat
from tests.accounts.factories import make_account, make_member
from tests.billing.factories import Customer, seats_item
from tests.billing.shopping import browser, sign_in
from tests.courses.factories import make_course, make_space
from tests.seats.factories import give, make_pool
from tests.seats.life import DAY, session_of, verbs

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def item() -> CatalogItem:
    return seats_item(
        code="EXTEND",
        name_en="10 more days",
        handler="extendenrolperiod",
        params="extension=10",
        max_quantity=4,
    )


@pytest.fixture
def customer(item) -> Customer:
    return Customer()


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def ada(customer, course) -> Assignment:
    make_pool(customer.account, 2, access_seconds=30 * 86_400)
    return give(customer.account, course, "ada@example.org")


@pytest.fixture
def shopping(customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


def units() -> list[str]:
    """The references in the cart, unit by unit."""
    line = CartLine.objects.filter(removed_at=None).first()
    if line is None:
        return []
    assert line.quantity == len(line.customer_data)
    return [unit["reference"] for unit in line.customer_data]


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# --- the cart -------------------------------------------------------------------------------------------


def test_the_link_fills_the_cart_with_item_reference_and_quantity(shopping, ada):
    response = shopping.get(f"/buy/EXTEND?quantity=1&reference={ada.seat.reference}")
    assert response.url == "/cart/"
    assert units() == [ada.seat.reference]
    shopping.get(f"/buy/EXTEND?quantity=3&reference={ada.seat.reference.lower()}")
    assert units() == [ada.seat.reference] * 3


def test_two_products_stand_side_by_side_in_the_cart(shopping, customer, course, ada):
    session = session_of(customer.account, course, "tom@example.org")
    shopping.get(f"/buy/EXTEND?quantity=2&reference={ada.seat.reference}")
    shopping.get(f"/buy/EXTEND?quantity=1&reference={session.reference}")
    assert units() == [ada.seat.reference, ada.seat.reference, session.reference]
    shopping.get(f"/buy/EXTEND?quantity=1&reference={ada.seat.reference}")
    assert units() == [session.reference, ada.seat.reference]


def test_all_units_together_stay_within_the_limit(shopping, customer, course, ada):
    session = session_of(customer.account, course, "tom@example.org")
    shopping.get(f"/buy/EXTEND?quantity=3&reference={ada.seat.reference}")
    response = shopping.get(f"/buy/EXTEND?quantity=2&reference={session.reference}", follow=True)
    assert "between 1 and 4" in said(response)
    assert units() == [ada.seat.reference] * 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"account": "another"}, "no product with this reference"),
        ({"withdrawn_at": NOW}, "withdrawn"),
        ({"ends_at": None}, "no end"),
    ],
)
def test_foreign_unlimited_or_withdrawn_is_refused_at_the_cart(shopping, ada, change, why):
    if "account" in change:
        Seat.objects.update(account=make_account())
    elif "ends_at" in change:
        Assignment.objects.update(**change)
    else:
        Seat.objects.update(**change)
    response = shopping.get(f"/buy/EXTEND?quantity=1&reference={ada.seat.reference}", follow=True)
    assert why in said(response)
    assert "Your cart was not changed." in said(response)
    assert units() == []


def test_a_mistyped_reference_is_refused_before_anybody_signs_in(item):
    response = browser().get("/buy/EXTEND?quantity=1&reference=AAAA-BBBB-CCCC-DD12", follow=True)
    assert "This is no reference" in said(response)
    assert not CartLine.objects.exists()


def test_a_reference_kept_before_signing_in_is_checked_afterwards(customer, ada):
    client = browser()
    foreign = new_reference()
    client.get(f"/buy/EXTEND?quantity=1&reference={foreign}")
    assert units() == [foreign]
    sign_in(client, customer.buyer)
    page = client.get("/checkout/", follow=True)
    assert page.request["PATH_INFO"] == "/checkout/requirements/"
    assert "no product with this reference" in client.get("/checkout/requirements/?check=1").content.decode()


# --- placing --------------------------------------------------------------------------------------------


def place(customer: Customer, item: CatalogItem, *references: str) -> Bill:
    wanted = [{"reference": reference} for reference in references]
    return customer.place(OrderLine(item, len(references), customer_data=wanted))


def test_it_is_checked_again_when_the_order_is_placed(customer, item, ada):
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=NOW)
    with pytest.raises(Refused) as refused:
        place(customer, item, ada.seat.reference)
    [problem] = refused.value.problems
    assert (problem.path, "withdrawn" in str(problem.message)) == ("customer_data[1].reference", True)
    assert not Bill.objects.exists()


def test_a_paid_order_extends_what_it_names_from_the_instant_it_was_opened(customer, item, course, ada):
    space = make_space(account=customer.account)
    old = ada.ends_at, space.ends_at
    bill = place(customer, item, ada.seat.reference, space.reference, ada.seat.reference)
    opened = ada.ends_at + timedelta(days=1)
    record_payment(number=bill.number, reference="T1", at=opened, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    ada.refresh_from_db()
    space.refresh_from_db()
    assert (ada.ends_at, space.ends_at) == (opened + 20 * DAY, old[1] + 10 * DAY)
    run = ProductionRun.objects.get(phase="deliver")
    assert (run.state, run.delivered["seats"]) == ("done", 0)
    assert OutboxMail.objects.filter(kind="delivered", to=customer.buyer.email).count() == 1
    produce(numbers=[bill.number], retry_failed=True, takeover=True, actor=OPERATOR)
    record_payment(number=bill.number, reference="T1", at=opened, actor=OPERATOR)
    assert verbs(ada.seat.reference) == ["extended"]


def test_what_shows_only_after_opening_fails_stays_visible_and_completes_after_the_repair(
    customer, item, ada
):
    bill = place(customer, item, ada.seat.reference)
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=NOW)
    record_payment(number=bill.number, reference="T1", actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    run = ProductionRun.objects.get(phase="deliver")
    assert (run.state, run.error_field) == ("failed", "reference")
    assert ada.seat.reference in run.last_error
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=None)
    produce(numbers=[bill.number], retry_failed=True, actor=OPERATOR)
    assert verbs(ada.seat.reference) == ["extended"]


def test_the_command_names_the_unit_and_the_field(customer, item, ada, capsys):
    command = ["placeorder", "--account", "demo", "--item", "EXTEND", "--quantity", "1"]
    with pytest.raises(CommandError, match=r"customer_data\[1\].reference") as refused:
        call_command(*command, "--customer-data", json.dumps([{"reference": new_reference()}]))
    assert refused.value.returncode == 2
    call_command(*command, "--customer-data", json.dumps([{"reference": ada.seat.reference}]), "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "placed"


def test_a_colleague_without_the_shop_does_not_fill_carts(customer, ada):
    viewer = make_member(Role.VIEWER, account=customer.account).person
    assert browser(viewer).get(f"/buy/EXTEND?reference={ada.seat.reference}").status_code == 403
    assert not CartLine.objects.exists()
