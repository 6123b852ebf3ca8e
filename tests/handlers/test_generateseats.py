"""`generateseats`: what the shop admin is told, when it can be bought, and what it delivers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from handlers.contract import Delivered, Feedback, HandlerError, Message, SeatMode
from handlers.registry import get_handler, say
from seats.models import Seat, SeatPool
from tests.accounts.factories import make_account
from tests.handlers.factories import LINE, PURCHASED, make_course, make_offer, make_purchase

pytestmark = pytest.mark.django_db
HANDLER = get_handler("generateseats")
EVERY = (
    "warning",
    "every_course",
    "No list of courses: the seats can be given in every open course.",
    "courselist",
)


def found(params: str = "", **fields: Any) -> list[tuple[str, str, str, str]]:
    findings = HANDLER.check(make_offer(params, **fields), at=PURCHASED)
    return [(finding.level, finding.code, finding.message, finding.key) for finding in findings]


# --- check ------------------------------------------------------------------------------------------


def test_check_lists_the_courses_that_match_today() -> None:
    for name in ("SPOC1", "SPOC2", "SCI"):
        make_course(name)
    assert found("courselist=SPOC*") == [("info", "courses", "Courses today: SPOC1, SPOC2.", "courselist")]


def test_check_warns_of_seats_for_every_open_course() -> None:
    make_course("SCI")
    make_course("HIDDEN", visible=False)
    make_course("MODEL", is_template=True)
    make_course("HELP", is_support=True)
    make_course("SPACE", is_space=True)
    make_course("NOSEATS", not_for_seats=True)
    make_course("CLOSED", closed_at=PURCHASED)
    make_course("OVER", ends_at=timezone.now() - timedelta(days=1))
    assert found() == [EVERY, ("info", "courses", "Courses today: SCI.", "courselist")]
    assert [course.shortname for course in HANDLER.courses(HANDLER.typed(""))] == ["SCI"]


def test_check_shows_at_most_twenty_courses() -> None:
    for number in range(23):
        make_course(f"C{number:02}")
    names = ", ".join(f"C{number:02}" for number in range(20))
    assert found("courselist=C*") == [
        ("info", "courses", f"Courses today: {names} and 3 more.", "courselist")
    ]


def test_a_list_that_matches_nothing_is_an_error() -> None:
    make_course("SCI")
    assert found("courselist=MATH,X*") == [
        (
            "error",
            "no_course",
            "No open course matches this list: the seats could not be given to anybody.",
            "courselist",
        )
    ]


def test_names_that_match_nothing_beside_others_are_a_warning() -> None:
    make_course("SCI")
    assert found("courselist=SCI,MATH,X*") == [
        ("warning", "idle_names", "These match no open course: MATH, X*.", "courselist"),
        ("info", "courses", "Courses today: SCI.", "courselist"),
    ]


@pytest.mark.parametrize("mode", [SeatMode.ONE, SeatMode.QUANTITY])
def test_the_seat_mode_must_be_none(mode: SeatMode) -> None:
    make_course("SCI")
    assert found("courselist=SCI", seat_mode=mode)[0] == (
        "error",
        "seat_mode",
        f"This automation needs the seat mode “none”, not “{mode}”.",
        "seat_mode",
    )


def test_a_supervisor_role_that_the_platform_has_not_is_an_error() -> None:
    make_course("SCI")
    assert found("courselist=SCI&supervisor=boss") == [
        ("info", "courses", "Courses today: SCI.", "courselist"),
        (
            "error",
            "role_unknown",
            "The course platform has no role boss. It has: student, teacher, editingteacher, courseowner, customer.",
            "supervisor",
        ),
    ]


def test_a_support_course_must_exist_and_should_be_marked() -> None:
    make_course("SCI")
    make_course("HELP", is_support=True)
    unknown = "There is no course with the short name NONE."
    assert found("courselist=SCI&customersupport=NONE")[0] == (
        "error",
        "support_unknown",
        unknown,
        "customersupport",
    )
    assert [code for _, code, _, _ in found("courselist=SCI&customersupport=SCI")] == [
        "support_unmarked",
        "courses",
    ]
    assert [code for _, code, _, _ in found("courselist=SCI&customersupport=HELP")] == ["courses"]


def test_a_bad_string_is_an_error_for_each_key_and_nothing_else_is_looked_at() -> None:
    assert [(level, code, key) for level, code, _, key in found("pcksize=3&duration=0")] == [
        ("error", "params", "pcksize"),
        ("error", "params", "duration"),
    ]


def test_an_end_in_the_past_is_an_error() -> None:
    make_course("SCI")
    assert found("courselist=SCI&enddate=2026-01-01")[0] == (
        "error",
        "period",
        "The end (2026-01-02 00:00) is not after the start (2026-11-20 10:00).",
        "enddate",
    )


def test_a_renewable_item_without_an_end_says_what_it_gives() -> None:
    make_course("SCI")
    year = (
        "info",
        "renewable_year",
        "Renewable without an end: access ends 365 calendar days after a seat was given.",
        "",
    )
    assert year in found("courselist=SCI", renewable=True)
    assert year not in found("courselist=SCI&duration=30", renewable=True)
    assert year not in found("courselist=SCI&endtime=2027-07-31", renewable=True)
    assert year not in found("courselist=SCI")


def test_check_asks_as_few_questions_for_many_courses_as_for_one(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    for number in range(30):
        make_course(f"C{number:02}")
    params = "courselist=" + ",".join(f"C{number:02}*" for number in range(30))
    with django_assert_num_queries(1):
        found(params)


# --- the shop ---------------------------------------------------------------------------------------


def test_it_can_be_bought_while_a_course_is_open_for_it() -> None:
    course = make_course("SCI")
    assert HANDLER.is_available(make_offer("courselist=SCI"), None)
    course.visible = False
    course.save()
    refused = HANDLER.is_available(make_offer("courselist=SCI"), None)
    assert not refused
    assert refused.reason == "No course is open for these seats for now."


def test_it_cannot_be_bought_when_its_end_has_passed_or_its_string_is_bad() -> None:
    make_course("SCI")
    over = HANDLER.is_available(make_offer("courselist=SCI&endtime=2020-01-01"), None)
    assert over.reason == "The period of this item is over."
    assert HANDLER.is_available(make_offer("x=1"), None).reason == "This item is not available for now."


def test_a_line_has_at_most_a_million_seats() -> None:
    assert HANDLER.quantity_limit(make_offer("packsize=10")) == 100_000
    assert HANDLER.quantity_limit(make_offer("packsize=300000")) == 3
    assert HANDLER.quantity_limit(make_offer()) == 1_000_000


# --- deliver ----------------------------------------------------------------------------------------


def pool() -> SeatPool:
    return SeatPool.objects.get()


def test_it_delivers_quantity_times_packsize_seats() -> None:
    account = make_account()
    purchase = make_purchase("courselist=SPOC%,SCI&packsize=10", account_id=account.pk, quantity=3)
    delivery = HANDLER.deliver(purchase)
    assert delivery.delivered == Delivered(seats=30)
    assert Seat.objects.filter(account=account).count() == 30
    made = pool()
    assert (made.line_key, made.account, made.size) == (LINE, account, 30)
    assert (made.item_code, made.item_name, made.bill_number) == ("SEATS", "Ten seats", "CMD-2026-000007")
    assert (made.courselist, made.supervisor, made.renewable) == ("SPOC*,SCI", "teacher", False)
    assert (made.assign_before, made.access_seconds, made.access_ends_at) == (None, None, None)
    assert made.purchased_at == PURCHASED


def test_delivering_again_changes_nothing() -> None:
    purchase = make_purchase("packsize=10")
    first = HANDLER.deliver(purchase)
    references = list(Seat.objects.order_by("id").values_list("reference", flat=True))
    assert HANDLER.deliver(purchase) == first
    assert list(Seat.objects.order_by("id").values_list("reference", flat=True)) == references
    assert SeatPool.objects.count() == 1


@pytest.mark.parametrize(
    ("params", "assign_before", "access_seconds", "access_ends_at"),
    [
        ("duration=30", None, 2_592_000, None),
        ("endtime=7D+10H", None, 640_800, None),
        ("endtime=2027-07-31", None, None, "2027-08-01T00:00:00+02:00"),
        ("endtime=1798761600", None, None, "2027-01-01T01:00:00+01:00"),
        ("validity=180", "2027-05-19T11:00:00+02:00", None, None),
        ("validity=1&duration=1", "2026-11-21T10:00:00+01:00", 86_400, None),
        ("validity=1&endtime=2027-07-31", "2026-11-21T10:00:00+01:00", None, "2027-08-01T00:00:00+02:00"),
    ],
)
def test_validity_and_access_are_kept_apart(
    params: str, assign_before: str | None, access_seconds: int | None, access_ends_at: str | None
) -> None:
    HANDLER.deliver(make_purchase(params))
    made = pool()
    expected = [instant and datetime.fromisoformat(instant) for instant in (assign_before, access_ends_at)]
    assert [made.assign_before, made.access_ends_at] == expected
    assert made.access_seconds == access_seconds


def test_a_renewable_line_without_an_end_leaves_the_year_to_its_seats() -> None:
    HANDLER.deliver(make_purchase(renewable=True))
    made = pool()
    assert (made.renewable, made.access_seconds, made.access_ends_at) == (True, None, None)


def test_the_heartbeat_is_handed_on() -> None:
    beats: list[int] = []
    HANDLER.deliver(make_purchase(run_heartbeat=lambda: beats.append(1)))
    assert beats == [1]


@pytest.mark.parametrize(
    ("params", "quantity", "field"),
    [
        ("packsize=1000000", 2, "packsize"),
        ("packsize=3", 0, "packsize"),
        ("endtime=2026-01-01", 1, "endtime"),
    ],
)
def test_what_cannot_be_delivered_fails_for_good_and_makes_nothing(
    params: str, quantity: int, field: str
) -> None:
    with pytest.raises(HandlerError) as caught:
        HANDLER.deliver(make_purchase(params, quantity=quantity))
    assert (caught.value.permanent, caught.value.field) == (True, field)
    assert not SeatPool.objects.exists()
    assert not Seat.objects.exists()


def test_a_line_that_is_known_with_another_number_fails_for_good() -> None:
    account = make_account()
    HANDLER.deliver(make_purchase(account_id=account.pk, quantity=2))
    with pytest.raises(HandlerError) as caught:
        HANDLER.deliver(make_purchase(account_id=account.pk, quantity=3))
    assert caught.value.permanent
    assert Seat.objects.count() == 2


def test_a_frozen_string_that_is_no_longer_sound_fails_for_good_and_names_the_key() -> None:
    with pytest.raises(HandlerError) as caught:
        HANDLER.typed("packsize=0")
    assert (caught.value.permanent, caught.value.field) == (True, "packsize")
    assert str(caught.value) == "packsize: Write a whole number from 1 to 1000000."


# --- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "public", "sales"),
    [
        (1, "1 seat is ready to be given.", "1 seat of “Ten seats” was made for order CMD-2026-000007."),
        (
            3,
            "3 seats are ready to be given.",
            "3 seats of “Ten seats” were made for order CMD-2026-000007.",
        ),
    ],
)
def test_the_feedback_is_put_into_words_when_it_is_read(quantity: int, public: str, sales: str) -> None:
    stored = HANDLER.deliver(make_purchase(quantity=quantity)).feedback.as_json()
    with translation.override("en"):
        assert say("generateseats", stored["public"]) == public
        assert say("generateseats", stored["sales"]) == sales
        assert "My seats" in say("generateseats", stored["private"])


def test_feedback_survives_storage() -> None:
    feedback = HANDLER.deliver(make_purchase()).feedback
    assert Feedback.from_json(feedback.as_json()) == feedback
    data: dict[str, str | int] = {"seats": 1, "item": "Ten seats", "order": "CMD-2026-000007"}
    assert feedback.public == Message("ready", data)


def test_feedback_of_a_handler_that_is_gone_says_nothing() -> None:
    assert say("gone", {"code": "ready", "data": {"seats": 1}}) == ""
