"""The pages' reads: right, and the same number of queries whatever the number of seats."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomerAccount
from common.audit import OPERATOR
from seats.models import Assignment, Seat
from seats.selectors import (
    SeatFilter,
    SeatState,
    assignable_courses,
    every_seat,
    find_seat,
    given_to,
    pool_counts,
    seat_history,
    seat_list,
)
from seats.services import record_opening, release, replace
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import apply, end_of, give, make_pool, plan_list, references, sitter_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


def emails(page) -> list[str | None]:
    return [row.sitter.email if row.sitter else None for row in page.rows]


class TestSeatList:
    def test_seats_are_listed_in_the_order_they_were_made_with_who_sits_in_them(self, account):
        course = make_course("EXCEL")
        pool = make_pool(account, 3)
        make_pool(make_account(), 2)
        give(account, course, "ada@example.org")

        page = seat_list(account.pk)

        assert [row.reference for row in page.rows] == references(pool)
        first, second, _third = page.rows
        assert (first.state, sitter_of(first).email, sitter_of(first).course, sitter_of(first).group) == (
            SeatState.ASSIGNED,
            "ada@example.org",
            "EXCEL",
            pool.bill_number,
        )
        assert (second.state, second.sitter) == (SeatState.FREE, None)
        assert (first.can_be_taken_back, second.can_be_taken_back) == (True, False)
        assert page.total == 3

    def test_filters_by_state_course_pool_and_person(self, account):
        excel, word = make_course(), make_course()
        first, second = make_pool(account, 2), make_pool(account, 2)
        apply(plan_list(account, excel, "ada@example.org", "bob@example.org"))
        started = give(account, word, "eve@example.org")
        record_opening(person_id=started.holder_id, course_id=word.pk)

        def found(**filters) -> list[str | None]:
            return emails(seat_list(account.pk, filters=SeatFilter(**filters)))

        assert found(state=SeatState.CONSUMED) == ["eve@example.org"]
        assert found(state=SeatState.FREE) == [None]
        assert found(course_id=excel.pk) == ["ada@example.org", "bob@example.org"]
        assert found(pool_id=second.pk) == ["eve@example.org", None]
        assert found(query="BOB example") == ["bob@example.org"]
        assert found(query="doe", course_id=word.pk) == ["eve@example.org"]
        assert found(query="doe", pool_id=first.pk) == ["ada@example.org", "bob@example.org"]
        assert found(query="nobody") == []
        assert seat_list(account.pk, filters=SeatFilter(state=SeatState.ASSIGNED)).total == 2

    def test_whoever_was_replaced_or_taken_back_is_history(self, account):
        course = make_course()
        make_pool(account, 1)
        given = give(account, course, "ada@example.org")
        replace(reference=given.seat.reference, account_id=account.pk, email="bob@x.org", actor=OPERATOR)

        assert emails(seat_list(account.pk)) == ["bob@x.org"]
        assert emails(seat_list(account.pk, filters=SeatFilter(query="ada"))) == []
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)
        assert emails(seat_list(account.pk)) == [None]

    def test_an_expired_seat_still_tells_who_sat_in_it(self, account):
        course = make_course()
        make_pool(account, 2, access_seconds=3600)
        given = give(account, course, "ada@example.org")

        with time_machine.travel(end_of(given) + timedelta(minutes=1)):
            by_date = find_seat(given.seat.reference)
            assert (by_date.state, sitter_of(by_date).email) == (SeatState.EXPIRED, "ada@example.org")
            give(account, course, "ada@example.org")  # which ends the old one
            ended = find_seat(given.seat.reference)
            assert (ended.state, sitter_of(ended).email) == (SeatState.EXPIRED, "ada@example.org")

    def test_pages_are_within_bounds(self, account):
        pool = make_pool(account, 7)

        page = seat_list(account.pk, page=2, per_page=3)
        assert ([row.reference for row in page.rows], page.pages) == (references(pool)[3:6], 3)
        assert seat_list(account.pk, page=99, per_page=3).number == 3
        assert seat_list(account.pk, page=-1, per_page=3).number == 1
        assert seat_list(make_account().pk).rows == []

    def test_every_seat_goes_through_all_pages(self, account):
        pool = make_pool(account, 7)

        assert [row.reference for row in every_seat(account.pk, SeatFilter(), chunk=3)] == references(pool)

    def test_a_seat_of_another_account_does_not_exist(self, account):
        foreign = make_pool(make_account(), 1)

        with pytest.raises(Seat.DoesNotExist):
            find_seat(references(foreign)[0], account_id=account.pk)
        with pytest.raises(Seat.DoesNotExist):
            seat_history(references(foreign)[0], account_id=account.pk)


class TestAssignableCourses:
    def test_courses_that_free_seats_cover_with_how_many(self, account):
        make_course("EXCEL1", fullname="A")
        make_course("WORD", fullname="B")
        make_course("SPACE", fullname="C", is_space=True)
        make_pool(account, 3, courselist="EXCEL*")
        make_pool(account, 2)
        make_pool(make_account(), 9)

        assert [(one.shortname, one.free) for one in assignable_courses(account.pk)] == [
            ("EXCEL1", 5),
            ("WORD", 2),
        ]

    def test_without_a_free_seat_there_is_none(self, account):
        course = make_course()
        make_pool(account, 1)
        give(account, course, "ada@example.org")

        assert assignable_courses(account.pk) == []


class TestWhatWasGiven:
    def test_only_by_this_account_newest_first(self, account):
        other = make_account()
        make_pool(account, 3)
        make_pool(other, 1)
        excel, word = make_course("EXCEL"), make_course("WORD")
        first = give(account, excel, "ada@example.org")
        give(account, word, "ada@example.org")
        give(other, make_course(), "ada@example.org")
        release(reference=first.seat.reference, account_id=account.pk, actor=OPERATOR)

        given = given_to(account.pk, [first.holder_id, 10**9])

        assert list(given) == [first.holder_id]
        assert [(one.course, one.state, one.end_reason) for one in given[first.holder_id]] == [
            ("WORD", "assigned", ""),
            ("EXCEL", "ended", "taken_back"),
        ]


def test_the_history_of_a_seat_has_every_step(account):
    course = make_course("EXCEL")
    make_pool(account, 1)
    given = give(account, course, "ada@example.org")
    new = replace(reference=given.seat.reference, account_id=account.pk, email="bob@x.org", actor=OPERATOR)
    record_opening(person_id=new.holder_id, course_id=course.pk)

    steps = seat_history(given.seat.reference, account_id=account.pk)

    assert [(step.step, step.email, step.reason) for step in steps] == [
        ("made", "", ""),
        ("given", "ada@example.org", ""),
        ("ended", "ada@example.org", "replaced"),
        ("given", "bob@x.org", ""),
        ("opened", "bob@x.org", ""),
    ]
    assert steps[1].by == "operator"


@pytest.mark.django_db(transaction=True)
def test_queries_are_the_same_for_10_1000_and_10000_seats(account):
    """Counted warm, as a page that is looked at is; `bench` does it with 100,000."""
    course = make_course()
    counted = []
    for size in (10, 990, 9_000):
        make_pool(account, size)
        apply(plan_list(account, course, *(f"p{size}.{n}@x.org" for n in range(5))))
        pools = pool_counts(account.pk)
        numbers = []
        for read in (
            lambda: pool_counts(account.pk),
            lambda: seat_list(account.pk),
            lambda pools=pools: seat_list(account.pk, pools=pools),
            lambda: seat_list(account.pk, filters=SeatFilter(state=SeatState.FREE), page=10**6),
            lambda: seat_list(account.pk, filters=SeatFilter(query="p10.", course_id=course.pk)),
            lambda: assignable_courses(account.pk),
        ):
            with CaptureQueriesContext(connection) as queries:
                read()
            numbers.append(len(queries))
        counted.append(numbers)

    assert counted == [[1, 3, 2, 2, 3, 2]] * 3
    assert Assignment.objects.count() == 15
