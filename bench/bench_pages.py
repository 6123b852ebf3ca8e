"""My seats and the catalogue beside a bare Django view: the same number of queries (at most 12) whatever the size,
at least 0.4 of the floor's requests per second signed in and 0.5 for the catalogue."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Member, Person, Role
from bench import floor_urls
from bench.measuring import number
from bench.serving import rates, served
from catalog.models import CatalogItem, PriceTier
from catalog.selectors import get_shop
from courses.models import Course, CourseCategory
from seats.models import Assignment, Seat, SeatPool
from seats.services import generate_seats

SIZES = (400, 100_000)
CATALOGUES = (30, 3_000)
GIVEN = 5  # every so manyth seat is given


def run() -> list[str]:
    """One line for each page and size."""
    if connection.vendor != "postgresql":
        return ["Pages are measured on PostgreSQL: set DATABASE_URL."]
    floor_urls.make_tables()
    course = _course()
    managers = {size: _manager(size, course) for size in SIZES}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    lines: list[str] = []
    with served("bench.floor:application") as floor, served("shopseats.wsgi:application") as shop:
        pages = {"floor": (f"http://127.0.0.1:{floor}/", "")}
        for size, person in managers.items():
            pages[f"My seats, {size} seats"] = (f"http://127.0.0.1:{shop}/seats/", _cookie(person))
        lines += _lines(
            pages, least=0.4, queries={name: _queries("/seats/", person) for name, person in _named(managers)}
        )
        for size in CATALOGUES:
            _items(size)
            name = f"catalogue, {size} items"
            page = {"floor": pages["floor"], name: (f"http://127.0.0.1:{shop}/", "")}
            lines += _lines(page, least=0.5, queries={name: _queries("/", None)})
    return lines


def _named(managers: dict[int, Person]) -> list[tuple[str, Person]]:
    return [(f"My seats, {size} seats", person) for size, person in managers.items()]


def _lines(pages: dict[str, tuple[str, str]], *, least: float, queries: dict[str, int]) -> list[str]:
    found = rates(pages)
    floor = found.pop("floor")
    return [
        f"{name}: {rate / floor:.2f} of the floor (at least {least}), {rate:.0f} beside {floor:.0f} per second, "
        f"{queries[name]} queries (at most 12)"
        for name, rate in found.items()
    ]


def _queries(path: str, person: Person | None) -> int:
    client = Client(SERVER_NAME="127.0.0.1")
    if person is not None:
        client.force_login(person)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


def _cookie(person: Person) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _course() -> Course:
    category = CourseCategory.objects.create(name=f"Bench {number()}")
    return Course.objects.create(shortname=f"BENCH{number()}", fullname="A course", category=category)


def _manager(size: int, course: Course) -> Person:
    """Somebody whose organisation has so many seats, every fifth of them given."""
    account = CustomerAccount.objects.create(slug=f"bench-{number()}", name=f"Organisation with {size} seats")
    person = Person.objects.create_user(f"manager{size}@bench.example")
    Member.objects.create(account=account, person=person, role=Role.MANAGER)
    key = uuid.uuid4()
    generate_seats(
        line_key=key,
        account_id=account.pk,
        item_code="SEATS",
        item_name="Seats",
        bill_number=f"CMD-{number()}",
        count=size,
        purchased_at=timezone.now(),
    )
    seats = Seat.objects.filter(pool=SeatPool.objects.get(line_key=key), ordinal__lte=size // GIVEN)
    people = Person.objects.bulk_create(
        Person(email=f"p{n}@{size}.example", email_key=f"p{n}@{size}.example", password="!")
        for n in range(size // GIVEN)
    )
    now = timezone.now()
    Assignment.objects.bulk_create(
        Assignment(
            seat=seat,
            account=account,
            person=sitter,
            course=course,
            role="student",
            email=sitter.email,
            state=Assignment.State.LIVE,
            starts_at=now,
            opened_at=now if seat.ordinal % 2 else None,
            created_by="operator",
        )
        for seat, sitter in zip(seats.order_by("ordinal"), people, strict=True)
    )
    return person


def _items(size: int) -> None:
    """Fill the catalogue up to so many items, each with two price tiers."""
    shop = get_shop()
    have = CatalogItem.objects.count()
    items = CatalogItem.objects.bulk_create(
        CatalogItem(
            shop=shop,
            code=f"BENCH{n}",
            name_fr=f"Article {n}",
            summary_fr="Une phrase qui dit à quoi cet article est bon, ni plus longue ni plus courte.",
            price=1000 + n,
            handler="generateseats",
            params=f"packsize={n % 12 + 1}",
        )
        for n in range(have, size)
    )
    PriceTier.objects.bulk_create(
        PriceTier(item=item, up_to=up_to, price=item.price + 10 * up_to)
        for item in items
        for up_to in (9, 49)
    )
