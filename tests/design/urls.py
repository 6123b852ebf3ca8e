"""Addresses of the fixture pages, and empty ones under the names that the frame links to."""

from __future__ import annotations

from collections.abc import Callable

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from seats.seatrow import SeatCounts
from tests.design.forms import Entries, Kinds

POOLS = [
    {
        "name": "SPOC Appropriation Moodle",
        "counts": SeatCounts(in_use=7, invited=2, free=3),
        "ends": "31 July 2027",
    },
    {
        "name": "Any open course",
        "counts": SeatCounts(in_use=30, invited=10, free=15, ended=5),
        "ends": "31 December 2027",
    },
    {"name": "Health and safety at work", "counts": SeatCounts(in_use=412, invited=96, free=92), "ends": ""},
]
PEOPLE = [
    ("Jeanne Dupont", "j.dupont@lavallee.example", "consumed", "12 March 2027"),
    ("Ahmed Benali", "a.benali@lavallee.example", "assigned", "2 April 2027"),
    ("Bartholomew Featherstonehaugh-Cholmondeley", "bartholomew.featherstonehaugh@lavallee.example", "expired", "3 May 2026"),
    ("", "nobody.yet@lavallee.example", "withdrawn", "3 May 2026"),
]  # fmt: skip
ITEMS = [
    {"name": "SPOC Appropriation Moodle", "pack": 1, "price": "10.00 €", "unit": "per seat, tax included"},
    {"name": "Ten seats for the Moodle courses", "pack": 10, "price": "90.00 €", "unit": "excluding tax"},
    {"name": "Seats for any open course", "pack": 100, "price": "850.00 €", "unit": "excluding tax"},
]


def guide(request: HttpRequest) -> HttpResponse:
    """Every component, in every kind."""
    wrong = Kinds({"email": "jeanne@", "seats": "0", "starts": "", "role": "tutor"})
    return render(
        request,
        "design/guide.html",
        {
            "form": Kinds(),
            "pools": POOLS,
            "wrong": wrong,
            "page": Paginator(range(900), 100).page(2),
            "chips": [("", "All", 12), ("free", "Free", 3), ("invited", "Invited", 2), ("ended", "Ended", 0)],
            "tabs": [("/", "Seats", 12), ("/people/", "People", 9), ("/history/", "History")],
            "steps": [("Cart", "/cart/"), ("Participants", "/people/"), ("Identity", ""), ("Review", "")],
            "states": ["free", "assigned", "consumed", "expired", "withdrawn"],
            "ten": SeatCounts(free=10),
        },
    )


def seats(request: HttpRequest) -> HttpResponse:
    """A page of a list, as My seats is."""
    return render(
        request,
        "design/seats.html",
        {
            "place": "seats:my",
            "pools": POOLS,
            "people": PEOPLE,
            "page": Paginator(range(900), 100).page(1),
            "chips": [("", "All", 12), ("free", "Free", 3), ("invited", "Invited", 2), ("ended", "Ended", 2)],
        },
    )


def catalogue(request: HttpRequest) -> HttpResponse:
    """A shelf, as the catalogue is."""
    return render(request, "design/catalogue.html", {"place": "catalog:home", "items": ITEMS})


def checkout(request: HttpRequest) -> HttpResponse:
    """A form that comes back with errors, and rows of people."""
    data = {
        "form-TOTAL_FORMS": "3",
        "form-INITIAL_FORMS": "0",
        "form-0-email": "jeanne@",
        "form-0-role": "learner",
        "form-1-email": "a.benali@lavallee.example",
        "form-1-role": "nobody",
    }
    bound = request.method == "POST" or "wrong" in request.GET
    return render(
        request,
        "design/checkout.html",
        {
            "place": "billing:checkout",
            "form": Kinds({"email": "jeanne@", "seats": "0"}) if bound else Kinds(),
            "entries": Entries(data) if bound else Entries(),
            "steps": [("Cart", "/cart/"), ("Participants", "/people/"), ("Identity", ""), ("Review", "")],
        },
    )


def empty(request: HttpRequest) -> HttpResponse:
    """A page with nothing on it yet."""
    return render(request, "design/empty.html", {"place": "seats:my"})


LETTER = {
    "name": "Ahmed O'Brien",
    "course": "Appropriation & Moodle",
    "email": "a.benali@lavallee.example",
    "button_url": "https://shop.example/i/Zp3J2YtVwq8?from=mail&n=1",
    "button_label": "Choose my password and begin",
    "counts": SeatCounts(in_use=7, invited=2, free=3),
}


def letter(request: HttpRequest) -> HttpResponse:
    """A mail in both its forms."""
    if request.GET.get("form") == "text":
        return render(request, "design/letter.txt", LETTER, content_type="text/plain; charset=utf-8")
    return render(request, "design/letter.html", LETTER)


def refused(template: str, status: int) -> Callable[[HttpRequest], HttpResponse]:
    """A page that answers with an error template."""
    return lambda request: render(request, template, status=status)


def blank(request: HttpRequest, **_: object) -> HttpResponse:
    return render(request, "design/blank.html")


catalog = [
    path("catalogue/", catalogue, name="home"),
    path("catalogue/<slug:slug>/", blank, name="category"),
    path("items/<str:code>/", blank, name="item"),
    path("search/", blank, name="search"),
]
billing = [
    path("cart/", blank, name="cart"),
    path("purchases/", blank, name="purchases"),
    path("purchases/<str:number>/", blank, name="bill"),
]
seat = [path("seats/", seats, name="my"), path("products/", blank, name="products")]
portal = [
    path("people/", blank, name="people"),
    path("people/<int:pk>/", blank, name="person"),
    path("learn/", blank, name="my_courses"),
    path("learn/<str:course>/", blank, name="course"),
]
accounts = [
    path("switch/", blank, name="switch"),
    path("team/", blank, name="team"),
    path("settings/", blank, name="settings"),
    path("profile/", blank, name="profile"),
]

urlpatterns = [
    path("", guide),
    path("checkout/", checkout),
    path("empty/", empty),
    path("letter/", letter),
    path("404/", refused("404.html", 404)),
    path("403/", refused("403.html", 403)),
    path("csrf/", refused("403_csrf.html", 403)),
    path("500/", refused("500.html", 200)),
    path("", include((catalog, "catalog"))),
    path("", include((billing, "billing"))),
    path("", include((seat, "seats"))),
    path("", include((portal, "portal"))),
    path("", include((accounts, "accounts"))),
    path("login/", blank, name="account_login"),
    path("logout/", blank, name="account_logout"),
    path("signup/", blank, name="account_signup"),
    path("i18n/", include("django.conf.urls.i18n")),
]
