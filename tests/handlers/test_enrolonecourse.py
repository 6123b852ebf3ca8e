"""`enrolonecourse`: the buyer's own place in one course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from billing.services import OrderLine, Refused
from billing.services.carts import add_item, new_cart
from catalog.models import CatalogItem
from common.models import OutboxMail
from courses.models import Course, Enrolment
from delegation.models import Delegation
from handlers.contract import Availability, Delivered, Delivery, HandlerError, Objection, SeatMode, Wish
from handlers.registry import get_handler, say
from seats.models import Assignment, SeatPool, Session
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.courses.factories import make_enrolment
from tests.handlers.factories import PURCHASED, make_offer, make_purchase
from tests.handlers.sessions import enrolments, sitting, spoc

pytestmark = pytest.mark.django_db
NAME = "enrolonecourse"
HANDLER = get_handler(NAME)
GROUP = ("CMD-2026-000007",)


@pytest.fixture
def course() -> Course:
    return spoc(fullname="Getting to know Moodle")


@pytest.fixture
def buyer() -> Person:
    return make_person(email="bob@a.example", possessed_at=PURCHASED)


def deliver(buyer: Person | None, params: str = "coursename=SPOC", **fields: Any) -> Delivery:
    return HANDLER.deliver(
        make_purchase(params, handler=NAME, buyer_id=buyer.pk if buyer else None, **fields)
    )


def said(delivery: Delivery) -> list[str]:
    messages = (delivery.feedback.public, delivery.feedback.private, delivery.feedback.sales)
    return [say(NAME, message.as_json()) for message in messages if message]


# --- delivered ----------------------------------------------------------------------------------------


def test_the_buyer_is_enrolled_with_role_and_dates_in_one_seat(course, buyer):
    account = make_account()
    delivery = deliver(buyer, "coursename=SPOC&role=customer&duration=30", account_id=account.pk)
    ends = PURCHASED + timedelta(days=30)
    assert enrolments(course) == [("bob@a.example", "customer", PURCHASED, ends, GROUP)]
    assert delivery.delivered == Delivered(seats=1, enrolments=1)
    pool = SeatPool.objects.get()
    assert (pool.account, pool.size, pool.course, pool.learner, pool.access_ends_at) == (
        account, 1, course, "customer", ends,
    )  # fmt: skip
    assert sitting(pool) == [(1, "bob@a.example", "customer")]
    assert Assignment.objects.get().person == buyer
    assert Delegation.objects.get().account == account


def test_it_is_no_session(course, buyer):
    deliver(buyer)
    assert Session.objects.count() == 0


def test_delivered_again_nothing_changes(course, buyer):
    first = deliver(buyer, account_id=make_account().pk)
    again = deliver(buyer, account_id=SeatPool.objects.get().account_id)
    assert again == first
    assert (Assignment.objects.count(), OutboxMail.objects.count()) == (1, 1)


def test_a_renewable_place_without_an_end_lasts_365_calendar_days(course, buyer):
    deliver(buyer, renewable=True)
    [(_email, _role, _starts, ends, _groups)] = enrolments(course)
    assert ends is not None
    assert ends.isoformat() == "2027-11-20T09:00:00+00:00"


def test_the_buyer_is_told_and_gets_the_news_of_the_course(course, buyer):
    assert said(deliver(buyer)) == [
        "You are enrolled in “Getting to know Moodle”.",
        "You are enrolled in “Getting to know Moodle”. Access starts on 20 November 2026 at 10:00 and has no end.",
        "The buyer of order CMD-2026-000007 is enrolled in “Getting to know Moodle”.",
    ]
    assert list(OutboxMail.objects.values_list("to", "kind")) == [("bob@a.example", "enrolled")]


def test_a_buyer_who_was_enrolled_after_ordering_keeps_his_dates_and_has_a_free_seat(course, buyer):
    held = make_enrolment(course, buyer)
    delivery = deliver(buyer)
    free = (
        "You were enrolled in “Getting to know Moodle” before: your dates stay as they are, and the seat is free for "
        "somebody else in this course."
    )
    assert said(delivery) == [
        free,
        free,
        "The buyer of order CMD-2026-000007 was enrolled in “Getting to know Moodle” before: the seat is free.",
    ]
    assert delivery.delivered == Delivered(seats=1)
    assert enrolments(course) == [("bob@a.example", "student", held.starts_at, None, GROUP)]
    assert sitting(SeatPool.objects.get()) == [(1, "", "")]


@pytest.mark.parametrize(
    ("damage", "fields", "field"),
    [
        ({"closed_at": PURCHASED}, {}, "coursename"),
        ({}, {"params": "coursename=SPOC&role=boss"}, "role"),
        ({}, {"params": "coursename=SPOC&endtime=2026-01-01"}, "endtime"),
        ({}, {"quantity": 2}, "quantity"),
        ({}, {"buyer": None}, "buyer"),
    ],
)
def test_what_only_shows_after_opening_fails_for_good_and_leaves_nothing(
    course, buyer, damage: dict[str, Any], fields: dict[str, Any], field: str
):
    Course.objects.update(**damage) if damage else None
    with pytest.raises(HandlerError) as failed:
        deliver(**({"buyer": buyer} | fields))
    assert (failed.value.permanent, failed.value.field) == (True, field)
    assert (SeatPool.objects.count(), Enrolment.objects.count()) == (0, 0)


# --- offered ------------------------------------------------------------------------------------------


def findings(params: str, **fields: Any) -> list[tuple[str, str, str]]:
    found = HANDLER.check(make_offer(params, **fields), at=PURCHASED)
    return [(one.level, one.code, one.key) for one in found]


def test_the_shop_admin_is_told_what_is_wrong(course):
    assert findings("coursename=SPOC") == []
    assert findings("") == [("error", "params", "coursename")]
    assert findings("coursename=NONE") == [("error", "course_unknown", "coursename")]
    assert findings("coursename=SPOC&role=boss") == [("error", "role_unknown", "role")]
    assert findings("coursename=SPOC", seat_mode=SeatMode.ONE) == [("error", "seat_mode", "seat_mode")]
    Course.objects.update(visible=False, groups_mode="none")
    # Groups do not matter to somebody who learns alone.
    assert findings("coursename=SPOC") == [("warning", "course_hidden", "coursename")]


def test_it_is_ordered_once(course):
    assert HANDLER.quantity_limit(make_offer("coursename=SPOC")) == 1


def test_it_is_available_while_its_course_is(course):
    assert HANDLER.is_available(make_offer("coursename=SPOC"), None) == Availability()
    Course.objects.update(is_space=True)
    refusal = HANDLER.is_available(make_offer("coursename=SPOC"), None)
    assert refusal.reason == "The course of this item is not open for now."


def wish(buyer: Person | None) -> list[Objection]:
    asked = Wish(None, buyer.pk if buyer else None, 1)
    return list(HANDLER.check_purchase(make_offer("coursename=SPOC"), asked))


ENROLLED = "You are already enrolled in “Getting to know Moodle”."


def test_a_buyer_who_is_enrolled_cannot_buy_it(course, buyer):
    assert wish(None) == []
    assert wish(buyer) == []
    held = make_enrolment(course, buyer)
    assert wish(buyer) == [Objection(ENROLLED)]
    Enrolment.objects.filter(pk=held.pk).update(ends_at=timezone.now() - timedelta(hours=1))
    assert wish(buyer) == []


def test_on_a_remote_platform_his_own_seats_tell(course, buyer, monkeypatch):
    deliver(buyer)
    monkeypatch.setattr("courses.builtin.platform.BuiltinPlatform.is_remote", True)
    monkeypatch.setattr("courses.builtin.platform.BuiltinPlatform.active_enrolments", None)
    assert wish(buyer) == [Objection(ENROLLED)]
    assert wish(make_person()) == []


@pytest.fixture
def item(course: Course) -> CatalogItem:
    return plain_item("OWN", handler=NAME, params="coursename=SPOC")


def test_the_cart_refuses_it_with_a_clear_sentence(course, item):
    customer = Customer()
    cart = new_cart(shop=item.shop, person=customer.buyer, account=customer.account)
    assert add_item(cart=cart, item=item, quantity=1).quantity == 1
    make_enrolment(course, customer.buyer)
    with pytest.raises(Refused) as refusal:
        add_item(cart=cart, item=item, quantity=1)
    assert [str(problem) for problem in refusal.value.problems] == [f"item: {ENROLLED}"]


def test_it_is_refused_when_it_is_placed(course, item):
    customer = Customer()
    make_enrolment(course, customer.buyer)
    with pytest.raises(Refused) as refusal:
        customer.place(OrderLine(item, 1))
    assert [str(problem) for problem in refusal.value.problems] == [f"item: {ENROLLED}"]
