"""Placing an order: what is frozen, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.test import override_settings

from accounts.models import Role
from billing.models import Bill, BillLine, BillParticipant, BillParty, ProductionRun
from billing.services import Identity, OrderLine, Party, Refused, identity_of
from catalog.models import PriceTier, SeatMode, Visibility
from common.models import AuditEntry, Counter, OutboxMail
from handlers.contract import CustomerDataForm, ParticipantEntry
from tests.accounts.factories import make_member, make_person
from tests.billing.factories import Customer, people, plain_item, seats_item

AT = datetime(2026, 12, 31, 23, 30, tzinfo=ZoneInfo("UTC"))


def counts() -> dict[str, int]:
    """How many rows an order could have left behind."""
    tables = (Bill, BillLine, BillParty, BillParticipant, ProductionRun, OutboxMail, AuditEntry, Counter)
    return {model.__name__: model._default_manager.count() for model in tables}


def refused(customer: Customer, *lines: OrderLine, **changes: Any) -> list[tuple[str, str]]:
    """Place an order that must be refused, and give back its reasons."""
    before = counts()
    with pytest.raises(Refused) as caught:
        customer.place(*lines, **changes)
    assert counts() == before
    return [(problem.path, str(problem.message)) for problem in caught.value.problems]


# --- what an order is -----------------------------------------------------------------------------


def test_spocm1_times_10_is_exactly_100_00(customer):
    item = plain_item(code="SPOCM1", seat_mode=SeatMode.QUANTITY)
    bill = customer.place(OrderLine(item, 10, participants=people(10)))
    assert (bill.net, bill.tax, bill.gross) == (8333, 1667, 10000)


def test_tax_is_rounded_once_per_rate_over_all_lines(customer):
    lines = [OrderLine(plain_item(code=f"P{n}", price=333, price_includes_tax=False), 1) for n in range(1, 4)]
    bill = customer.place(*lines)
    # 20 % of 9.99 is 1.998; rounded line by line it would have been 3 × 0.67 = 2.01.
    assert (bill.net, bill.tax, bill.gross) == (999, 200, 1199)
    assert sum(line.tax for line in bill.lines.all()) == 200


def test_rates_are_added_up_separately(customer):
    bill = customer.place(
        OrderLine(plain_item(code="A", price=1000, tax_rate=Decimal("20.00")), 1),
        OrderLine(plain_item(code="B", price=1055, tax_rate=Decimal("5.50")), 2),
    )
    assert (bill.net, bill.tax, bill.gross) == (833 + 2000, 167 + 110, 1000 + 2110)


def test_the_price_is_that_of_the_tier_and_its_bound_is_inclusive(customer):
    item = plain_item()
    PriceTier.objects.create(item=item, up_to=9, price=1200)
    assert customer.order(item, 9).gross == 9 * 1200
    assert customer.order(item, 10).gross == 10 * 1000


def test_the_line_is_frozen(customer):
    item = seats_item(params="endtime=+7D +10H&packsize=3", renewable=True)
    bill = customer.order(item, 2)
    item.price, item.name_en, item.params, item.handler, item.renewable = 5, "Other", "", "", False
    item.save()
    line = bill.lines.get()
    assert (line.item_code, line.item_name, line.quantity) == ("SEATS", "Free seats", 2)
    assert (line.unit_price, line.price_includes_tax, line.tax_rate) == (1000, True, Decimal("20.00"))
    assert (line.net, line.tax, line.gross) == (1667, 333, 2000)
    assert (line.handler, line.params) == ("generateseats", "packsize=3&endtime=%2B7D%20%2B10H")
    assert (line.seat_mode, line.renewable) == ("none", True)


def test_names_are_frozen_in_the_language_of_the_buyer(customer):
    customer.buyer.language = "fr"
    customer.buyer.save()
    bill = customer.order(plain_item())
    assert (bill.language, bill.lines.get().item_name) == ("fr", "Livre")


def test_the_number_counts_in_the_seller_s_year(customer):
    item = plain_item()
    # Half past midnight on 1 January in Paris.
    assert customer.order(item, at=AT).number == "CMD-2027-000001"
    assert customer.order(item, at=AT).number == "CMD-2027-000002"
    earlier = datetime(2026, 6, 1, tzinfo=ZoneInfo("UTC"))
    assert customer.order(item, at=earlier).number == "CMD-2026-000001"


def test_parties_terms_and_instants_are_recorded(customer):
    identity = Identity(
        customer=Party("Demo SA", siren="732829320", city="Tours", email="hello@demo.example"),
        payer=Party("OPCO", country="BE"),
        purchase_order=" PO-7 ",
    )
    bill = customer.place(OrderLine(plain_item(), 1), identity=identity, at=AT)
    assert [(party.kind, party.name, party.siren, str(party.country)) for party in bill.parties.all()] == [
        ("customer", "Demo SA", "732829320", "FR"),
        ("payer", "OPCO", "", "BE"),
    ]
    assert bill.purchase_order == "PO-7"
    assert (bill.terms_version, bill.terms_agreed_at, bill.placed_at) == ("1", AT, AT)
    assert (bill.state, bill.opened_at, bill.currency, bill.paymode) == ("placed", None, "EUR", "transfer")


def test_participants_become_rows_in_their_order(customer):
    item = plain_item(seat_mode=SeatMode.QUANTITY)
    named = [
        ParticipantEntry(" Zoe@Demo.example ", "Zoé", "Zola"),
        ParticipantEntry("tutor@demo.example", role="tutor"),
    ]
    bill = customer.place(OrderLine(item, 2, participants=named))
    rows = BillParticipant.objects.filter(line__bill=bill)
    assert [(row.position, row.email, row.first_name, row.role) for row in rows] == [
        (1, "Zoe@Demo.example", "Zoé", "learner"),
        (2, "tutor@demo.example", "", "tutor"),
    ]


def test_placing_queues_a_prepare_run_per_line_with_automation_and_one_mail(customer):
    bill = customer.place(OrderLine(seats_item(), 1), OrderLine(plain_item(), 1))
    runs = ProductionRun.objects.all()
    assert [(run.line.item_code, run.phase, run.state) for run in runs] == [("SEATS", "prepare", "queued")]
    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.to, mail.ids) == ("order_received", "buyer@demo.example", {"bill": bill.pk})
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object, entry.counts) == (
        "order.placed",
        f"bill:{bill.number}",
        {"lines": 2, "gross": 2000},
    )


def test_a_checkout_submitted_twice_is_one_order(customer):
    item = plain_item()
    first = customer.place(OrderLine(item, 1), checkout_key="cart-1")
    before = counts()
    second = customer.place(OrderLine(item, 1), checkout_key="cart-1")
    assert (second.pk, counts()) == (first.pk, before)
    assert customer.place(OrderLine(item, 1), checkout_key="cart-2").pk != first.pk


def test_the_checkout_key_of_somebody_else_is_another_one(customer):
    other = make_person()
    make_member(Role.BUYER, account=customer.account, person=other)
    item = plain_item()
    first = customer.place(OrderLine(item, 1), checkout_key="cart-1")
    assert customer.place(OrderLine(item, 1), checkout_key="cart-1", buyer=other).pk != first.pk


# --- nothing to pay -------------------------------------------------------------------------------


def test_an_order_that_comes_to_nothing_opens_itself(customer):
    bill = customer.place(OrderLine(seats_item(price=0), 3), paymode="free", at=AT)
    assert (bill.gross, bill.opened_at, bill.opened_how, bill.opened_by) == (0, AT, "free", "operator")
    assert sorted(ProductionRun.objects.values_list("phase", flat=True)) == ["deliver", "prepare"]


def test_nothing_to_pay_can_only_be_ordered_as_free(customer):
    line = OrderLine(plain_item(price=0), 1)
    for paymode in ("transfer", "testcard"):
        assert refused(customer, line, paymode=paymode) == [
            ("paymode", "There is nothing to pay for this order.")
        ]


def test_an_amount_to_pay_cannot_be_ordered_as_free(customer):
    assert refused(customer, OrderLine(plain_item(), 1), paymode="free") == [
        ("paymode", "This order has an amount to pay: choose how to pay it.")
    ]


# --- ways of paying -------------------------------------------------------------------------------


def test_the_test_card_is_refused_unless_a_setting_allows_it(customer):
    line = OrderLine(plain_item(), 1)
    assert refused(customer, line, paymode="testcard") == [
        ("paymode", "The test card is not accepted in this shop.")
    ]
    with override_settings(SHOPSEATS_TEST_CARD=True):
        assert customer.place(line, paymode="testcard").paymode == "testcard"


def test_an_unknown_way_of_paying_is_refused(customer):
    assert refused(customer, OrderLine(plain_item(), 1), paymode="gold") == [
        ("paymode", "This way of paying is not known.")
    ]


# --- refusals -------------------------------------------------------------------------------------


def test_an_empty_order_is_refused(customer):
    plain_item()
    assert refused(customer) == [("lines", "There is nothing in this order.")]


@pytest.mark.parametrize("quantity", [0, -1, -(10**12)])
def test_a_quantity_below_one_is_refused(customer, quantity):
    assert refused(customer, OrderLine(plain_item(), quantity)) == [("quantity", "Order at least 1.")]


def test_a_quantity_above_the_maximum_is_refused_over_all_lines_of_the_item(customer):
    item = plain_item(max_quantity=5)
    assert customer.order(item, 5).gross == 5000
    message = "At most 5 of “Book” can be ordered at once."
    assert refused(customer, OrderLine(item, 6)) == [("quantity", message)]
    assert refused(customer, OrderLine(item, 3), OrderLine(item, 3)) == [("quantity", message)]


def test_a_slip_of_the_keyboard_is_refused(customer):
    assert refused(customer, OrderLine(plain_item(), 10**9))[0][0] == "quantity"
    assert refused(customer, OrderLine(plain_item(code="GOLD", price=10**15), 2)) == [
        ("total", "The total is too large.")
    ]


def test_an_item_that_left_the_shop_meanwhile_is_refused(customer):
    item = plain_item()
    stale = replace(OrderLine(item, 1))
    item.visibility = Visibility.INACTIVE
    item.save()
    assert refused(customer, stale) == [("item", "“Book” is not on sale any more.")]


def test_an_item_whose_automation_is_gone_is_refused(customer):
    item = plain_item(handler="nobody")
    assert refused(customer, OrderLine(item, 1)) == [("item", "This item is not available for now.")]


def test_an_item_whose_automation_says_no_is_refused(customer):
    item = seats_item(params="courselist=GONE")
    assert refused(customer, OrderLine(item, 1)) == [("item", "No course is open for these seats for now.")]


def test_an_incomplete_seller_closes_checkout(customer):
    item = plain_item()
    item.shop.iban = ""
    item.shop.save()
    assert refused(customer, OrderLine(item, 1)) == [("seller", "IBAN is missing.")]


def test_terms_that_changed_meanwhile_must_be_agreed_to_again(customer):
    message = "Agree to the terms of sale in force: they are shown before you order."
    line = OrderLine(plain_item(), 1)
    assert refused(customer, line, terms_version="0") == [("terms", message)]
    assert refused(customer, line, terms_version="") == [("terms", message)]


def test_a_price_that_changed_since_the_review_is_refused(customer):
    line = OrderLine(plain_item(), 1)
    assert refused(customer, line, expected_gross=999) == [
        ("total", "The price has changed: look at the order again.")
    ]
    assert customer.place(line, expected_gross=1000).gross == 1000


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, None])
def test_only_an_owner_or_a_buyer_of_the_organisation_orders(customer, role):
    person = make_person()
    if role:
        make_member(role, account=customer.account, person=person)
    assert refused(customer, OrderLine(plain_item(), 1), buyer=person) == [
        ("buyer", "This person may not order for this organisation.")
    ]


def test_a_closed_login_does_not_order(customer):
    customer.buyer.is_active = False
    customer.buyer.save()
    assert [path for path, _ in refused(customer, OrderLine(plain_item(), 1))] == ["buyer"]


def test_a_party_that_cannot_be_stored_is_refused_with_its_field(customer):
    identity = replace(
        identity_of(customer.account, customer.buyer), payer=Party("", siren="x" * 10, email="no")
    )
    reasons = refused(customer, OrderLine(plain_item(), 1), identity=identity)
    assert {path for path, _ in reasons} == {"payer.name", "payer.siren", "payer.email"}


def test_a_character_that_cannot_be_stored_is_refused(customer):
    identity = replace(identity_of(customer.account, customer.buyer), purchase_order="a\0b")
    identity = replace(identity, payer=Party("a\0b"))
    item = plain_item(seat_mode=SeatMode.ONE)
    named = [ParticipantEntry("a@demo.example", firstname="a\0b")]
    reasons = refused(customer, OrderLine(item, 1, participants=named), identity=identity)
    assert [path for path, _ in reasons] == [
        "participants[1].firstname",
        "payer.name",
        "customer.purchase_order",
    ]


def test_every_reason_is_told_at_once(customer):
    reasons = refused(
        customer,
        OrderLine(plain_item(code="A"), 0),
        OrderLine(plain_item(code="B", seat_mode=SeatMode.QUANTITY), 2),
        terms_version="0",
    )
    assert [path for path, _ in reasons] == ["quantity", "participants", "terms"]


# --- participants ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "quantity", "wanted"), [(SeatMode.NONE, 3, 0), (SeatMode.ONE, 3, 1), (SeatMode.QUANTITY, 3, 3)]
)
def test_exactly_as_many_participants_as_seats(customer, mode, quantity, wanted):
    item = plain_item(seat_mode=mode)
    for given in range(5):
        line = OrderLine(item, quantity, participants=people(given))
        if given == wanted:
            assert BillParticipant.objects.filter(line__bill=customer.place(line)).count() == wanted
        else:
            assert [path for path, _ in refused(customer, line)] == ["participants"]


def test_participants_are_checked_one_by_one(customer):
    item = plain_item(seat_mode=SeatMode.QUANTITY)
    named = [
        ParticipantEntry("a@demo.example"),
        ParticipantEntry(" A@DEMO.example"),
        ParticipantEntry("two@@demo.example"),
        ParticipantEntry("b@demo.example", firstname="x" * 151),
        ParticipantEntry("c@demo.example", role="boss"),  # type: ignore[arg-type]
    ]
    assert refused(customer, OrderLine(item, 5, participants=named)) == [
        ("participants[2].email", "This address is already that of participant 1."),
        ("participants[3].email", "There is more than one @ here: give one address per person."),
        ("participants[4].firstname", "At most 150 characters."),
        ("participants[5].role", "The role is learner or tutor."),
    ]


# --- what the automation asks ---------------------------------------------------------------------


class Asked(CustomerDataForm):
    fullname = forms.CharField(max_length=20)
    size = forms.IntegerField(required=False)


@pytest.fixture
def asking(scripted, monkeypatch):
    monkeypatch.setattr(type(scripted), "CustomerData", Asked)
    return plain_item(code="ASK", handler="scripted")


def test_customer_data_is_asked_per_unit_and_frozen_as_cleaned(customer, asking):
    units = [{"fullname": " One ", "size": "3"}, {"fullname": "Two"}]
    bill = customer.place(OrderLine(asking, 2, customer_data=units))
    assert bill.lines.get().customer_data == [
        {"fullname": "One", "size": 3},
        {"fullname": "Two", "size": None},
    ]


def test_customer_data_is_refused_by_unit_and_field(customer, asking):
    units = [{"fullname": "One", "colour": "red"}, {"fullname": "", "size": "x"}]
    assert refused(customer, OrderLine(asking, 2, customer_data=units)) == [
        ("customer_data[1].colour", "This is not asked here."),
        ("customer_data[2].fullname", "This field is required."),
        ("customer_data[2].size", "Enter a whole number."),
    ]


def test_customer_data_is_given_for_exactly_the_units_bought(customer, asking):
    message = "Details are to be given for 2 units here, not 1."
    line = OrderLine(asking, 2, customer_data=[{"fullname": "One"}])
    assert refused(customer, line) == [("customer_data", message)]
    message = "Details are to be given for 0 units here, not 1."
    line = OrderLine(plain_item(), 1, customer_data=[{"fullname": "One"}])
    assert refused(customer, line) == [("customer_data", message)]
