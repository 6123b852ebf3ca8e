"""The seats of a session: free ones go into its course and nowhere else, with its roles, dates and group."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import CustomerAccount
from common.audit import OPERATOR
from courses.models import Course
from seats.models import Assignment, AssignmentBatch, Seat, SeatPool, Session
from seats.selectors import (
    SeatFilter,
    assignable_courses,
    batch_rows,
    covering_pools,
    covers,
    every_seat,
    find_session,
    pool_counts,
    sessions_of,
)
from seats.services import Refused, SessionDone, discard, release, replace, set_up_session
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, give, make_pool, plan_list, planned, states, told
from tests.seats.sessions import enrolled, members, ordered, seated

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course("SPOC")


@pytest.fixture
def order(account, course):
    """A session for three, of whom one was enrolled already: her seat is free."""
    make_enrolment(course, make_person(email="eve@x.org"))
    order = ordered(
        course, "ada@x.org", "eve@x.org", "tom@x.org tutor", account=account, supervisor="editingteacher"
    )
    set_up_session(order)
    return order


# --- free seats ---------------------------------------------------------------------------------------


def test_a_free_seat_of_a_session_is_given_in_its_course_with_its_dates_and_group(account, course, order):
    assert states(account) == {"assigned": 2, "free": 1}
    given = give(account, course, "ben@x.org")
    assert (given.seat.ordinal, given.role, given.group_name) == (2, "student", order.bill_number)
    assert (given.starts_at > order.starts_at, given.ends_at) == (True, order.ends_at)
    assert members(course, order.bill_number) == ["ada@x.org", "ben@x.org", "eve@x.org", "tom@x.org"]


def test_it_may_go_into_no_other_course(account, course, order):
    other = make_course("OTHER")
    [row] = apply(plan_list(account, other, "ben@x.org"))
    assert (row.verdict, row.outcome) == ("not_allowed", "refused")
    assert [(one.shortname, one.free) for one in assignable_courses(account.pk)] == [("SPOC", 1)]


@pytest.mark.parametrize("name", ["SPOC*", "A,B", "*"])
def test_a_sign_of_course_lists_in_a_short_name_means_nothing(account, name: str):
    # Such names come from remote platforms; here they are refused.
    course = make_course(name)
    for other in ("SPOC1", "A", "B"):
        make_course(other)
    make_enrolment(course, make_person(email="eve@x.org"))
    set_up_session(ordered(course, "eve@x.org", account=account))
    assert [one.shortname for one in assignable_courses(account.pk)] == [name]
    pools = pool_counts(account.pk)
    covered = [one.shortname for one in Course.objects.all() if covering_pools(pools, one)]
    assert covered == [name]
    assert covers(SeatPool.objects.get(), course)


def test_its_course_need_not_be_open_to_unassigned_seats(account, order):
    Course.objects.update(not_for_seats=True)
    course = Course.objects.get()
    assert [(one.shortname, one.free) for one in assignable_courses(account.pk)] == [("SPOC", 1)]
    assert give(account, course, "ben@x.org").seat.ordinal == 2
    make_pool(account, 5)
    assert assignable_courses(account.pk) == []


def test_a_course_that_is_closed_takes_nobody(account, order):
    Course.objects.update(closed_at=timezone.now())
    assert assignable_courses(account.pk) == []
    [row] = apply(plan_list(account, Course.objects.get(), "ben@x.org"))
    assert row.verdict == "not_allowed"


def test_seats_of_a_session_are_taken_before_those_that_fit_more_courses(account, course, order):
    make_pool(account, 1, courselist="SP*")
    make_pool(account, 1)
    pools = covering_pools(pool_counts(account.pk), course)
    assert [pool.item_code for pool in pools] == ["SPOCM1", "SEATS", "SEATS"]
    assert [pool.courselist for pool in pools] == ["SPOC", "SP*", ""]


def test_a_tutor_who_is_given_a_free_seat_has_the_sessions_role(account, course, order):
    release(reference=Seat.objects.get(ordinal=3).reference, account_id=account.pk, actor=OPERATOR)
    batch = plan_list(account, course, "kim@x.org")
    batch.rows.update(role="tutor")
    assert told(apply(batch)) == [("new_account", "assigned")]
    assert ("kim@x.org", "editingteacher") in enrolled(course)


def test_learners_have_the_sessions_role_too(account, course):
    make_enrolment(course, make_person(email="eve@x.org"))
    set_up_session(ordered(course, "eve@x.org", account=account, learner="customer"))
    assert give(account, course, "ben@x.org").role == "customer"


def test_a_seat_given_before_the_session_starts_starts_with_it(account, course):
    make_enrolment(course, make_person(email="eve@x.org"))
    starts = timezone.now() + timedelta(days=10)
    set_up_session(ordered(course, "eve@x.org", account=account, starts_at=starts))
    assert give(account, course, "ben@x.org").starts_at == starts


def test_a_person_of_a_session_is_replaced_within_its_dates(account, course, order):
    reference = Seat.objects.get(ordinal=1).reference
    new = replace(reference=reference, account_id=account.pk, email="ben@x.org", actor=OPERATOR)
    assert (new.role, new.group_name, new.ends_at) == ("student", order.bill_number, order.ends_at)
    assert members(course, order.bill_number) == ["ben@x.org", "eve@x.org", "tom@x.org"]
    Course.objects.update(closed_at=timezone.now())
    with pytest.raises(Refused) as refusal:
        replace(reference=reference, account_id=account.pk, email="cy@x.org", actor=OPERATOR)
    assert refusal.value.code == "not_allowed"


def test_free_seats_end_with_the_session(account, order):
    with time_machine.travel(order.ends_at + timedelta(seconds=1)):
        assert states(account) == {"expired": 3}


# --- set up -------------------------------------------------------------------------------------------


def test_what_was_done_is_told_the_same_again(order):
    done = set_up_session(order)
    session = Session.objects.get()
    assert done == SessionDone(
        reference=session.reference, seats=3, enrolled=2, created=2, already=1, tutor=False, shared=0,
        shared_groups=(),
    )  # fmt: skip
    assert seated(order) == [(1, "ada@x.org"), (2, ""), (3, "tom@x.org")]


def test_done_again_after_seats_changed_hands_nothing_changes(account, order):
    release(reference=Seat.objects.get(ordinal=1).reference, account_id=account.pk, actor=OPERATOR)
    before = list(Assignment.objects.order_by("id").values())
    set_up_session(order)
    assert list(Assignment.objects.order_by("id").values()) == before
    assert seated(order) == [(1, ""), (2, ""), (3, "tom@x.org")]


def test_a_line_belongs_to_one_account_and_has_its_number_of_people(order, course):
    for wrong in ({"account_id": make_account().pk}, {"people": order.people[:2]}):
        with pytest.raises(ValueError, match=f"Line {order.line_key} has 3 seats of account"):
            set_up_session(ordered(course, **({"line_key": order.line_key, "account_id": order.account_id,
                                               "people": order.people} | wrong)))  # fmt: skip
    assert Seat.objects.count() == 3


def test_a_line_of_unassigned_seats_is_no_session(account, course):
    pool = make_pool(account, 1)
    with pytest.raises(ValueError, match="has 1 seats"):
        set_up_session(ordered(course, "ada@x.org", account=account, line_key=pool.line_key))


def test_a_line_without_a_session_has_seats_and_no_reference(account, course):
    done = set_up_session(ordered(course, "ada@x.org", account=account, is_session=False))
    assert (done.reference, done.seats) == ("", 1)
    assert Session.objects.count() == 0
    assert [seat.session for seat in every_seat(account.pk, SeatFilter())] == [None]


def test_its_list_of_people_is_one_that_the_account_can_look_at(account, order):
    batch = AssignmentBatch.objects.get()
    assert (batch.state, batch.source, batch.size) == ("applied", "order", 3)
    assert planned(batch) == ["existing_account"] * 3
    with translation.override("en"):
        page = batch_rows(batch.pk)
    assert [(row.email, row.verdict, row.differs) for row in page.rows] == [
        ("ada@x.org", "will_be_invited", False),
        ("eve@x.org", "already_enrolled", True),
        ("tom@x.org", "will_be_invited", False),
    ]
    assert page.rows[1].message == "Already enrolled in this course, with no end date: no seat is used."
    with pytest.raises(Refused):
        discard(batch_id=batch.pk, actor=OPERATOR)


# --- selectors ----------------------------------------------------------------------------------------


def test_seats_name_their_session(account, order):
    make_pool(account, 1)
    reference = Session.objects.get().reference
    assert [seat.session for seat in every_seat(account.pk, SeatFilter())] == [reference] * 3 + [None]


def test_the_sessions_of_an_account_oldest_first(account, course, order, django_assert_num_queries):
    second = ordered(
        course, "zoe@x.org", account=account, purchased_at=order.purchased_at + timedelta(minutes=1)
    )
    set_up_session(second)
    set_up_session(ordered(course, "someone@else.example"))
    make_pool(account, 1)
    pool_counts(account.pk)
    with django_assert_num_queries(4):  # in a test the figures are not cached
        rows = sessions_of(account.pk)
    assert [(row.group, row.pool.states) for row in rows] == [
        (order.bill_number, {"assigned": 2, "free": 1}),
        (second.bill_number, {"assigned": 1}),
    ]
    first = rows[0]
    assert (first.course, first.course_name, first.starts_at, first.ends_at) == (
        "SPOC", course.fullname, order.starts_at, order.ends_at,
    )  # fmt: skip


def test_a_session_is_found_by_its_reference_by_its_account_only(account, order):
    reference = Session.objects.get().reference
    assert find_session(reference).reference == reference
    assert find_session(reference, account_id=account.pk).pool.bought == 3
    with pytest.raises(Session.DoesNotExist):
        find_session(reference, account_id=make_account().pk)
