"""The shop's own questions from the checkout to the order: page, mail, back office, command."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Person
from billing import production
from billing.models import Bill, CartLine
from billing.selectors import bill_document, bill_page
from billing.services import OrderLine, Refused, record_payment
from billing.services.carts import claim_cart, new_cart
from catalog.models import CatalogItem, ItemQuestion
from catalog.selectors import get_shop
from common import outbox
from common.audit import OPERATOR
from tests.billing.conftest import Scripted
from tests.billing.factories import Customer, plain_item
from tests.billing.shopping import agree, browser, go_to_review, order, space_item

pytestmark = pytest.mark.django_db


def ask(item: CatalogItem, name: str, **values: Any) -> ItemQuestion:
    texts = {"label_fr": f"{name} ?", "label_en": name.capitalize()}
    return ItemQuestion.objects.create(item=item, name=name, **(texts | values))


@pytest.fixture
def book() -> CatalogItem:
    """A book about which two things are asked."""
    item = plain_item()
    ask(item, "ref", required=True)
    ask(item, "dedication", scope="unit", position=1)
    return item


@pytest.fixture
def client(customer: Customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


def text(response: Any) -> str:
    found: bytes = response.content
    return found.decode()


def refused(customer: Customer, line: OrderLine) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        customer.place(line)
    assert Bill.objects.count() == 0
    return [(problem.path, str(problem.message)) for problem in error.value.problems]


# --- the checkout -------------------------------------------------------------------------------------


def test_questions_are_asked_once_and_for_each_unit_and_end_up_in_the_order(client, book):
    client.get("/buy/BOOK?quantity=2")
    line = CartLine.objects.get()
    assert client.get("/checkout/").url == "/checkout/requirements/"
    page = client.get("/checkout/requirements/")
    assert [list(form.fields) for form in page.context["forms"]] == [["ref"], ["dedication"], ["dedication"]]
    assert [form.is_bound for form in page.context["forms"]] == [False, False, False]
    typed = {f"line{line.pk}-asked1-dedication": "For <b>Zoé</b>"}
    back = client.post("/checkout/requirements/", typed, follow=True)
    assert back.redirect_chain == [("/checkout/requirements/?check=1", 302)]
    assert [form.errors for form in back.context["forms"]] == [{"ref": ["This field is required."]}, {}, {}]
    done = client.post("/checkout/requirements/", typed | {f"line{line.pk}-once-ref": "R7"})
    assert done.url == "/checkout/identity/"
    go_to_review(client)
    review = text(client.get("/checkout/review/"))
    assert "Ref: R7" in review
    assert "Dedication (unit 2): For &lt;b&gt;Zoé&lt;/b&gt;" in review
    agree(client)
    order(client)
    frozen = Bill.objects.get().lines.get()
    assert frozen.customer_data == []
    assert [(one["name"], one["unit"], one["answer"]["fr"]) for one in frozen.answers] == [
        ("ref", None, "R7"),
        ("dedication", 2, "For <b>Zoé</b>"),
    ]


def test_a_question_that_may_be_left_out_is_shown_before_the_buyer_goes_on(client):
    ask(plain_item(), "note")
    client.get("/buy/BOOK")
    assert client.get("/checkout/").url == "/checkout/requirements/"
    assert client.post("/checkout/requirements/", {}).url == "/checkout/identity/"
    assert client.get("/checkout/").url == "/checkout/identity/"


def test_questions_stand_beside_what_the_automation_asks(client):
    item = space_item()
    ask(item, "theme", scope="unit")
    client.get("/buy/SPACE?quantity=1")
    line = CartLine.objects.get()
    page = client.get("/checkout/requirements/")
    assert [list(form.fields) for form in page.context["forms"]] == [["fullname", "idnumber"], ["theme"]]
    typed = {
        f"line{line.pk}-unit0-fullname": "One",
        f"line{line.pk}-unit0-idnumber": "S1",
        f"line{line.pk}-asked0-theme": "Blue",
    }
    assert client.post("/checkout/requirements/", typed).url == "/checkout/identity/"
    line.refresh_from_db()
    assert line.customer_data == [{"fullname": "One", "idnumber": "S1"}]
    assert line.answers == [{"theme": "Blue"}]


def test_a_ticked_box_stays_ticked_and_one_that_is_required_must_be(client):
    ask(plain_item(), "agreed", kind="tick", required=True)
    client.get("/buy/BOOK")
    line = CartLine.objects.get()
    back = client.post("/checkout/requirements/", {}, follow=True)
    assert back.context["forms"][0].errors == {"agreed": ["This field is required."]}
    ticked = {f"line{line.pk}-once-agreed": "on"}
    assert client.post("/checkout/requirements/", ticked).url == "/checkout/identity/"
    assert "checked" in str(client.get("/checkout/requirements/").context["forms"][0]["agreed"])


def test_a_question_that_is_taken_back_does_not_hold_up_a_cart(client, book):
    client.get("/buy/BOOK")
    line = CartLine.objects.get()
    client.post("/checkout/requirements/", {f"line{line.pk}-once-ref": "R7"})
    book.questions.all().delete()
    assert client.get("/checkout/").url == "/checkout/identity/"
    go_to_review(client)
    agree(client)
    order(client)
    assert Bill.objects.get().lines.get().answers == []


def test_a_question_for_each_unit_limits_the_cart_to_what_a_page_can_hold(client, book):
    page = client.get("/buy/BOOK?quantity=101", follow=True)
    assert [str(message) for message in page.context["messages"]] == [
        "Order between 1 and 100 units of “Book”. Your cart was not changed."
    ]


def test_answers_given_before_signing_in_are_kept(customer, book):
    shop = get_shop()
    visitor = new_cart(shop=shop)
    CartLine.objects.create(cart=visitor, item=book, quantity=1, answers=[{"ref": "R7"}])
    mine = new_cart(shop=shop, person=customer.buyer, account=customer.account)
    CartLine.objects.create(cart=mine, item=book, quantity=3)
    claim_cart(shop=shop, person=customer.buyer, account=customer.account, token=visitor.token)
    line = CartLine.objects.get()
    assert (line.quantity, line.answers) == (1, [{"ref": "R7"}])


# --- the order ----------------------------------------------------------------------------------------


def test_a_required_question_without_an_answer_is_refused_by_name(customer, book):
    assert refused(customer, OrderLine(book, 1)) == [("answers[1].ref", "“Ref”: This field is required.")]
    assert refused(customer, OrderLine(book, 1, answers=[{"ref": "R", "odd": 1}])) == [
        ("answers[1].odd", "This is not asked here.")
    ]


@pytest.fixture
def bill(customer: Customer, book: CatalogItem) -> Bill:
    return customer.place(OrderLine(book, 2, answers=[{"ref": "R7"}, {"dedication": "Zoé\nand <Al>"}]))


def test_the_order_shows_the_answers_in_the_readers_language_whatever_becomes_of_the_question(
    client, bill, book
):
    book.questions.update(label_en="Changed", label_fr="Changée")
    page = text(client.get(reverse("billing:bill", args=[bill.number])))
    assert "Ref: R7" in page
    assert "Dedication (unit 2): Zoé<br>and &lt;Al&gt;" in page
    book.questions.all().delete()
    assert bill_page(bill.number).lines[0].answers == (
        ("Ref", "R7"),
        ("Dedication (unit 2)", "Zoé\nand <Al>"),
    )


def test_the_mail_about_the_order_has_the_answers(bill, mailoutbox):
    outbox.deliver_due()
    letter = next(mail for mail in mailoutbox if bill.number in mail.subject)
    assert "Ref: R7" in letter.body
    assert "Dedication (unit 2): Zoé\nand <Al>" in letter.body
    html = letter.alternatives[0][0]
    assert "Dedication (unit 2): Zoé<br>and &lt;Al&gt;" in html


def test_the_back_office_shows_the_answers(bill):
    staff = browser(Person.objects.create_superuser("staff@shop.example", language="en"))
    page = text(staff.get(reverse("admin:billing_bill_change", args=[bill.pk])))
    assert "Ref: R7" in page
    assert "and &lt;Al&gt;" in page


def test_the_automation_does_not_see_the_answers_nor_does_the_document_of_the_order(
    customer: Customer, scripted: Scripted
):
    item = plain_item(handler="scripted")
    ask(item, "ref")
    bill = customer.place(OrderLine(item, 1, answers=[{"ref": "secret"}]))
    record_payment(number=bill.number, actor=OPERATOR)
    production.produce(actor=OPERATOR)
    assert scripted.phases == ["prepare", "deliver"]
    assert all("secret" not in repr(purchase) for _phase, purchase in scripted.calls)
    assert "secret" not in str(bill_document(bill.number))


# --- the command --------------------------------------------------------------------------------------


def place(data: Any, *, item: str = "BOOK", quantity: int = 1) -> None:
    call_command(
        "placeorder",
        *("--account", "demo", "--item", item, "--quantity", str(quantity)),
        *("--customer-data", json.dumps(data), "--json"),
    )


def test_placeorder_takes_answers_inside_the_customer_data(customer, book, capsys):
    place([{"answers": {"ref": "R7"}}, {"answers": {"dedication": "Al"}}], quantity=2)
    line = Bill.objects.get().lines.get()
    assert [(one["name"], one["answer"]["en"]) for one in line.answers] == [
        ("ref", "R7"),
        ("dedication", "Al"),
    ]
    assert line.customer_data == []


def test_placeorder_splits_answers_from_what_the_automation_asks(customer, capsys):
    ask(space_item(), "theme", scope="unit")
    place([{"fullname": "One", "idnumber": "S1", "answers": {"theme": "Blue"}}], item="SPACE")
    line = Bill.objects.get().lines.get()
    assert line.customer_data == [{"fullname": "One", "idnumber": "S1"}]
    assert [one["answer"]["en"] for one in line.answers] == ["Blue"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "answers[1].ref: "),
        ([{"answers": {}}], "answers[1].ref: "),
        ([{"answers": ["R7"]}], "customer-data: "),
        ([{"answers": {"ref": "R7"}, "colour": "red"}], "customer_data: "),
    ],
)
def test_placeorder_names_what_is_missing_or_wrong(customer, book, data, message):
    with pytest.raises(CommandError) as error:
        place(data)
    assert str(error.value).startswith(message)
    assert Bill.objects.count() == 0
