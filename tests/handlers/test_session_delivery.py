"""What a session delivers, and what it says; what only shows after opening fails for good and leaves nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from accounts.models import Invitation, Person
from accounts.services import NewPerson, ensure_people
from common.models import OutboxMail
from courses.models import Course, Enrolment, Group, GroupMember
from delegation.models import Delegation
from handlers.contract import Delivered, Feedback, HandlerError, Message, ParticipantEntry
from handlers.registry import say
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool, Session
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_enrolment, put_into_group
from tests.handlers.factories import PURCHASED
from tests.handlers.sessions import (
    HANDLER,
    NAME,
    SECOND_LINE,
    bought,
    deliver,
    enrolments,
    sitting,
    spoc,
)

pytestmark = pytest.mark.django_db
GROUP = ("CMD-2026-000007",)
WRITTEN = (
    Person, Invitation, OutboxMail, Enrolment, Group, GroupMember, Delegation,
    Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool, Session,
)  # fmt: skip


@pytest.fixture
def course() -> Course:
    return spoc(fullname="Getting to know Moodle")


def everything() -> dict[str, int]:
    """How many rows there are of all that a delivery writes."""
    return {model.__name__: model._default_manager.count() for model in WRITTEN}


# --- delivered ----------------------------------------------------------------------------------------


def test_the_rows_of_a_session(course):
    account, buyer = make_account(), make_person(language="fr")
    purchase = bought(
        "ada@a.example", "tom@a.example tutor",
        params="coursename=SPOC&duration=10", account=account, buyer=buyer, bill_number="CMD-5",
    )  # fmt: skip
    HANDLER.deliver(purchase)
    session, pool = Session.objects.get(), SeatPool.objects.get()
    ends = PURCHASED + timedelta(days=10)
    assert (session.account, session.line_key, session.pool, session.course, session.group_name) == (
        account, purchase.line_key, pool, course, "CMD-5",
    )  # fmt: skip
    assert (session.starts_at, session.ends_at) == (PURCHASED, ends)
    assert (pool.account, pool.size, pool.course, pool.courselist) == (account, 2, course, "SPOC")
    assert (pool.learner, pool.supervisor, pool.item_code, pool.bill_number) == (
        "student", "teacher", "SPOCM1", "CMD-5",
    )  # fmt: skip
    assert (pool.access_starts_at, pool.access_ends_at, pool.purchased_at) == (PURCHASED, ends, PURCHASED)
    assert list(
        Assignment.objects.order_by("id").values_list(
            "email", "role", "group_name", "state", "starts_at", "ends_at", "created_login", "created_by"
        )
    ) == [
        ("ada@a.example", "student", "CMD-5", "live", PURCHASED, ends, True, f"person:{buyer.pk}"),
        ("tom@a.example", "teacher", "CMD-5", "live", PURCHASED, ends, True, f"person:{buyer.pk}"),
    ]
    assert list(Person.objects.exclude(pk=buyer.pk).values_list("language", flat=True)) == ["fr", "fr"]
    assert set(Invitation.objects.values_list("invited_by", "account")) == {(buyer.pk, account.pk)}


def test_delivered_again_nothing_changes_and_the_answer_is_the_same(course):
    make_enrolment(course, make_person(email="eve@a.example"))
    purchase = bought("ada@a.example", "eve@a.example", "tom@a.example tutor")
    first = HANDLER.deliver(purchase)
    before = everything()
    assert HANDLER.deliver(purchase) == first
    assert everything() == before


def test_access_may_start_later_and_until_then_nobody_has_it(course):
    deliver("ada@a.example", params="coursename=SPOC&starttime=2036-01-07&endtime=2036-02-01")
    assignment = Assignment.objects.get()
    assert (assignment.starts_at.isoformat(), assignment.ends_at and assignment.ends_at.isoformat()) == (
        "2036-01-06T23:00:00+00:00",
        "2036-02-01T23:00:00+00:00",
    )


def test_two_lines_of_one_order_share_its_group(course):
    account = make_account()
    deliver("ada@a.example", account=account)
    deliver("ben@a.example", account=account, line_key=SECOND_LINE)
    assert [row[-1] for row in enrolments(course)] == [GROUP, GROUP]
    assert Group.objects.count() == 1


def test_the_run_keeps_its_lease(course):
    beats: list[int] = []
    HANDLER.deliver(bought("ada@a.example", run_heartbeat=lambda: beats.append(1)))
    assert beats == [1]


def test_a_chunk_is_500_people_and_the_run_keeps_its_lease_in_each(course):
    people = [f"p{number:04}@a.example" for number in range(1_001)]
    beats: list[int] = []
    delivery = HANDLER.deliver(bought(*people, run_heartbeat=lambda: beats.append(1)))
    assert delivery.delivered == Delivered(seats=1001, enrolments=1001, accounts_created=1001)
    assert beats == [1, 1, 1]
    assert sitting(SeatPool.objects.get()) == [
        (number, email, "student") for number, email in enumerate(people, start=1)
    ]


@pytest.mark.needs_postgresql
@pytest.mark.parametrize("known", [False, True])
def test_a_session_of_1000_is_delivered_with_at_most_80_statements(
    course, known: bool, django_assert_max_num_queries
):
    people = [f"p{number:04}@a.example" for number in range(1_000)]
    if known:
        ensure_people([NewPerson(email) for email in people])
    purchase = bought(*people, run_heartbeat=lambda: None)
    with django_assert_max_num_queries(80):
        assert HANDLER.deliver(purchase).delivered.enrolments == 1_000


# --- the buyer as a tutor -----------------------------------------------------------------------------


AUTO = "coursename=SPOC&autoenrolsupervisor=1&duration=10"


def test_the_buyer_tutors_too_without_a_seat_when_the_item_says_so(course):
    buyer = make_person(email="bob@a.example")
    delivery = deliver("ada@a.example", params=AUTO, buyer=buyer)
    ends = PURCHASED + timedelta(days=10)
    assert enrolments(course) == [
        ("ada@a.example", "student", PURCHASED, ends, GROUP),
        ("bob@a.example", "teacher", PURCHASED, ends, GROUP),
    ]
    assert delivery.delivered == Delivered(seats=1, enrolments=2, accounts_created=1)
    assert [row[:2] for row in sitting(SeatPool.objects.get())] == [(1, "ada@a.example")]


def test_a_buyer_who_is_named_as_a_tutor_has_his_seat_and_no_more(course):
    buyer = make_person(email="bob@a.example")
    delivery = deliver("ada@a.example", "bob@a.example tutor", params=AUTO, buyer=buyer)
    assert delivery.delivered == Delivered(seats=2, enrolments=2, accounts_created=1)


def test_a_tutoring_buyer_who_is_enrolled_already_keeps_his_dates_and_joins_the_group(course):
    held = make_enrolment(course, make_person(email="bob@a.example"), role="editingteacher")
    deliver("ada@a.example", params=AUTO, buyer=held.person)
    assert ("bob@a.example", "editingteacher", held.starts_at, None, GROUP) in enrolments(course)


# --- already enrolled ---------------------------------------------------------------------------------


def test_somebody_enrolled_already_joins_the_group_keeps_his_dates_and_his_seat_is_free(course):
    held = make_enrolment(
        course,
        make_person(email="eve@a.example"),
        starts_at=PURCHASED - timedelta(days=9),
        ends_at=timezone.now() + timedelta(days=3000),
    )
    put_into_group("older", held)
    account = make_account()
    delivery = deliver("ada@a.example", "EVE@a.example tutor", "ben@a.example", account=account)
    assert enrolments(course) == [
        ("ada@a.example", "student", PURCHASED, None, GROUP),
        ("ben@a.example", "student", PURCHASED, None, GROUP),
        ("eve@a.example", "student", held.starts_at, held.ends_at, (*GROUP, "older")),
    ]
    assert sitting(SeatPool.objects.get()) == [
        (1, "ada@a.example", "student"),
        (2, "", ""),
        (3, "ben@a.example", "student"),
    ]
    assert delivery.delivered == Delivered(seats=3, enrolments=2, accounts_created=2)
    assert Delegation.objects.filter(account=account, person=held.person, created_login=False).exists()
    # Nothing is new for her: no mail.
    assert not OutboxMail.objects.filter(to="eve@a.example").exists()
    row = AssignmentRow.objects.get(email="EVE@a.example")
    assert held.ends_at is not None
    assert (row.verdict, row.outcome) == ("already_enrolled", "unchanged")
    assert row.detail == {"ends": held.ends_at.isoformat()}


@pytest.mark.parametrize("state", ["suspended", "over"])
def test_an_enrolment_that_does_not_hold_is_renewed_and_takes_the_seat(course, state: str):
    past = timezone.now() - timedelta(days=30)
    held = make_enrolment(course, make_person(email="eve@a.example"), starts_at=past)
    changes: dict[str, Any] = (
        {"status": "suspended"} if state == "suspended" else {"ends_at": past + timedelta(1)}
    )
    Enrolment.objects.filter(pk=held.pk).update(**changes)
    delivery = deliver("eve@a.example")
    assert delivery.delivered == Delivered(seats=1, enrolments=1)
    assert enrolments(course) == [("eve@a.example", "student", PURCHASED, None, GROUP)]


def test_when_everybody_is_enrolled_already_all_seats_are_free(course):
    make_enrolment(course, make_person(email="eve@a.example"))
    delivery = deliver("eve@a.example")
    assert delivery.delivered == Delivered(seats=1)
    assert sitting(SeatPool.objects.get()) == [(1, "", "")]


# --- what is said -------------------------------------------------------------------------------------


def said(feedback: Feedback, language: str = "en") -> list[str]:
    with translation.override(language):
        messages = (feedback.public, feedback.private, feedback.sales)
        return [say(NAME, message.as_json()) for message in messages if message]


def test_the_feedback_names_the_session_its_dates_and_nobody(course):
    delivery = deliver("ada@a.example", "ben@a.example", params="coursename=SPOC&endtime=2027-07-31")
    session = f"The session {Session.objects.get().reference}"
    enrolled = "2 people are enrolled in “Getting to know Moodle”."
    dates = "Access starts on 20 November 2026 at 10:00 and lasts until 31 July 2027 inclusive."
    assert said(delivery.feedback) == [
        enrolled,
        f"{session} is set up: {enrolled} {dates}",
        f"{session} of order CMD-2026-000007 is set up: {enrolled}",
    ]
    assert "@" not in str(delivery.feedback.as_json())
    assert Feedback.from_json(delivery.feedback.as_json()) == delivery.feedback


def test_the_buyer_is_told_of_people_who_needed_no_seat(course):
    make_enrolment(course, make_person(email="eve@a.example"))
    public, private, _sales = said(deliver("ada@a.example", "eve@a.example").feedback)
    free = "1 person was enrolled before: their dates stay as they are, and their seat is free for somebody else in "
    assert public == f"2 people are enrolled in “Getting to know Moodle”. {free}this course."
    assert f"Access starts on 20 November 2026 at 10:00 and has no end. {free}this course." in private


def test_the_shop_is_warned_of_people_in_groups_of_two_customers(course):
    deliver("ada@a.example", "eve@a.example", bill_number="CMD-1")
    delivery = deliver("eve@a.example", "ben@a.example", bill_number="CMD-2", line_key=SECOND_LINE)
    *_others, sales = said(delivery.feedback)
    assert sales.endswith(" 1 person is in a group of another customer as well (CMD-1), and sees both.")
    assert delivery.feedback.private is not None
    assert "shared" not in delivery.feedback.private.data


def test_two_sessions_of_one_customer_are_no_reason_to_warn(course):
    account = make_account()
    deliver("eve@a.example", bill_number="CMD-1", account=account)
    delivery = deliver("eve@a.example", bill_number="CMD-2", line_key=SECOND_LINE, account=account)
    assert delivery.feedback.sales is not None
    assert delivery.feedback.sales.data["shared"] == 0


def test_whoever_stayed_in_a_group_after_his_access_ended_is_warned_of_too(course):
    deliver("eve@a.example", bill_number="CMD-1", params="coursename=SPOC&duration=1")
    past = timezone.now() - timedelta(days=1)
    Assignment.objects.update(starts_at=past - timedelta(days=1), ends_at=past)
    Enrolment.objects.update(starts_at=past - timedelta(days=1), ends_at=past)
    delivery = deliver("eve@a.example", bill_number="CMD-2", line_key=SECOND_LINE)
    assert delivery.delivered == Delivered(seats=1, enrolments=1)
    assert delivery.feedback.sales is not None
    assert (delivery.feedback.sales.data["shared"], delivery.feedback.sales.data["groups"]) == (1, "CMD-1")


# --- bad luck -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "field", "message"),
    [
        ({"closed_at": PURCHASED}, "coursename", "SPOC is closed."),
        ({"is_template": True}, "coursename", "SPOC is a template."),
        ({"shortname": "GONE"}, "coursename", "There is no course with the short name SPOC."),
    ],
)
def test_a_course_that_went_away_after_opening_fails_for_good_and_the_repair_completes(
    course, damage: dict[str, Any], field: str, message: str
):
    purchase = bought("ada@a.example", "ben@a.example")
    healthy = {name: getattr(course, name) for name in damage}
    Course.objects.update(**damage)
    before = everything()
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(purchase)
    assert (failed.value.permanent, failed.value.field, str(failed.value.message)) == (True, field, message)
    assert everything() == before
    Course.objects.update(**healthy)
    assert HANDLER.deliver(purchase).delivered == Delivered(seats=2, enrolments=2, accounts_created=2)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (("ada@a.example", "ADA@a.example"), "Participant 2: The same person is named twice."),
        (
            ("ada@a.example", "ada@a.example tutor"),
            "Participant 2: Nobody can be a learner and a tutor in the same session.",
        ),
        (("ada@a.example", "nobody"), "Participant 2: An e-mail address has an @ in it."),
        (("ada@a.example",), "Seats bought: 2. People named: 1."),
        (
            ("ada@a.example", "ben@a.example", "cy@a.example"),
            "Seats bought: 2. People named: 3.",
        ),
    ],
)
def test_people_who_cannot_be_seated_fail_for_good_with_nothing_half_made(
    course, people: tuple[str, ...], message: str
):
    before = everything()
    purchase = bought(*people, quantity=2, account=make_account())
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(purchase)
    assert (failed.value.permanent, failed.value.field) == (True, "participants")
    assert str(failed.value.message) == message
    assert everything() == before


def test_a_role_that_is_not_offered_fails_for_good(course):
    with pytest.raises(HandlerError) as failed:
        deliver("tom@a.example tutor", params="coursename=SPOC&requiredroles=learner")
    assert str(failed.value) == "participants: Participant 1: Nobody can be named as a tutor for this item."
    assert SeatPool.objects.count() == 0


def test_a_buyer_who_tutors_and_learns_fails_for_good(course):
    buyer = make_person(email="bob@a.example")
    with pytest.raises(HandlerError) as failed:
        deliver("BOB@a.example", params=AUTO, buyer=buyer)
    assert (
        str(failed.value)
        == "participants: Participant 1: The buyer tutors this session and cannot learn in it too."
    )


def test_a_period_that_is_over_fails_for_good(course):
    with pytest.raises(HandlerError) as failed:
        deliver("ada@a.example", params="coursename=SPOC&enddate=2026-11-01")
    assert (failed.value.permanent, failed.value.field) == (True, "endtime")
    assert SeatPool.objects.count() == 0


def test_a_line_known_with_other_people_fails_for_good(course):
    account = make_account()
    deliver("ada@a.example", account=account)
    with pytest.raises(HandlerError) as failed:
        deliver("ada@a.example", "ben@a.example", account=account)
    assert failed.value.permanent is True
    assert Seat.objects.count() == 1


def test_only_the_address_of_a_person_is_needed(course):
    purchase = bought("x@a.example", participants=(ParticipantEntry("x@a.example"),))
    HANDLER.deliver(purchase)
    person = Person.objects.get(email="x@a.example")
    assert (person.first_name, person.last_name, person.name_is_guess, person.name) == ("", "", True, "x")


def test_messages_are_kept_as_code_and_numbers(course):
    delivery = deliver("ada@a.example")
    reference = Session.objects.get().reference
    known: dict[str, str | int] = {
        "session": reference, "people": 1, "already": 0, "course": "Getting to know Moodle",
        "order": "CMD-2026-000007",
    }  # fmt: skip
    starts = PURCHASED.isoformat()
    assert delivery.feedback == Feedback(
        Message("ready", known),
        Message("ready_mail", known | {"starts": starts, "ends": ""}),
        Message("set_up", known | {"shared": 0, "groups": ""}),
    )
