"""The checkout: steps that know whether they apply and are complete."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import CustomerAccount
from billing.models import Bill, Cart, CartLine
from tests.accounts.factories import make_person
from tests.billing.factories import Customer, plain_item
from tests.billing.shopping import agree, browser, go_to_review, order, rows, session_item, space_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(customer: Customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


# --- the way through ----------------------------------------------------------------------------------


def test_a_plain_order_asks_identity_review_and_payment(client, customer):
    plain_item()
    client.get("/buy/BOOK?quantity=10")
    assert client.get("/checkout/").url == "/checkout/identity/"
    page = client.get("/checkout/identity/")
    assert [str(label) for label, _url in page.context["steps"]] == ["Organisation", "Review", "Payment"]
    assert (
        go_to_review(client, purchase_order="PO 7", recipient_email="Accounts@Demo.example").url
        == "/checkout/review/"
    )
    assert agree(client).url == "/checkout/payment/"
    answer = order(client)
    bill = Bill.objects.get()
    assert answer.url == f"/purchases/{bill.number}/"
    assert (bill.gross, bill.state, bill.paymode, bill.opened_at) == (10000, "placed", "transfer", None)
    assert (bill.account, bill.buyer, bill.language) == (customer.account, customer.buyer, "en")
    assert (bill.purchase_order, bill.terms_version) == ("PO 7", "1")
    assert bill.terms_agreed_at is not None
    assert list(bill.parties.values_list("kind", "name", "siren", "vat_number", "city", "email")) == [
        ("customer", "Demo Industries SAS", "732829320", "FR44732829320", "Paris", "buyer@demo.example"),
        ("recipient", "Demo Industries SAS", "", "", "", "Accounts@Demo.example"),
    ]
    assert CartLine.objects.count() == 0
    assert Cart.objects.get().identity == {}


def test_every_step_applies_when_there_is_something_to_ask(client):
    plain_item()
    session_item()
    space_item()
    for code in ("BOOK", "SPOCM1", "SPACE"):
        client.get(f"/buy/{code}")
    page = client.get("/checkout/", follow=True)
    assert page.redirect_chain[-1][0] == "/checkout/requirements/"
    assert [str(label) for label, _url in page.context["steps"]] == [
        "Details", "Participants", "Organisation", "Review", "Payment",
    ]  # fmt: skip


def test_a_step_cannot_be_reached_before_those_before_it_are_complete(client):
    session_item()
    space_item()
    client.get("/buy/SPOCM1?quantity=1")
    client.get("/buy/SPACE?quantity=1")
    line = CartLine.objects.get(item__code="SPOCM1")
    space = CartLine.objects.get(item__code="SPACE")

    def where(step: str, **data: Any) -> str:
        answer = client.post(f"/checkout/{step}/", data) if data else client.get(f"/checkout/{step}/")
        return answer.url if answer.status_code == 302 else "shown"

    for step in ("participants", "identity", "review", "payment"):
        assert where(step) == "/checkout/requirements/"
        assert where(step, agree="on", paymode="transfer") == "/checkout/requirements/"
    prefix = f"line{space.pk}-unit0"
    client.post("/checkout/requirements/", {f"{prefix}-fullname": "Our space", f"{prefix}-idnumber": "OURS"})
    for step in ("identity", "review", "payment"):
        assert where(step) == f"/checkout/participants/?line={line.pk}"
    client.post("/checkout/participants/", rows(line, "ada@demo.example"))
    for step in ("review", "payment"):
        assert where(step) == "/checkout/identity/"
    go_to_review(client)
    assert where("payment") == "/checkout/review/"
    agree(client)
    for step in ("requirements", "participants", "identity", "review", "payment"):
        assert where(step) == "shown"
    assert Bill.objects.count() == 0


@pytest.mark.parametrize("step", ["nonsense", "cart"])
def test_a_step_that_is_none_is_not_found(client, step):
    plain_item()
    client.get("/buy/BOOK")
    assert client.get(f"/checkout/{step}/").status_code == 404


def test_a_step_that_does_not_apply_leads_to_the_one_that_waits(client):
    plain_item()
    client.get("/buy/BOOK")
    assert client.get("/checkout/participants/").url == "/checkout/identity/"


def test_without_a_cart_every_address_leads_to_the_cart(client):
    plain_item()
    for path in ("/checkout/", "/checkout/identity/", "/checkout/payment/"):
        assert client.get(path).url == "/cart/"
        client.get("/buy/BOOK")
        client.post("/cart/remove/", {"line": CartLine.objects.get().pk})
        assert client.get(path).url == "/cart/"


def test_what_only_the_cart_can_repair_leads_back_there_with_the_reason(client):
    item = plain_item()
    client.get("/buy/BOOK?quantity=5")
    item.max_quantity = 2
    item.save()
    page = client.get("/checkout/", follow=True)
    assert page.redirect_chain == [("/cart/", 302)]
    assert [str(message) for message in page.context["messages"]][1:] == [
        "At most 2 of “Book” can be ordered at once."
    ]


def test_a_visitor_signs_in_first_and_comes_back_to_where_he_was():
    plain_item()
    client = browser()
    client.get("/buy/BOOK")
    assert client.get("/checkout/").url == "/sign/login/?next=/checkout/"


def test_somebody_without_organisation_names_it_first_and_comes_back():
    plain_item()
    person = make_person()
    client = browser()
    client.get("/buy/BOOK?quantity=3")
    client.force_login(person)
    asked = client.get("/checkout/")
    assert asked.url == "/organisation/?next=%2Fcheckout%2F"
    answer = client.post("/organisation/", {"name": "New & Co", "next": "/checkout/"})
    assert answer.url == "/checkout/"
    assert client.get("/checkout/").url == "/checkout/identity/"
    assert CartLine.objects.get().cart.account == CustomerAccount.objects.get(name="New & Co")


# --- details ------------------------------------------------------------------------------------------


def test_details_are_asked_for_each_unit_and_nothing_typed_is_lost(client):
    space_item()
    client.get("/buy/SPACE?quantity=2")
    line = CartLine.objects.get()
    first, second = f"line{line.pk}-unit0", f"line{line.pk}-unit1"
    page = client.get("/checkout/requirements/")
    assert [form.is_bound for form in page.context["forms"]] == [False, False]
    typed = {f"{first}-fullname": "One", f"{first}-idnumber": "S1", f"{second}-fullname": "Two"}
    back = client.post("/checkout/requirements/", typed, follow=True)
    assert back.redirect_chain == [("/checkout/requirements/?check=1", 302)]
    assert [form.errors for form in back.context["forms"]] == [{}, {"idnumber": ["This field is required."]}]
    assert 'value="Two"' in back.content.decode()
    done = client.post("/checkout/requirements/", typed | {f"{second}-idnumber": "S2"})
    assert done.url == "/checkout/identity/"
    go_to_review(client)
    review = client.get("/checkout/review/").content.decode()
    assert "S2" in review
    agree(client)
    order(client)
    assert Bill.objects.get().lines.get().customer_data == [
        {"fullname": "One", "idnumber": "S1"},
        {"fullname": "Two", "idnumber": "S2"},
    ]


def test_more_units_ask_again_and_fewer_forget_nothing(client):
    space_item()
    client.get("/buy/SPACE?quantity=2")
    line = CartLine.objects.get()
    data = {
        f"line{line.pk}-unit{n}-{name}": f"{name}{n}" for n in range(2) for name in ("fullname", "idnumber")
    }
    assert client.post("/checkout/requirements/", data).url == "/checkout/identity/"
    client.get("/buy/SPACE?quantity=1")
    assert client.get("/checkout/").url == "/checkout/identity/"
    client.get("/buy/SPACE?quantity=2")
    assert client.get("/checkout/").url == "/checkout/identity/"
    client.get("/buy/SPACE?quantity=3")
    assert client.get("/checkout/").url == "/checkout/requirements/"


def test_details_are_not_asked_for_more_units_than_a_page_can_hold(client):
    space_item()
    page = client.get("/buy/SPACE?quantity=101", follow=True)
    assert [str(m) for m in page.context["messages"]] == [
        "Order between 1 and 100 units of “Course space”. Your cart was not changed."
    ]


# --- identity -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"legal_name": " "}, "legal_name"),
        ({"siren": "732829321"}, "siren"),
        ({"vat_number": "FR00732829320"}, "vat_number"),
        ({"address": ""}, "address"),
        ({"city": ""}, "city"),
        ({"postcode": ""}, "postcode"),
        ({"country": "XX"}, "country"),
        ({"recipient_email": "a@@b"}, "recipient_email"),
        ({"purchase_order": "x" * 61}, "purchase_order"),
    ],
)
def test_an_identity_that_cannot_be_printed_comes_back_as_typed(client, customer, changes, field):
    plain_item()
    client.get("/buy/BOOK")
    back = go_to_review(client, **changes)
    assert list(back.context["form"].errors) == [field]
    assert "Demo Industries SAS" in back.content.decode() or field == "legal_name"
    assert "customer" not in Cart.objects.get().identity
    customer.account.refresh_from_db()
    assert customer.account.legal_name == ""


def test_a_siret_is_shortened_and_a_foreign_organisation_needs_neither(client):
    plain_item()
    client.get("/buy/BOOK")
    go_to_review(client, siren="732 829 320 00074")
    assert Cart.objects.get().identity["customer"]["siren"] == "732829320"
    go_to_review(client, siren="", vat_number="", country="CH", postcode="1200", city="Genève")
    assert Cart.objects.get().identity["customer"]["country"] == "CH"


def test_the_first_buyer_says_who_the_organisation_is_and_later_only_an_owner_changes_it(client, customer):
    plain_item()
    client.get("/buy/BOOK")
    assert "remember" not in client.get("/checkout/identity/").context["form"].fields
    go_to_review(client)
    account = customer.account
    account.refresh_from_db()
    assert (account.name, account.legal_name, account.siren) == ("Demo", "Demo Industries SAS", "732829320")
    go_to_review(client, legal_name="Somebody else")
    account.refresh_from_db()
    assert account.legal_name == "Demo Industries SAS"
    owner = browser(customer.owner)
    owner.get("/buy/BOOK")
    page = owner.get("/checkout/identity/")
    assert page.context["form"].initial["legal_name"] == "Demo Industries SAS"
    go_to_review(owner, legal_name="Demo SA")
    account.refresh_from_db()
    assert account.legal_name == "Demo Industries SAS"
    go_to_review(owner, legal_name="Demo SA", remember="on")
    account.refresh_from_db()
    assert account.legal_name == "Demo SA"
