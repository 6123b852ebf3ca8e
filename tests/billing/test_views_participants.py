"""The people named during the checkout: rows, pastes, files."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from billing.models import BillParticipant, CartLine
from catalog.models import CatalogItem
from tests.billing.factories import Customer
from tests.billing.shopping import agree, browser, go_to_review, order, rows, session_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(customer: Customer) -> Any:
    """The buyer's browser."""
    return browser(customer.buyer)


# --- participants -------------------------------------------------------------------------------------


@pytest.fixture
def line(client: Any) -> CartLine:
    """Three seats of a session in the cart."""
    session_item()
    client.get("/buy/SPOCM1?quantity=3")
    return CartLine.objects.get()


def named(line: CartLine) -> list[str]:
    line.refresh_from_db()
    names = ("email", "firstname", "lastname", "role")
    return [" ".join(filter(None, (person[name] for name in names))) for person in line.participants]


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
    read: dict[str, Any] = {"paste": "a@demo.example\nb@demo.example\nc@demo.example\nd@demo.example"}
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
    session_item(seat_mode="one", handler="generateseats", params="")
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
