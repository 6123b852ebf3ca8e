"""The state of a seat is a rule over rows and dates; the figures are right at every moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount
from common.audit import OPERATOR
from seats.models import Assignment, Seat
from seats.seatrow import SeatCounts
from seats.selectors import find_seat, pool_counts, total_counts
from seats.services import record_opening, release
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import end_of, give, make_pool, sitter_of, states

DAY = timedelta(days=1)
NOW = timezone.now()


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.mark.django_db
class TestTheRule:
    def test_an_unassigned_seat_is_free(self, account):
        make_pool(account, 2)

        assert states(account) == {"free": 2}

    def test_a_given_seat_is_assigned_until_the_course_is_opened_then_consumed(self, account):
        make_pool(account, 1)
        given = give(account, make_course(), "ada@example.org")
        assert states(account) == {"assigned": 1}

        record_opening(person_id=given.holder_id, course_id=given.course_id)

        assert states(account) == {"consumed": 1}

    def test_a_seat_a_job_is_at_is_reserved(self, account):
        make_pool(account, 1)
        give(account, make_course(), "ada@example.org")
        Assignment.objects.update(state=Assignment.State.RESERVED)

        assert states(account) == {"reserved": 1}

    def test_a_seat_whose_access_has_ended_is_expired_whether_or_not_expire_ran(self, account):
        make_pool(account, 1, access_seconds=3600)
        given = give(account, make_course(), "ada@example.org")
        record_opening(person_id=given.holder_id, course_id=given.course_id)

        with time_machine.travel(end_of(given) - timedelta(seconds=1)):
            assert states(account) == {"consumed": 1}
        with time_machine.travel(end_of(given) + timedelta(seconds=1)):
            assert states(account) == {"expired": 1}

    def test_an_unassigned_seat_expires_only_if_its_item_says_so(self, account):
        make_pool(account, 1)
        make_pool(account, 1, assign_before=NOW + DAY)
        make_pool(account, 1, access_ends_at=NOW + DAY)

        with time_machine.travel(NOW + 2 * DAY):
            assert states(account) == {"free": 1, "expired": 2}

    def test_a_given_seat_does_not_expire_because_it_could_no_longer_be_given(self, account):
        make_pool(account, 1, assign_before=NOW + DAY)
        give(account, make_course(), "ada@example.org")

        with time_machine.travel(NOW + 2 * DAY):
            assert states(account) == {"assigned": 1}

    def test_withdrawn_comes_before_everything(self, account):
        make_pool(account, 1)
        give(account, make_course(), "ada@example.org")
        Seat.objects.update(withdrawn_at=NOW, expired_at=NOW)

        assert states(account) == {"withdrawn": 1}

    def test_a_seat_taken_back_is_free_again(self, account):
        make_pool(account, 1)
        given = give(account, make_course(), "ada@example.org")

        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert states(account) == {"free": 1}

    def test_a_single_seat_tells_the_same_state(self, account):
        make_pool(account, 1)
        given = give(account, make_course(), "ada@example.org")

        seat = find_seat(given.seat.reference)

        assert (seat.state, sitter_of(seat).email) == ("assigned", "ada@example.org")


@pytest.mark.django_db
def test_counts_are_told_by_pool_with_the_terms_and_add_up(account):
    make_pool(account, 3, courselist="A*", bill_number="CMD-7")
    make_pool(account, 2)
    make_pool(make_account(), 9)
    give(account, make_course("ABC"), "ada@example.org")

    first, second = pool_counts(account.pk)

    assert (first.courselist, first.bill_number, first.states) == ("A*", "CMD-7", {"free": 2, "assigned": 1})
    assert (first.bought, first.free, first.counts) == (3, 2, SeatCounts(invited=1, free=2))
    assert second.states == {"free": 2}
    assert total_counts([first, second]) == SeatCounts(invited=1, free=4)


@pytest.mark.django_db(transaction=True)
class TestCachedFigures:
    def told(self, account):
        return [pool.states for pool in pool_counts(account.pk)]

    def test_warm_figures_cost_one_query_however_many_seats(self, account):
        make_pool(account, 50)
        pool_counts(account.pk)

        with CaptureQueriesContext(connection) as queries:
            [pool] = pool_counts(account.pk)

        assert pool.states == {"free": 50}
        assert len(queries) == 1
        assert "seats_" not in queries[0]["sql"]

    def test_they_are_right_immediately_after_every_change(self, account):
        make_pool(account, 2)
        course = make_course()
        assert pool_counts(account.pk)[0].states == {"free": 2}

        given = give(account, course, "ada@example.org")
        assert pool_counts(account.pk)[0].states == {"free": 1, "assigned": 1}
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)
        assert pool_counts(account.pk)[0].states == {"free": 2}
        given = give(account, course, "ada@example.org")
        record_opening(person_id=given.holder_id, course_id=course.pk)
        assert pool_counts(account.pk)[0].states == {"free": 1, "consumed": 1}
        make_pool(account, 1)
        assert [pool.bought for pool in pool_counts(account.pk)] == [2, 1]

    def test_they_end_at_the_next_date_that_changes_a_state(self, account):
        make_pool(account, 1, access_seconds=3600)
        given = give(account, make_course(), "ada@example.org")
        make_pool(account, 1, assign_before=NOW + 2 * DAY)
        assert self.told(account) == [{"assigned": 1}, {"free": 1}]

        with time_machine.travel(given.ends_at):
            assert self.told(account) == [{"expired": 1}, {"free": 1}]
        with time_machine.travel(NOW + 2 * DAY):
            assert self.told(account) == [{"expired": 1}, {"expired": 1}]
        assert self.told(account) == [{"assigned": 1}, {"free": 1}]

    def test_what_is_rolled_back_was_never_cached(self, account):
        make_pool(account, 1)
        course = make_course()

        with transaction.atomic():
            give(account, course, "ada@example.org")
            assert pool_counts(account.pk)[0].states == {"assigned": 1}
            transaction.set_rollback(True)
        # Another change now gets the stamp that was rolled back.
        make_pool(account, 1)

        assert [pool.states for pool in pool_counts(account.pk)] == [{"free": 1}, {"free": 1}]

    def test_a_lost_cache_costs_time_and_nothing_else(self, account):
        make_pool(account, 1)
        pool_counts(account.pk)
        cache.clear()

        with CaptureQueriesContext(connection) as queries:
            assert pool_counts(account.pk)[0].states == {"free": 1}

        assert len(queries) == 3
