"""The checkout: steps that know whether they apply and are complete, and the order at their end."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import CustomerAccount, Person, Role
from billing.models import Bill, BillParticipant, Cart, CartLine
from catalog.models import CatalogItem, Shop
from courses.models import Course
from tests.accounts.factories import make_member, make_person
from tests.billing.factories import Customer, plain_item, seats_item
from tests.courses.factories import make_course

pytestmark = pytest.mark.django_db

IDENTITY = {
    "legal_name": "Demo Industries SAS",
    "siren": "732 829 320",
    "vat_number": "FR 44 732829320",
    "address": "1 rue de la Paix",
    "postcode": "75002",
    "city": "Paris",
    "country": "FR",
}


@pytest.fixture
def client(customer: Customer) -> Client:
    """The buyer's browser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(customer.buyer)
    return client


def session_item(code: str = "SPOCM1", **changes: Any) -> CatalogItem:
    """A training session: as many people are named as seats are bought."""
    values = {
        "name_en": "Moodle basics",
        "handler": "setuponecoursesession",
        "params": "coursename=SPOC-M1",
        "seat_mode": "quantity",
    }
    if not Course.objects.filter(shortname="SPOC-M1").exists():
        make_course("SPOC-M1")
    return plain_item(code, **(values | changes))


def space_item(code: str = "SPACE", **changes: Any) -> CatalogItem:
    """A course space: its names are asked for each unit."""
    values = {"name_en": "Course space", "handler": "buycourse", "params": "coursecategory=1"}
    return plain_item(code, **(values | changes))


def rows(line: CartLine, *people: str, action: str = "save", page: int = 1, **more: Any) -> dict[str, Any]:
    """The participants' form: each person is `email first last role`, as far as given."""
    data: dict[str, Any] = {
        "line": line.pk,
        "page": page,
        "action": action,
        "people-TOTAL_FORMS": len(people),
        "people-INITIAL_FORMS": 0,
    }
    for number, person in enumerate(people):
        names = ("email", "firstname", "lastname", "role")
        values = dict(zip(names, person.split(" "), strict=False))
        data |= {f"people-{number}-{name}": values.get(name, "") for name in names[:3]}
        data[f"people-{number}-role"] = values.get("role", "learner")
    return data | more


def go_to_review(client: Client, **changes: str) -> Any:
    return client.post("/checkout/identity/", IDENTITY | changes)


def agree(client: Client) -> Any:
    form = client.get("/checkout/review/").context["form"]
    return client.post("/checkout/review/", {"agree": "on", **form.initial})


def order(client: Client, paymode: str = "transfer") -> Any:
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    return client.post("/checkout/payment/", {"paymode": paymode, "checkout_key": key})


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
    client = Client()
    client.get("/buy/BOOK")
    assert client.get("/checkout/").url == "/sign/login/?next=/checkout/"


def test_somebody_without_organisation_names_it_first_and_comes_back():
    plain_item()
    person = make_person()
    client = Client(headers={"accept-language": "en"})
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


# --- participants -------------------------------------------------------------------------------------


@pytest.fixture
def line(client: Client) -> CartLine:
    """Three seats of a session in the cart."""
    session_item()
    client.get("/buy/SPOCM1?quantity=3")
    return CartLine.objects.get()


def named(line: CartLine) -> list[str]:
    line.refresh_from_db()
    return [" ".join(filter(None, person.values())) for person in line.participants]


PEOPLE = ("ada@demo.example Ada Lovelace", "bob@demo.example", "eve@demo.example Eve Tutor tutor")


def test_as_many_people_are_named_as_seats_are_ordered(client, line):
    page = client.get("/checkout/participants/")
    assert len(page.context["rows"].forms) == 3
    assert not any(form.errors for form in page.context["rows"].forms)
    assert client.post("/checkout/participants/", rows(line, *PEOPLE)).url == "/checkout/identity/"
    assert named(line) == [
        "ada@demo.example Ada Lovelace learner",
        "bob@demo.example learner",
        "eve@demo.example Eve Tutor tutor",
    ]
    go_to_review(client)
    assert "3 people named" in client.get("/checkout/review/").content.decode()
    agree(client)
    order(client)
    assert list(BillParticipant.objects.values_list("email", "first_name", "last_name", "role")) == [
        ("ada@demo.example", "Ada", "Lovelace", "learner"),
        ("bob@demo.example", "", "", "learner"),
        ("eve@demo.example", "Eve", "Tutor", "tutor"),
    ]


@pytest.mark.parametrize(
    ("people", "row", "field", "message"),
    [
        (("ada@demo.example", "ada@@demo.example", "c@demo.example"), 1, "email", "There is more than one @ here: give one address per person."),
        (("ada@demo.example", "ADA@demo.example", "c@demo.example"), 1, "email", "This address is already that of participant 1."),
        (("ada@demo.example", " Bob Nomail", "c@demo.example"), 1, "email", "The e-mail address is missing."),
        (("ada@demo.example", "=SUM(A1)", "c@demo.example"), 1, "email", "This cell is a formula: put its value in its place."),
        (("ada@demo.example", "b@demo.example", f"c@demo.example {'x' * 151}"), 2, "firstname", "This name has more than 150 characters."),
        (("ada@demo.example", "b@demo.example x y boss", "c@demo.example"), 1, "role", "Choose the role."),
    ],
)  # fmt: skip
def test_a_wrong_row_comes_back_with_its_reason_beside_the_field(client, line, people, row, field, message):
    back = client.post("/checkout/participants/", rows(line, *people), follow=True)
    assert back.redirect_chain == [(f"/checkout/participants/?line={line.pk}&check=1", 302)]
    assert [form.errors for form in back.context["rows"].forms] == [
        {field: [message]} if number == row else {} for number in range(3)
    ]
    assert client.get("/checkout/identity/").url == f"/checkout/participants/?line={line.pk}"
    assert len(named(line)) == 3


def test_too_few_people_are_kept_and_it_is_said_how_many_are_missing(client, line):
    back = client.post("/checkout/participants/", rows(line, PEOPLE[0], "", ""), follow=True)
    text = back.content.decode()
    assert "1 of 3 named." in text
    assert "2 people are still missing." in text
    assert named(line) == ["ada@demo.example Ada Lovelace learner"]
    assert client.get("/checkout/review/").status_code == 302


def test_more_people_than_seats_are_kept_and_the_order_can_follow(client, line):
    read = {"paste": "a@demo.example\nb@demo.example\nc@demo.example\nd@demo.example"}
    back = client.post("/checkout/participants/", rows(line, action="read", **read), follow=True)
    assert "That is one person more than seats" in back.content.decode()
    assert client.get("/checkout/identity/").status_code == 302
    assert len(named(line)) == 4
    resized = client.post("/checkout/participants/", rows(line, *named(line), action="resize"))
    line.refresh_from_db()
    assert (line.quantity, resized.url) == (4, "/checkout/identity/")


def test_the_order_does_not_follow_beyond_what_may_be_ordered(client, line):
    CatalogItem.objects.update(max_quantity=3)
    paste = "\n".join(f"p{number}@demo.example" for number in range(4))
    client.post("/checkout/participants/", rows(line, action="read", paste=paste))
    back = client.post("/checkout/participants/", rows(line, *named(line), action="resize"))
    assert "Order between 1 and 3 units of “Moodle basics”." in back.content.decode()
    line.refresh_from_db()
    assert line.quantity == 3


def test_a_list_is_pasted_and_joins_the_rows_typed(client, line):
    paste = (
        "prénom;nom;courriel;rôle;service\nZoé;Martin;zoe@demo.example;tuteur;RH\nADA;L;Ada@Demo.example;;"
    )
    data = rows(line, PEOPLE[0], "", "", action="read", paste=paste)
    back = client.post("/checkout/participants/", data, follow=True)
    assert [str(m) for m in back.context["messages"]][1:] == [
        "2 people were read. Columns that are not needed: service."
    ]
    # Who was typed already is replaced, not named twice.
    assert named(line) == ["Ada@Demo.example ADA L learner", "zoe@demo.example Zoé Martin tutor"]


def test_a_list_is_uploaded(client, line):
    content = "email,firstname\na@demo.example,A\nb@demo.example,B\nc@demo.example,C\n".encode("utf-16")
    upload = SimpleUploadedFile("people.csv", content)
    answer = client.post("/checkout/participants/", rows(line, action="read", file=upload))
    assert answer.url == f"/checkout/participants/?line={line.pk}"
    assert named(line) == [f"{name.lower()}@demo.example {name} learner" for name in "ABC"]


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ({"paste": ""}, "paste", "The list is empty: nobody is in it."),
        ({"paste": "nobody here"}, "paste", "No e-mail address was found in this list. Each person needs one, in a column of its own."),
        ({"file": SimpleUploadedFile("people.csv", b"\x89PNG\r\n\x1a\n\x00\x00")}, "file", "This file is not a list of people. Save the list as CSV or XLSX, or paste it instead."),
        ({"file": SimpleUploadedFile("people.csv", b"")}, "file", "The list is empty: nobody is in it."),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_says_why_and_the_rows_stay(client, line, more, field, message):
    for upload in more.values():
        if isinstance(upload, SimpleUploadedFile):
            upload.seek(0)
    back = client.post("/checkout/participants/", rows(line, *PEOPLE[:2], "", action="read", **more))
    assert back.context["list_form"].errors == {field: [message]}
    assert len(named(line)) == 2


def test_the_rows_can_be_emptied(client, line):
    client.post("/checkout/participants/", rows(line, *PEOPLE))
    client.post("/checkout/participants/", rows(line, *PEOPLE, action="clear"))
    assert named(line) == []


def test_a_form_without_its_rows_empties_nothing(client, line):
    client.post("/checkout/participants/", rows(line, *PEOPLE))
    client.post("/checkout/participants/", {"line": line.pk, "action": "save"})
    assert len(named(line)) == 3


def test_only_the_roles_that_are_offered_can_be_chosen(client):
    session_item(params="coursename=SPOC-M1&requiredroles=learner")
    client.get("/buy/SPOCM1?quantity=1")
    line = CartLine.objects.get()
    page = client.get("/checkout/participants/")
    assert list(page.context["rows"].forms[0].fields) == ["email", "firstname", "lastname"]
    client.post("/checkout/participants/", rows(line, "a@demo.example A A tutor"))
    assert named(line) == ["a@demo.example A A learner"]


def test_one_person_is_named_whatever_the_quantity_when_the_item_says_so(client):
    session_item(seat_mode="one")
    client.get("/buy/SPOCM1?quantity=5")
    page = client.get("/checkout/participants/")
    assert len(page.context["rows"].forms) == 1
    assert page.context["can_resize"] is False


def test_two_sessions_are_named_one_after_the_other(client, line):
    session_item("SPOCM2", name_en="Moodle advanced")
    client.get("/buy/SPOCM2?quantity=1")
    other = CartLine.objects.get(item__code="SPOCM2")
    answer = client.post("/checkout/participants/", rows(line, *PEOPLE))
    assert answer.url == f"/checkout/participants/?line={other.pk}"
    page = client.get(answer.url)
    assert "“Moodle advanced”: name 1 person." in page.content.decode()
    assert (
        client.post("/checkout/participants/", rows(other, "ada@demo.example")).url == "/checkout/identity/"
    )


def test_a_long_list_has_pages_and_each_keeps_what_the_others_hold(client, line):
    client.get("/buy/SPOCM1?quantity=120")
    line.refresh_from_db()
    paste = "\n".join(f"p{number}@demo.example" for number in range(119))
    answer = client.post("/checkout/participants/", rows(line, action="read", paste=paste))
    assert answer.url == f"/checkout/participants/?line={line.pk}&page=3"
    page = client.get("/checkout/participants/", {"line": line.pk, "page": "2"})
    assert [(one["first"], one["last"], one["here"]) for one in page.context["pages"]] == [
        (1, 50, False), (51, 100, True), (101, 120, False),
    ]  # fmt: skip
    people = [f"p{number}@demo.example" for number in range(50, 100)]
    people[7] = "corrected@demo.example Cor Rected tutor"
    client.post("/checkout/participants/", rows(line, *people, page=2))
    assert len(named(line)) == 119
    assert named(line)[57] == "corrected@demo.example Cor Rected tutor"
    last = [f"p{number}@demo.example" for number in range(100, 119)]
    done = client.post("/checkout/participants/", rows(line, *last, "last@demo.example", page=3))
    assert done.url == "/checkout/identity/"


@pytest.mark.parametrize(
    "query", ["line=x", "line=999999&page=7", "page=0", "page=-1", "page=99999999999", "page=%D9%A1"]
)
def test_an_address_that_names_nothing_shows_the_first_page(client, line, query):
    page = client.get(f"/checkout/participants/?{query}")
    assert page.status_code == 200
    assert page.context["first"] == 1


def test_changing_the_quantity_afterwards_asks_again(client, line):
    client.post("/checkout/participants/", rows(line, *PEOPLE))
    go_to_review(client)
    agree(client)
    client.get("/buy/SPOCM1?quantity=2")
    assert client.get("/checkout/payment/").url == f"/checkout/participants/?line={line.pk}"
    client.get("/buy/SPOCM1?quantity=3")
    # The agreement was to this total.
    assert client.get("/checkout/payment/").status_code == 200


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
    owner = Client()
    owner.force_login(customer.owner)
    owner.get("/buy/BOOK")
    page = owner.get("/checkout/identity/")
    assert page.context["form"].initial["legal_name"] == "Demo Industries SAS"
    go_to_review(owner, legal_name="Demo SA")
    account.refresh_from_db()
    assert account.legal_name == "Demo Industries SAS"
    go_to_review(owner, legal_name="Demo SA", remember="on")
    account.refresh_from_db()
    assert account.legal_name == "Demo SA"


# --- review -------------------------------------------------------------------------------------------


def test_the_terms_are_shown_with_their_version_and_agreed_to_by_a_tick(client):
    plain_item()
    client.get("/buy/BOOK")
    go_to_review(client)
    page = client.get("/checkout/review/")
    assert "Terms of sale, version 1" in page.content.decode()
    assert page.context["shop"].terms == "Terms."
    refused = client.post("/checkout/review/", page.context["form"].initial)
    assert refused.context["form"].errors == {"agree": ["Agree to the terms of sale to go on: tick the box."]}
    assert "terms" not in Cart.objects.get().identity
    agree(client)
    terms = Cart.objects.get().identity["terms"]
    assert (terms["version"], terms["gross"]) == ("1", 1000)
    assert terms["agreed_at"].endswith("+00:00")


def test_agreement_to_other_terms_or_another_total_does_not_count(client):
    item = plain_item()
    client.get("/buy/BOOK")
    go_to_review(client)
    form = client.get("/checkout/review/").context["form"]
    item.price = 1100
    item.save()
    back = client.post("/checkout/review/", {"agree": "on", **form.initial})
    assert "have changed since this page was shown" in back.content.decode()
    assert back.context["form"].initial == {"version": "1", "gross": 1100}
    agree(client)
    assert client.get("/checkout/payment/").status_code == 200
    Shop.objects.update(terms_version="2")
    assert client.get("/checkout/payment/").url == "/checkout/review/"


# --- payment ------------------------------------------------------------------------------------------


def ready(client: Client, **item: Any) -> None:
    """A cart at the payment step."""
    plain_item(**item)
    client.get("/buy/BOOK?quantity=2")
    go_to_review(client)
    agree(client)


def test_pressing_the_button_twice_or_sending_the_page_again_finds_the_first_order(client):
    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    data = {"paymode": "transfer", "checkout_key": key}
    answers = [client.post("/checkout/payment/", data).url for _click in range(3)]
    bill = Bill.objects.get()
    assert answers == [f"/purchases/{bill.number}/"] * 3
    client.get("/buy/BOOK?quantity=7")
    assert client.post("/checkout/payment/", data).url == f"/purchases/{bill.number}/"
    assert CartLine.objects.get().quantity == 7
    go_to_review(client)
    agree(client)
    order(client)
    assert Bill.objects.count() == 2


def test_ways_of_paying_are_those_that_are_offered(client, settings):
    ready(client)
    choices = client.get("/checkout/payment/").context["form"].fields["paymode"].choices
    assert [code for code, _label in choices] == ["transfer"]
    for paymode in ("testcard", "free", "", "nonsense"):
        refused = order(client, paymode)
        assert refused.status_code == 200
        assert list(refused.context["form"].errors) == ["paymode"]
    assert Bill.objects.count() == 0
    settings.SHOPSEATS_TEST_CARD = True
    order(client, "testcard")
    bill = Bill.objects.get()
    assert bill.opened_how == "payment"
    assert bill.payments.get().amount == 2000


def test_an_order_that_comes_to_nothing_is_open_at_once(client):
    ready(client, price=0)
    page = client.get("/checkout/payment/")
    assert "There is nothing to pay" in page.content.decode()
    order(client, "free")
    assert Bill.objects.get().opened_how == "free"


def test_a_refusal_stands_beside_the_step_it_belongs_to(client, monkeypatch):
    from billing.checkout import payment
    from billing.services import Problem, Refused

    session_item()
    client.get("/buy/SPOCM1?quantity=1")
    line = CartLine.objects.get()
    client.post("/checkout/participants/", rows(line, "a@demo.example"))
    go_to_review(client)
    agree(client)

    def refuse(**_: Any) -> None:
        raise Refused(
            [
                Problem("participants", "Somebody is wrong.", 0, 0, "email"),
                Problem("customer", "No name.", field="name"),
                Problem("total", "The price has changed."),
                Problem("item", "Gone.", 7),
                Problem("seller", "Closed."),
            ]
        )

    monkeypatch.setattr(payment, "place_cart", refuse)
    back = order(client)
    assert [(reason["item"], reason["row"], reason["url"]) for reason in back.context["reasons"]] == [
        ("Moodle basics", 0, "/checkout/participants/"),
        ("", None, "/checkout/identity/"),
        ("", None, "/checkout/review/"),
        ("", None, "/cart/"),
        ("", None, ""),
    ]
    text = back.content.decode()
    assert "Somebody is wrong." in text
    assert "Nothing was ordered and nothing is lost." in text
    assert CartLine.objects.count() == 1


def test_a_price_that_changes_at_the_last_moment_is_refused_and_nothing_is_ordered(client, monkeypatch):
    from billing.checkout.payment import Payment

    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    form = Payment._form

    def change_the_price(self: Payment, *args: Any) -> Any:
        answer = form(self, *args)
        CatalogItem.objects.update(price=999)
        return answer

    monkeypatch.setattr(Payment, "_form", change_the_price)
    back = client.post("/checkout/payment/", {"paymode": "transfer", "checkout_key": key})
    assert [str(reason["message"]) for reason in back.context["reasons"]] == [
        "The price has changed: look at the order again."
    ]
    assert Bill.objects.count() == 0
    assert CartLine.objects.get().quantity == 2


def test_a_forged_key_of_somebody_else_finds_nothing(client, customer):
    ready(client)
    key = client.get("/checkout/payment/").context["form"].initial["checkout_key"]
    order(client)
    other = make_member(Role.OWNER)
    stranger = Client()
    stranger.force_login(other.person)
    stranger.get("/buy/BOOK")
    answer = stranger.post("/checkout/payment/", {"paymode": "transfer", "checkout_key": key})
    assert answer.url == "/checkout/identity/"
    assert Bill.objects.count() == 1


# --- numbers ------------------------------------------------------------------------------------------


def test_a_step_asks_each_automation_once_and_takes_no_other_query_for_more_lines(client, customer):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            seats_item(f"N{number}")
            client.get(f"/buy/N{number}?quantity=2")
        go_to_review(client)
        agree(client)

    fill(0, 3)
    paths = ("/checkout/identity/", "/checkout/review/", "/checkout/payment/")
    count("/checkout/payment/")  # makes the key of this checkout
    few = [count(path) for path in paths]
    fill(3, 30)
    many = [count(path) for path in paths]
    # `is_available` is asked of each article, and generateseats looks for a course in one query.
    assert [more - less for more, less in zip(many, few, strict=True)] == [27, 27, 27]
    assert max(few) <= 14
