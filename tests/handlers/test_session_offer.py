"""`setuponecoursesession` before the sale: what the shop admin is told, and who may buy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from courses.models import Course
from handlers.contract import Availability, Objection, SeatMode, Wish
from tests.accounts.factories import make_account, make_person
from tests.handlers.factories import PURCHASED, make_offer
from tests.handlers.sessions import HANDLER, named, spoc

pytestmark = pytest.mark.django_db


def offer(params: str = "coursename=SPOC", **fields: Any) -> Any:
    return make_offer(params, **({"seat_mode": SeatMode.QUANTITY} | fields))


def found(params: str = "coursename=SPOC", **fields: Any) -> list[tuple[str, str, str, str]]:
    findings = HANDLER.check(offer(params, **fields), at=PURCHASED)
    return [(one.level, one.code, one.message, one.key) for one in findings]


def test_a_sound_item_has_nothing_to_say():
    spoc()
    assert found("coursename=SPOC&duration=180&role=student&supervisor=teacher&enrolname=manual") == []
    assert HANDLER.is_available(offer(), make_account().pk) == Availability()
    assert HANDLER.courses(HANDLER.typed("coursename=SPOC")) == [Course.objects.get()]


def test_a_missing_course_is_an_error_with_its_key():
    assert found("role=student") == [("error", "params", "This field is required.", "coursename")]


OVER = timezone.now() - timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"is_template": True}, "course_template", "SPOC is a template."),
        ({"is_space": True}, "course_space", "SPOC is a customer's course space."),
        ({"closed_at": OVER}, "course_closed", "SPOC is closed."),
        ({"ends_at": OVER}, "course_ended", "SPOC has ended."),
        ({"missing_since": OVER}, "course_missing", "SPOC is no longer on the course platform."),
        (
            {"takes_enrolments": False},
            "course_no_enrolments",
            "SPOC takes no enrolments: add “Manual enrolments” to it on the course platform.",
        ),
    ],
)
def test_a_course_that_nobody_can_be_put_into_is_an_error(fields: dict[str, Any], code: str, message: str):
    spoc(**fields)
    assert found() == [("error", code, message, "coursename")]
    assert HANDLER.is_available(offer(), None).reason == "The course of this item is not open for now."


def test_a_course_that_does_not_exist_is_an_error():
    assert found("coursename=NONE") == [
        ("error", "course_unknown", "There is no course with the short name NONE.", "coursename")
    ]
    assert not HANDLER.is_available(offer("coursename=NONE"), None)


@pytest.mark.parametrize("key", ["role", "supervisor"])
def test_a_role_that_the_platform_has_not_is_an_error_with_its_key(key: str):
    spoc()
    message = "The course platform has no role boss. It has: student, teacher, editingteacher, courseowner, customer."
    assert found(f"coursename=SPOC&{key}=boss") == [("error", "role_unknown", message, key)]
    refused = HANDLER.is_available(offer(f"coursename=SPOC&{key}=boss"), None)
    assert refused.reason == "This item is not available for now."


@pytest.mark.parametrize("mode", ["none", "visible"])
def test_a_course_without_separate_groups_is_a_warning(mode: str):
    spoc(groups_mode=mode)
    message = "SPOC does not use separate groups: its sessions see each other."
    assert found() == [("warning", "groups_not_separate", message, "coursename")]
    assert HANDLER.is_available(offer(), None)


def test_roles_that_see_every_group_are_a_warning():
    spoc()
    message = "Whoever has the role editingteacher sees all groups of the course and may change it."
    assert found("coursename=SPOC&supervisor=editingteacher") == [
        ("warning", "role_edits", message, "supervisor")
    ]


def test_a_hidden_course_is_a_warning_and_can_be_sold():
    spoc(visible=False)
    message = "SPOC is hidden: nobody gets in before it is shown."
    assert found() == [("warning", "course_hidden", message, "coursename")]
    assert HANDLER.is_available(offer(), None)


def test_a_course_that_is_not_for_unassigned_seats_is_for_sessions():
    spoc(not_for_seats=True)
    assert found() == []


@pytest.mark.parametrize("roles", ["boss", ","])
def test_the_roles_offered_are_learner_and_tutor(roles: str):
    spoc()
    message = "The roles are learner and tutor, comma separated."
    assert found(f"coursename=SPOC&requiredroles={roles}") == [("error", "params", message, "requiredroles")]


def test_an_end_before_the_start_is_an_error_with_its_key():
    spoc()
    message = "The end (2027-01-02 00:00) is not after the start (2027-02-01 00:00)."
    assert found("coursename=SPOC&startdate=2027-02-01&enddate=2027-01-01") == [
        ("error", "period", message, "enddate")
    ]


def test_a_period_that_is_over_is_not_for_sale():
    spoc()
    over = HANDLER.is_available(offer("coursename=SPOC&endtime=2020-01-01"), None)
    assert over.reason == "The period of this item is over."


# --- who may be named ---------------------------------------------------------------------------------


def objections(params: str, *people: str, buyer_id: int | None = None) -> list[Objection]:
    wish = Wish(None, buyer_id, len(people), named(*people))
    return list(HANDLER.check_purchase(offer(params), wish))


def test_both_roles_are_offered_by_default():
    spoc()
    assert objections("coursename=SPOC", "ada@a.example", "tom@a.example tutor") == []


def test_nobody_is_named_in_a_role_that_is_not_offered():
    spoc()
    assert objections("coursename=SPOC&requiredroles=learner", "ada@a.example", "tom@a.example tutor") == [
        Objection("Nobody can be named as a tutor for this item.", 1, "role")
    ]
    assert objections("coursename=SPOC&requiredroles=tutor", "ada@a.example", "tom@a.example tutor") == [
        Objection("Nobody can be named as a learner for this item.", 0, "role")
    ]


def test_a_buyer_who_tutors_cannot_learn_in_the_same_session():
    spoc()
    buyer = make_person(email="Bob@a.example")
    params = "coursename=SPOC&autoenrolsupervisor=1"
    assert objections(params, "ada@a.example", "bob@A.example", buyer_id=buyer.pk) == [
        Objection("The buyer tutors this session and cannot learn in it too.", 1, "email")
    ]
    assert objections(params, "bob@A.example tutor", buyer_id=buyer.pk) == []
    assert objections("coursename=SPOC", "bob@A.example", buyer_id=buyer.pk) == []


def test_nothing_is_objected_to_an_item_that_cannot_be_read():
    assert objections("x=1", "ada@a.example") == []
