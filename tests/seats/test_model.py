"""Whatever is done in whatever order: seats are never lost, doubled or given twice, and enrolments follow."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.models import Person
from common.audit import OPERATOR
from courses.models import Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, Seat
from seats.selectors import pool_counts, seats_with_state
from seats.services import Refused, correct_address, record_opening, release, replace
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import apply, make_pool, plan_list

PEOPLE = [f"{name}@example.org" for name in ("ada", "bob", "eve", "joe")]
people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 5)


class Office(RuleBasedStateMachine):
    """Two organisations, two courses, six seats, four people; time only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()

    def teardown(self) -> None:
        """No example leaves anything to the next."""
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    @initialize()
    def open_the_shop(self) -> None:
        self.start = self.now = timezone.now()
        self.accounts = [make_account(), make_account()]
        self.courses = [make_course(), make_course()]
        make_pool(self.accounts[0], 2, access_seconds=10 * 86_400)
        make_pool(self.accounts[0], 2, courselist=self.courses[0].shortname)
        make_pool(self.accounts[1], 2)
        self.bought = 6

    @rule(account=numbers, course=numbers, listed=st.lists(people, min_size=1, max_size=4))
    def give(self, account: int, course: int, listed: list[str]) -> None:
        with self.clock():
            batch = plan_list(self.accounts[account % 2], self.courses[course % 2], *listed)
            rows = apply(batch)
        assert {row.outcome for row in rows} <= {"assigned", "unchanged", "refused"}
        assert [row.planned_verdict for row in rows] == [row.verdict for row in rows]

    @rule(seat=numbers)
    def take_back(self, seat: int) -> None:
        self.change(seat, lambda it: release(reference=it.reference, account_id=None, actor=OPERATOR))

    @rule(seat=numbers, email=people)
    def give_to_somebody_else(self, seat: int, email: str) -> None:
        self.change(
            seat, lambda it: replace(reference=it.reference, account_id=None, email=email, actor=OPERATOR)
        )

    @rule(seat=numbers, email=people)
    def correct(self, seat: int, email: str) -> None:
        self.change(
            seat,
            lambda it: correct_address(reference=it.reference, account_id=None, email=email, actor=OPERATOR),
        )

    @rule(seat=numbers)
    def open_course(self, seat: int) -> None:
        live = Assignment.objects.filter(ended_at=None).order_by("id")
        if found := list(live)[seat : seat + 1]:
            with self.clock():
                record_opening(person_id=found[0].holder_id, course_id=found[0].course_id)

    @rule(days=st.integers(1, 12))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def change(self, seat: int, verb) -> None:
        """A change that may be refused; a refusal changes nothing."""
        chosen = Seat.objects.order_by("id")[seat]
        before = self.picture()
        with self.clock():
            try:
                verb(chosen)
            except Refused:
                assert self.picture() == before

    def clock(self) -> time_machine.travel:
        self.now += timedelta(seconds=1)
        return time_machine.travel(self.now, tick=False)

    def picture(self) -> list[object]:
        models = (Assignment, Seat, Enrolment, GroupMember, Delegation, Person)
        return [list(model.objects.order_by("pk").values()) for model in models]

    @invariant()
    def states_add_up_to_what_was_bought(self) -> None:
        with self.clock():
            for account in self.accounts:
                counted = Counter(seats_with_state().filter(account=account).values_list("state", flat=True))
                told: Counter[str] = Counter()
                for pool in pool_counts(account.pk):
                    told.update(pool.states)
                assert told == counted
        assert Seat.objects.count() == self.bought

    @invariant()
    def nobody_sits_twice(self) -> None:
        live = list(Assignment.objects.filter(ended_at=None).values_list("seat", "person", "course"))
        assert len({seat for seat, _person, _course in live}) == len(live)
        assert len({(person, course) for _seat, person, course in live}) == len(live)

    @invariant()
    def whoever_sits_is_enrolled_and_nobody_else(self) -> None:
        running = Assignment.objects.filter(ended_at=None).exclude(ends_at__lte=self.now)
        enrolled = Enrolment.objects.all().holding(now=self.now)
        assert set(running.values_list("course", "person", "group_name")) == {
            (course, person, GroupMember.objects.get(group__course=course, person=person).group.name)
            for course, person in enrolled.values_list("course", "person")
        }

    @invariant()
    def no_seat_gave_a_course_it_does_not_cover(self) -> None:
        restricted = Assignment.objects.exclude(seat__pool__courselist="").select_related(
            "seat__pool", "course"
        )
        assert all(one.course.shortname == one.seat.pool.courselist for one in restricted)


@pytest.mark.django_db
def test_whatever_happens():
    run_state_machine_as_test(Office, settings=settings(max_examples=25, stateful_step_count=20))
