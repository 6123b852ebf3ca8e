"""My purchases and the page of an order; who may see what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from billing.models import Bill, BillLine, BillParticipant, Payment
from billing.production import produce
from billing.services import OrderLine, cancel, record_payment
from catalog.models import Shop
from common.audit import OPERATOR
from tests.accounts.factories import make_member, make_person
from tests.billing.conftest import Scripted
from tests.billing.factories import Customer, people, plain_item, seats_item
from tests.billing.shopping import browser
from tests.catalog.factories import make_shop

pytestmark = pytest.mark.django_db
AT = datetime.fromisoformat("2026-11-20T10:00:00+01:00")


@pytest.fixture
def client(customer: Customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


def text_of(client: Client, bill: Bill) -> str:
    response = client.get(f"/purchases/{bill.number}/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def states(client: Client) -> list[str]:
    """The words of state of the orders listed, as (kind, words)."""
    text = client.get("/purchases/").content.decode()
    return [part.split("</span>")[0] for part in text.split('<span class="tag')[1:]]


# --- what an order says -------------------------------------------------------------------------------


def test_an_order_by_transfer_says_what_to_transfer_with_which_reference(client, customer):
    bill = customer.order(plain_item(), 12, at=AT)
    text = text_of(client, bill)
    assert f"Transfer €120.00 with the reference {bill.number}." in text
    assert "FR76 3000 6000 0112 3456 7890 189" in text
    assert "AGRIFRPP" in text
    assert "Atelier SAS" in text
    assert states(client) == [' tag--waits">waits for your transfer']


def test_a_partial_payment_leaves_the_rest_to_be_transferred(client, customer):
    bill = customer.order(plain_item(), 12)
    record_payment(number=bill.number, amount=5000, reference="x", actor=OPERATOR)
    text = text_of(client, bill)
    assert f"Transfer €70.00 with the reference {bill.number}." in text
    assert "€50.00" in text
    assert states(client) == [' tag--waits">€70.00 still to be paid']


def test_a_paid_and_delivered_order_says_so(client, customer):
    bill = customer.order(plain_item())
    record_payment(number=bill.number, actor=OPERATOR)
    text = text_of(client, bill)
    assert "Everything is delivered." in text
    assert "Where to send the money" not in text
    assert "nothing is delivered automatically" in text
    assert states(client) == [' tag--done">paid', ' tag--done">delivered']


def test_a_delivery_that_failed_worries_the_shop_and_not_the_buyer(client, customer, scripted: Scripted):
    from handlers.contract import HandlerError

    scripted.delivering = [HandlerError("the template is gone", permanent=True)]
    bill = customer.order(plain_item(handler="scripted"))
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    text = text_of(client, bill)
    assert "A delivery is delayed. The shop has been told" in text
    assert "template is gone" not in text
    assert states(client) == [' tag--done">paid', '">delivery delayed']


def test_deliveries_say_what_handlers_say_in_public_and_nothing_else(client, customer, scripted: Scripted):
    from tests.billing.conftest import talking

    scripted.delivering = [talking()]
    bill = customer.order(plain_item(handler="scripted"))
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    text = text_of(client, bill)
    assert "Look here" in text
    assert "For you" not in text
    assert "Sold" not in text


def test_a_cancelled_order_waits_for_nothing(client, customer):
    bill = customer.order(plain_item())
    cancel(number=bill.number, actor=OPERATOR)
    text = text_of(client, bill)
    assert "This order is cancelled." in text
    assert "Transfer" not in text
    assert states(client) == ['">cancelled']


def test_paid_too_much_and_paid_back_are_said(client, customer):
    bill = customer.order(plain_item(), 2)
    record_payment(number=bill.number, amount=3000, reference="x", actor=OPERATOR)
    assert "Paid too much" in text_of(client, bill)
    assert states(client)[0] == '">paid, with too much'
    Payment.objects.create(
        bill=bill, amount=-3000, gateway="transfer", reference="back", received_at=AT, recorded_by="operator"
    )
    assert "Paid back" in text_of(client, bill)
    assert states(client)[0] == '">paid back'


def test_prices_are_those_of_the_order_and_not_of_today(client, customer):
    item = plain_item()
    low = plain_item("LOW", price=333, price_includes_tax=False, tax_rate="5.50")
    bill = customer.place(OrderLine(item, 10), OrderLine(low, 7))
    type(item).objects.update(price=99900, name_en="Renamed")
    response = client.get(f"/purchases/{bill.number}/")
    assert [(str(rate.rate), rate.net, rate.tax, rate.gross) for rate in response.context["rates"]] == [
        ("5.50", 2331, 128, 2459),
        ("20.00", 8333, 1667, 10000),
    ]
    text = response.content.decode()
    assert "€124.59" in text
    assert "Renamed" not in text
    assert "€999.00" not in text


def test_parties_participants_and_terms_are_on_the_page(client, customer):
    item = plain_item(handler="scripted_not_there", seat_mode="none")
    bill = customer.order(plain_item("OTHER"))
    line = BillLine.objects.get(bill=bill)
    for number, entry in enumerate(people(2), start=1):
        line.participants.create(position=number, email=entry.email, first_name=entry.firstname, role="tutor")
    Bill.objects.update(purchase_order="PO <7>")
    text = text_of(client, bill)
    for part in (
        "PO &lt;7&gt;",
        "learner1@demo.example",
        "Tutor",
        "version 1, agreed to on",
        "12 rue des Tanneurs",
    ):
        assert part in text
    assert item.code not in text


def test_many_participants_have_pages(client, customer):
    bill = customer.order(plain_item())
    line = BillLine.objects.get(bill=bill)
    BillParticipant.objects.bulk_create(
        BillParticipant(line=line, position=number, email=f"p{number}@demo.example")
        for number in range(1, 251)
    )
    for page, first, last in ((1, 1, 100), (3, 201, 250), (99, 201, 250)):
        shown = client.get(f"/purchases/{bill.number}/", {"people": page}).context["lines"][0].people
        assert (shown[0].position, shown[-1].position) == (first, last)


# --- seats --------------------------------------------------------------------------------------------


def opened_seats(customer: Customer, quantity: int = 12) -> Bill:
    bill = customer.order(seats_item(), quantity)
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    return bill


def test_open_seats_are_shown_as_they_are_and_the_owner_can_assign_them(client, customer):
    bill = opened_seats(customer)
    text = text_of(browser(customer.owner), bill)
    assert "12 seats wait for somebody." in text
    assert "Assign my seats" in text
    assert "12 bought · 0 in use · 0 invited · 12 free" in text


def test_a_buyer_who_does_not_manage_seats_reads_who_can(client, customer):
    text = text_of(client, opened_seats(customer))
    assert "12 seats wait for somebody." in text
    assert "The seat managers of your organisation can assign them." in text
    assert "Assign my seats" not in text


# --- the test card ------------------------------------------------------------------------------------


def test_an_order_left_unpaid_by_the_test_card_can_be_paid_on_its_page(client, customer, settings):
    settings.SHOPSEATS_TEST_CARD = True
    bill = customer.place(OrderLine(plain_item(), 2), paymode="testcard")
    assert "Pay €20.00 with the test card" in text_of(client, bill)
    assert states(client) == [' tag--waits">waits for your payment']
    assert client.post(f"/purchases/{bill.number}/pay/").url == f"/purchases/{bill.number}/"
    assert client.post(f"/purchases/{bill.number}/pay/").url == f"/purchases/{bill.number}/"
    assert Payment.objects.get().amount == 2000


def test_the_test_card_pays_nothing_where_it_is_not_allowed(client, customer, settings):
    settings.SHOPSEATS_TEST_CARD = True
    by_card = customer.place(OrderLine(plain_item(), 2), paymode="testcard")
    by_transfer = customer.order(plain_item("B"))
    client.post(f"/purchases/{by_transfer.number}/pay/")
    settings.SHOPSEATS_TEST_CARD = False
    client.post(f"/purchases/{by_card.number}/pay/")
    assert Payment.objects.count() == 0
    assert "with the test card" not in text_of(client, by_card)


# --- the list -----------------------------------------------------------------------------------------


def test_no_orders_teach(client):
    make_shop()
    text = client.get("/purchases/").content.decode()
    assert "Your organisation has not ordered anything yet." in text


def test_orders_are_listed_newest_first_with_what_they_hold(client, customer):
    items = [plain_item(code, name_en=f"Book {code}") for code in "ABCDE"]
    old = customer.order(items[0])
    new = customer.place(*(OrderLine(item, 1) for item in items))
    page = client.get("/purchases/")
    assert [row.bill.number for row, _names in page.context["rows"]] == [new.number, old.number]
    assert page.context["waiting"] == 2
    assert "and 2 more" in page.content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "2"])
def test_a_page_that_is_none_is_the_nearest(client, customer, page):
    customer.order(plain_item())
    assert len(client.get("/purchases/", {"page": page}).context["rows"]) == 1


def many_orders(customer: Customer, count: int) -> None:
    """Orders as rows: placing them one by one is measured elsewhere."""
    shop = Shop.objects.get()
    start = Bill.objects.count()
    bills = Bill.objects.bulk_create(
        Bill(
            number=f"CMD-2026-{start + number:06d}", shop=shop, account=customer.account, buyer=customer.buyer,
            currency="EUR", paymode="transfer", net=1000, tax=200, gross=1200, placed_at=timezone.now(),
        )
        for number in range(count)
    )  # fmt: skip
    BillLine.objects.bulk_create(
        BillLine(
            bill=bill, position=position, item_code="A", item_name="A book", quantity=1, unit_price=600,
            price_includes_tax=True, net=500, tax=100, gross=600,
        )
        for bill in bills
        for position in (1, 2)
    )  # fmt: skip


def test_a_list_of_1000_orders_takes_as_many_queries_as_one_of_10(client, customer):
    make_shop()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/purchases/").status_code == 200
        return len(queries)

    many_orders(customer, 10)
    few = count()
    many_orders(customer, 990)
    assert Bill.objects.count() == 1000
    assert count() == few
    assert few <= 10


def test_an_order_of_30_lines_takes_as_many_queries_as_one_of_3(client, customer):
    def count(bill: Bill) -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(client, bill)
        return len(queries)

    items = [seats_item(f"S{number}") for number in range(30)]
    few = customer.place(*(OrderLine(item, 1) for item in items[:3]))
    many = customer.place(*(OrderLine(item, 1) for item in items))
    assert count(many) == count(few)
    assert count(few) <= 14


# --- who may see what ---------------------------------------------------------------------------------

PAGES = ("/cart/", "/checkout/", "/purchases/", "/purchases/{number}/")
POSTS = ("/cart/", "/cart/remove/", "/checkout/identity/", "/purchases/{number}/pay/")
LOGIN = 302


@pytest.mark.parametrize(
    ("who", "get", "post"),
    [
        # A visitor has a cart; everything else asks him to sign in.
        ("visitor", [200, LOGIN, LOGIN, LOGIN], [200, 302, LOGIN, LOGIN]),
        (Role.OWNER, [200, 302, 200, 200], [200, 302, 302, 302]),
        (Role.BUYER, [200, 302, 200, 200], [200, 302, 302, 302]),
        (Role.MANAGER, [403, 403, 403, 403], [403, 403, 403, 403]),
        (Role.VIEWER, [403, 403, 403, 403], [403, 403, 403, 403]),
        # The owner of another organisation has a cart and a list of his own, and this order is not there.
        ("other", [200, 302, 200, 404], [200, 302, 302, 404]),
        # Somebody without organisation may fill a cart, and names his organisation when he orders.
        ("stranger", [200, 302, 404, 404], [200, 302, 302, 404]),
    ],
)
def test_who_may_open_and_change_what(customer, settings, who, get, post):
    settings.SHOPSEATS_TEST_CARD = True
    bill = customer.place(OrderLine(plain_item(), 2), paymode="testcard")
    if who == "visitor":
        client = browser()
    elif who == "stranger":
        client = browser(make_person())
    elif who == "other":
        client = browser(make_member(Role.OWNER).person)
    else:
        client = browser(make_member(who, account=customer.account).person)
    assert [client.get(path.format(number=bill.number)).status_code for path in PAGES] == get
    answers = [client.post(path.format(number=bill.number), {"line": "1"}) for path in POSTS]
    assert [answer.status_code for answer in answers] == post
    assert Payment.objects.count() == (1 if who in (Role.OWNER, Role.BUYER) else 0)
    if who == "visitor":
        assert all(answer.url.startswith("/sign/login/") for answer in answers[2:])


def test_an_order_of_an_organisation_one_also_belongs_to_is_shown_and_says_whose_it_is(customer):
    bill = opened_seats(customer)
    here = make_member(Role.OWNER)
    make_member(Role.OWNER, account=customer.account, person=here.person)
    client = browser(here.person)
    text = text_of(client, bill)
    assert f"This order belongs to Demo; you are working for {here.account.name}." in text
    assert "Assign my seats" not in text
    client.post("/switch/", {"account": "demo", "next": f"/purchases/{bill.number}/"})
    assert "Assign my seats" in text_of(client, bill)


def test_a_member_there_who_does_not_buy_is_refused_wherever_he_works_now(customer):
    bill = customer.order(plain_item())
    here = make_member(Role.OWNER)
    make_member(Role.VIEWER, account=customer.account, person=here.person)
    assert browser(here.person).get(f"/purchases/{bill.number}/").status_code == 403


def test_an_order_that_is_none_is_not_found(client):
    for number in ("CMD-1999-000001", "%00", "x" * 500):
        assert client.get(f"/purchases/{number}/").status_code == 404
