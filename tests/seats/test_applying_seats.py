"""Applying a list: roles, dates, which seats are taken, starting it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount
from common import jobs
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Course, Enrolment, GroupMember
from seats.models import Assignment, AssignmentBatch, Seat
from seats.selectors import batch_rows
from seats.services import Refused, apply_here, run_apply, start_apply
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course
from tests.seats.factories import (
    Silent,
    apply,
    end_of,
    give,
    make_pool,
    people,
    plan_list,
    references,
    states,
    told,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


class TestRoles:
    def test_a_tutor_gets_the_role_the_item_names_and_takes_a_seat_too(self, account, course):
        make_pool(account, 2, supervisor="editingteacher")

        apply(plan_list(account, course, listed=people("tutor@x.org", role="tutor")))

        assert Enrolment.objects.get().role == "editingteacher"
        assert Assignment.objects.get().role == "editingteacher"
        assert states(account) == {"free": 1, "assigned": 1}

    def test_somebody_the_platform_refuses_has_failed_and_his_seat_is_free(self, account, course):
        make_pool(account, 2, supervisor="no such role")
        listed = people("tutor@x.org", role="tutor")

        rows = apply(plan_list(account, course, listed=listed))

        assert told(rows) == [("new_account", "failed")]
        assert rows[0].detail == {"reason": "unknown_role"}
        assert states(account) == {"free": 2}
        assert not Enrolment.objects.exists()
        assert not OutboxMail.objects.exists()
        assignment = Assignment.objects.get()
        assert (assignment.state, assignment.end_reason) == ("ended", "failed")

    def test_whoever_cannot_be_put_into_the_group_is_not_left_enrolled(self, account, course, monkeypatch):
        make_pool(account, 1, bill_number="CMD-1")
        monkeypatch.setattr("courses.builtin.platform.GROUP_NAME_LENGTH", 2)

        rows = apply(plan_list(account, course, "a@x.org"))

        assert told(rows) == [("new_account", "failed")]
        assert Enrolment.objects.get().status == "suspended"
        assert states(account) == {"free": 1}


class TestDates:
    def test_access_starts_with_the_assignment_and_ends_after_the_duration(self, account, course):
        make_pool(account, 1, access_seconds=7 * 86_400)

        with time_machine.travel(NOW + DAY, tick=False):
            given = give(account, course, "a@x.org")

        assert (given.starts_at, given.ends_at) == (NOW + DAY, NOW + 8 * DAY)

    def test_the_absolute_end_comes_first_when_it_is_earlier(self, account, course):
        make_pool(account, 1, access_seconds=7 * 86_400, access_ends_at=NOW + 2 * DAY)

        given = give(account, course, "a@x.org")

        assert given.ends_at == NOW + 2 * DAY

    def test_without_either_access_is_unlimited(self, account, course):
        make_pool(account, 1)

        assert give(account, course, "a@x.org").ends_at is None
        assert Enrolment.objects.get().ends_at is None


class TestWhichSeatsAreTaken:
    def taken(self, account, course, *emails):
        apply(plan_list(account, course, *emails))
        order = Assignment.objects.order_by("row__position")
        return list(order.values_list("seat__pool__item_name", "seat__ordinal"))

    def test_restricted_ones_first_then_those_that_match_fewer_courses(self, account):
        course = make_course("EXCEL1")
        make_course("EXCEL2")
        make_course("WORD")
        make_pool(account, 1, item_name="any")
        make_pool(account, 1, item_name="three", courselist="*")
        make_pool(account, 1, item_name="two", courselist="EXCEL*")
        make_pool(account, 1, item_name="one", courselist="EXCEL1,NOSUCH*")
        make_pool(account, 1, item_name="other", courselist="WORD")

        taken = self.taken(account, course, "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org")

        assert [name for name, _ordinal in taken] == ["one", "two", "three", "any"]

    def test_then_the_earliest_end_then_the_oldest(self, account, course):
        make_pool(account, 1, item_name="new", purchased_at=NOW)
        make_pool(account, 1, item_name="old", purchased_at=NOW - 5 * DAY)
        make_pool(account, 1, item_name="short", access_seconds=86_400)
        make_pool(account, 1, item_name="late", access_ends_at=NOW + 9 * DAY)
        make_pool(account, 1, item_name="soon", assign_before=NOW + DAY)

        taken = self.taken(account, course, "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org")

        assert [name for name, _ordinal in taken] == ["soon", "late", "short", "old", "new"]

    def test_inside_a_pool_in_the_order_they_were_made(self, account, course):
        make_pool(account, 3, item_name="pool")

        assert self.taken(account, course, "b@x.org", "a@x.org") == [("pool", 1), ("pool", 2)]

    def test_a_chosen_pool_gives_all_seats_or_none(self, account, course):
        make_pool(account, 5, courselist=course.shortname)
        chosen = make_pool(account, 1)

        rows = apply(plan_list(account, course, "a@x.org", "b@x.org", pool=chosen))

        assert told(rows) == [("new_account", "assigned"), ("no_seat", "refused")]
        assert Assignment.objects.get().seat.reference == references(chosen)[0]

    def test_seats_that_may_no_longer_be_given_are_not(self, account, course):
        make_pool(account, 1, assign_before=NOW - DAY)
        make_pool(account, 1, access_ends_at=NOW - DAY)
        Seat.objects.filter(pool=make_pool(account, 1)).update(withdrawn_at=NOW)

        assert told(apply(plan_list(account, course, "a@x.org"))) == [("no_seat", "refused")]
        assert not Assignment.objects.exists()

    def test_a_seat_freed_in_a_pool_that_seemed_used_up_is_found(self, account, course, monkeypatch):
        full = make_pool(account, 1)
        make_pool(account, 1)
        held = give(account, course, "a@x.org")
        batch = plan_list(account, course, "b@x.org", "c@x.org")
        start_apply(batch_id=batch.pk, actor=OPERATOR)

        class FreesMeanwhile(Silent):
            """Between the look at the figures and the taking of seats, somebody takes one back."""

            def report(self, done: int, total: int) -> None:
                Assignment.objects.filter(pk=held.pk).update(state="ended", ended_at=timezone.now())

        run_apply(batch.pk, FreesMeanwhile())

        assert told(list(batch.rows.all())) == [("new_account", "assigned"), ("new_account", "assigned")]
        assert set(Assignment.objects.filter(ended_at=None).values_list("seat__pool", flat=True)) > {full.pk}


class TestStarting:
    def test_it_is_a_job_with_true_progress(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org", "b@x.org", "bad")

        job = start_apply(batch_id=batch.pk, actor=OPERATOR)
        assert (job.kind, job.object_id, job.total, job.done, job.state) == (
            "seats.apply",
            batch.pk,
            3,
            0,
            "queued",
        )
        assert AssignmentBatch.objects.get().state == "applying"
        assert jobs.run(job.pk)

        job.refresh_from_db()
        assert (job.done, job.total, job.state, job.percent) == (3, 3, "done", 100)
        assert AssignmentBatch.objects.get().state == "applied"

    def test_said_twice_it_is_one_job(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org")

        first = start_apply(batch_id=batch.pk, actor=OPERATOR)
        second = start_apply(batch_id=batch.pk, actor=OPERATOR)
        jobs.run(first.pk)
        third = start_apply(batch_id=batch.pk, actor=OPERATOR)

        assert first.pk == second.pk == third.pk
        assert Job.objects.count() == 1
        assert Assignment.objects.count() == 1

    def test_a_list_that_is_still_being_planned_cannot_be_started(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org")
        AssignmentBatch.objects.update(state="planning")

        with pytest.raises(Refused) as refusal:
            start_apply(batch_id=batch.pk, actor=OPERATOR)

        assert refusal.value.code == "not_planned"
        assert not Job.objects.exists()

    def test_only_a_started_list_is_applied(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org")

        run_apply(batch.pk, Silent())

        assert not Assignment.objects.exists()

    def test_applied_again_it_does_nothing(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org")
        apply(batch)

        run_apply(batch.pk, Silent())

        assert Assignment.objects.count() == 1
        assert AuditEntry.objects.filter(verb="list.apply").count() == 1

    def test_an_operator_applies_it_here_and_now(self, account, course):
        make_pool(account, 3)
        batch = plan_list(account, course, "a@x.org")

        assert apply_here(batch_id=batch.pk, actor=OPERATOR)

        assert Assignment.objects.count() == 1

    def test_one_audit_entry_says_what_became_of_it(self, account, course):
        make_pool(account, 1)
        manager = make_person()
        batch = plan_list(account, course, "a@x.org", "b@x.org", "a@x.org")

        apply(batch, Actor.person(manager.pk))

        entry = AuditEntry.objects.get()
        assert (entry.verb, entry.actor, entry.object) == (
            "list.apply",
            f"person:{manager.pk}",
            f"list:{batch.pk}",
        )
        assert (entry.scope, entry.counts) == (
            f"account:{account.pk}",
            {"assigned": 1, "refused": 1, "unchanged": 1},
        )

    def test_lists_longer_than_a_transaction_are_done_in_parts(self, account, course, monkeypatch):
        monkeypatch.setattr("seats.services.apply.CHUNK", 2)
        make_pool(account, 4)
        batch = plan_list(
            account, course, "a@x.org", "b@x.org", "A@x.org", "c@x.org", "bad", "d@x.org", "e@x.org"
        )

        rows = apply(batch)

        assert [row.verdict for row in rows] == [
            "new_account",
            "new_account",
            "duplicate",
            "new_account",
            "invalid",
            "new_account",
            "no_seat",
        ]
        assert states(account) == {"assigned": 4}

    def test_the_mail_is_a_column_of_its_own(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org", "b@x.org")
        apply(batch)
        assert [(row.outcome, row.mail) for row in batch_rows(batch.pk).rows] == [
            ("assigned", "queued"),
            ("refused", ""),
        ]

        OutboxMail.objects.update(state="failed")

        assert [(row.outcome, row.mail) for row in batch_rows(batch.pk).rows] == [
            ("assigned", "failed"),
            ("refused", ""),
        ]


def test_whoever_comes_back_by_another_order_leaves_the_group_of_the_old_one(account, course):
    """In separate groups people of one organisation would otherwise see those of another."""
    other = make_account()
    make_pool(other, 1, access_seconds=3600, bill_number="CMD-OLD")
    make_pool(account, 1, bill_number="CMD-NEW")
    old = give(other, course, "back@example.org")

    with time_machine.travel(end_of(old) + timedelta(minutes=1)):
        give(account, course, "back@example.org")

    assert list(GroupMember.objects.values_list("group__name", flat=True)) == ["CMD-NEW"]
