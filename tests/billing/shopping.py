"""Filling carts and going through the checkout, for tests."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import Person
from billing.models import CartLine
from catalog.models import CatalogItem
from courses.models import Course
from tests.billing.factories import plain_item
from tests.courses.factories import make_category, make_course

IDENTITY = {
    "legal_name": "Demo Industries SAS",
    "siren": "732 829 320",
    "vat_number": "FR 44 732829320",
    "address": "1 rue de la Paix",
    "postcode": "75002",
    "city": "Paris",
    "country": "FR",
}


def browser(person: Person | None = None) -> Any:
    """A browser that prefers English, in which the person is signed in."""
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person)
    return client


def sign_in(client: Client, person: Person) -> None:
    """Sign in where something was done before."""
    client.force_login(person)


def held(**where: Any) -> dict[str, int]:
    """What is in the carts: quantity by code."""
    lines = CartLine.objects.filter(removed_at=None, **where)
    return {line.item.code: line.quantity for line in lines.select_related("item")}


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
    params = f"coursecategory={make_category().pk}"
    values = {"name_en": "Course space", "handler": "buycourse", "params": params}
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
