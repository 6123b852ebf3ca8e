"""« Prolonger »: where a product can last longer, a link fills the cart with the right item and reference."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import CustomerAccount, Role
from billing.models import CartLine
from courses.models import Course
from seats.models import Assignment, Seat
from seats.services import run_expire
from tests.accounts.factories import make_account, make_member
from tests.billing.factories import seats_item
from tests.courses.factories import make_course, make_space
from tests.seats.factories import give, make_pool
from tests.seats.life import DAY, session_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def owner(account) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_member(Role.OWNER, account=account).person)
    return client


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture(autouse=True)
def item() -> Any:
    return seats_item(code="EXTEND", handler="extendenrolperiod", params="extension=10", position=5)


def links(client: Client, page: str) -> list[str]:
    """The addresses behind "Extend" on a page."""
    found = re.findall(r'href="(/buy/[^"]+)"[^>]*>Extend', client.get(page).content.decode())
    return [link.replace("&amp;", "&") for link in found]


def test_my_products_extends_sessions_and_spaces(owner, account, course):
    session = session_of(account, course, "ada@example.org")
    space = make_space(account=account)
    found = links(owner, "/products/")
    assert sorted(link.partition("reference=")[2] for link in found) == sorted(
        [session.reference, space.reference]
    )
    for link in found:
        owner.get(link)
    line = CartLine.objects.get(item__code="EXTEND")
    assert (line.quantity, len(line.customer_data)) == (2, 2)
    assert {unit["reference"] for unit in line.customer_data} == {session.reference, space.reference}


def test_the_page_of_a_seat_extends_the_seat_also_when_it_has_ended(owner, account, course):
    make_pool(account, 1, access_seconds=86_400)
    ada = give(account, course, "ada@example.org")
    page = f"/seats/{ada.seat.reference}/"
    [link] = links(owner, page)
    run_expire(now=timezone.now() + 2 * DAY)
    with time_machine.travel(timezone.now() + 2 * DAY):
        owner.force_login(account.members.get().person)
        assert links(owner, page) == [link]
        owner.get(link)
    line = CartLine.objects.get(item__code="EXTEND")
    assert line.customer_data == [{"reference": ada.seat.reference}]


def test_the_first_item_on_sale_is_the_one(owner, account, course, item):
    session_of(account, course, "ada@example.org")
    seats_item(code="FIRST", handler="extendenrolperiod", params="extension=5", position=1)
    seats_item(code="HIDDEN", handler="extendenrolperiod", params="extension=5", visibility="inactive")
    [link] = links(owner, "/products/")
    assert link.startswith("/buy/FIRST?")


@pytest.mark.parametrize("change", ["withdrawn", "unlimited", "nothing on sale", "may not buy"])
def test_there_is_no_link_where_it_would_be_refused(owner, account, course, item, change):
    make_pool(account, 1, access_seconds=86_400)
    ada = give(account, course, "ada@example.org")
    if change == "withdrawn":
        Seat.objects.update(withdrawn_at=timezone.now())
    elif change == "unlimited":
        Assignment.objects.update(ends_at=None)
    elif change == "nothing on sale":
        item.visibility = "inactive"
        item.save()
    else:
        account.members.update(role=Role.MANAGER)
    assert links(owner, f"/seats/{ada.seat.reference}/") == []
