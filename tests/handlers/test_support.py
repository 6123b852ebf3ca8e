"""The customer support course, which every handler offers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from courses.models import Enrolment
from courses.platform import UNKNOWN, Outcome, PlatformAway, refused
from courses.platforms import get_platform
from handlers.contract import Delivered, HandlerError, Purchase
from handlers.registry import all_handlers, get_handler
from tests.accounts.factories import make_person
from tests.handlers.factories import PURCHASED, make_course, make_purchase

pytestmark = pytest.mark.django_db
HANDLER = get_handler("generateseats")


def purchase(**fields: Any) -> Purchase:
    buyer = make_person()
    return make_purchase("customersupport=HELP", **({"buyer_id": buyer.pk} | fields))


def rows() -> list[tuple[int, str, str, Any, Any]]:
    return list(Enrolment.objects.values_list("person", "role", "status", "starts_at", "ends_at"))


def test_the_buyer_is_enrolled_as_a_customer_once() -> None:
    make_course("HELP", is_support=True)
    bought = purchase()
    for _attempt in range(2):
        delivery = HANDLER.prepare(bought)
        assert delivery.delivered == Delivered(enrolments=1)
        assert rows() == [(bought.buyer_id, "customer", "active", PURCHASED, None)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # An enrolment that holds stays as it is.
        ({"role": "teacher", "ends_at": None}, ("teacher", "active", PURCHASED - timedelta(days=9), None)),
        (
            {"role": "student", "status": "suspended", "ends_at": None},
            ("customer", "active", PURCHASED, None),
        ),
        (
            {"role": "student", "ends_at": PURCHASED - timedelta(days=300)},
            ("customer", "active", PURCHASED, None),
        ),
    ],
)
def test_an_enrolment_that_holds_stays_and_another_is_opened_again(
    before: dict[str, Any], after: tuple[str, str, Any, Any]
) -> None:
    course = make_course("HELP", is_support=True)
    bought = purchase()
    starts = PURCHASED - timedelta(days=400 if before["ends_at"] else 9)
    assert bought.buyer_id
    Enrolment.objects.create(course=course, person_id=bought.buyer_id, starts_at=starts, **before)
    HANDLER.prepare(bought)
    assert rows() == [(bought.buyer_id, *after)]


def test_without_a_support_course_or_a_buyer_nothing_happens() -> None:
    make_course("HELP", is_support=True)
    assert HANDLER.prepare(purchase(buyer_id=None)).delivered == Delivered()
    assert HANDLER.prepare(make_purchase(buyer_id=make_person().pk)).delivered == Delivered()
    assert rows() == []


def test_a_support_course_that_is_gone_fails_for_good() -> None:
    with pytest.raises(HandlerError) as caught:
        HANDLER.prepare(purchase())
    assert (caught.value.permanent, caught.value.field) == (True, "customersupport")
    assert str(caught.value) == "customersupport: There is no course with the short name HELP."
    assert rows() == []


@pytest.mark.parametrize(("outcome", "is_refused"), [(refused("unknown_role"), True), (UNKNOWN, False)])
def test_what_the_platform_says_decides_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, is_refused: bool
) -> None:
    make_course("HELP", is_support=True)
    monkeypatch.setattr(type(get_platform()), "ensure_enrolments", lambda self, rows: [outcome])
    with pytest.raises(HandlerError) as caught:
        HANDLER.prepare(purchase())
    assert (caught.value.permanent, caught.value.outside) == (is_refused, not is_refused)
    assert "unknown_role" not in str(caught.value)


def test_a_platform_that_is_away_is_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise PlatformAway

    make_course("HELP", is_support=True)
    monkeypatch.setattr(type(get_platform()), "active_enrolments", away)
    with pytest.raises(HandlerError) as caught:
        HANDLER.prepare(purchase())
    assert (caught.value.permanent, caught.value.outside) == (False, True)


def test_every_handler_that_delivers_to_courses_has_a_support_course() -> None:
    with_support = [
        handler.name for handler in all_handlers() if "customersupport" in handler.Params.base_fields
    ]
    assert with_support == ["generateseats", "setuponecoursesession", "buycourse", "enrolonecourse"]
