"""Taking back, replacing and correcting: until the participant has opened the course (DESIGN section 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Member, Person
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from courses.models import Course, Enrolment, GroupMember
from courses.services import open_course
from delegation.models import Delegation
from seats.models import Assignment, Seat
from seats.selectors import seat_history
from seats.services import Refused, correct_address, record_opening, release, replace
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, states

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def given(account, course) -> Assignment:
    make_pool(account, 2, access_seconds=30 * 86_400)
    return give(account, course, "ada@example.org")


def everything() -> list[Any]:
    """All that a refusal must leave alone."""
    models = (
        Person,
        Assignment,
        Seat,
        Enrolment,
        GroupMember,
        Delegation,
        Invitation,
        OutboxMail,
        AuditEntry,
    )
    return [list(model.objects.order_by("pk").values()) for model in models]


def possess(person: Person | None) -> None:
    assert person is not None
    Person.objects.filter(pk=person.pk).update(possessed_at=NOW)


# --- what all three have in common ------------------------------------------------------------------

VERBS = {
    "release": lambda seat, account: release(reference=seat, account_id=account, actor=OPERATOR),
    "replace": lambda seat, account: replace(
        reference=seat, account_id=account, email="bob@example.org", actor=OPERATOR
    ),
    "correct": lambda seat, account: correct_address(
        reference=seat, account_id=account, email="ada.l@example.org", actor=OPERATOR
    ),
}


@pytest.fixture(params=VERBS)
def change(request):
    return VERBS[request.param]


class TestWhenItMayNotBe:
    def test_not_after_the_participant_has_opened_the_course(self, change, account, given):
        record_opening(person_id=given.holder_id, course_id=given.course_id)
        before = everything()

        with pytest.raises(Refused) as refusal:
            change(given.seat.reference, account.pk)

        assert refusal.value.code == "started"
        assert everything() == before

    def test_the_platform_is_asked_again_at_that_moment(self, change, account, given):
        open_course(person_id=given.person_id, course_id=given.course_id)  # nobody told us
        assert states(account)["assigned"] == 1

        with pytest.raises(Refused) as refusal:
            change(given.seat.reference, account.pk)

        assert refusal.value.code == "started"
        assert states(account) == {"free": 1, "consumed": 1}
        assert Enrolment.objects.get().status == "active"

    def test_a_visit_before_this_seat_was_given_does_not_count(self, change, account, course):
        make_pool(account, 2)
        make_enrolment(
            course, make_person(email="ada@example.org"), status="suspended", opened_at=NOW - 30 * DAY
        )
        given = give(account, course, "ada@example.org")

        change(given.seat.reference, account.pk)

        given.refresh_from_db()
        assert given.state == "ended"

    def test_nobody_sits_in_a_free_seat(self, change, account, given):
        free = Seat.objects.exclude(pk=given.seat_id).get()
        before = everything()

        with pytest.raises(Refused) as refusal:
            change(free.reference, account.pk)

        assert refusal.value.code == "free"
        assert everything() == before

    @pytest.mark.parametrize("field", ["withdrawn_at", "expired_at"])
    def test_a_seat_that_has_ended_stays_as_it_is(self, change, account, given, field):
        Seat.objects.filter(pk=given.seat_id).update(**{field: NOW})
        before = everything()

        with pytest.raises(Refused) as refusal:
            change(given.seat.reference, account.pk)

        assert refusal.value.code == "ended"
        assert everything() == before

    def test_nor_does_one_whose_access_has_ended_by_date(self, change, account, given):
        before = everything()

        with time_machine.travel(given.ends_at), pytest.raises(Refused) as refusal:
            change(given.seat.reference, account.pk)

        assert refusal.value.code == "ended"
        assert everything() == before

    def test_a_seat_a_job_is_at_is_left_to_the_job(self, change, account, given):
        Assignment.objects.update(state="reserved")
        before = everything()

        with pytest.raises(Refused) as refusal:
            change(given.seat.reference, account.pk)

        assert refusal.value.code == "busy"
        assert everything() == before

    def test_another_accounts_seat_does_not_exist(self, change, given):
        before = everything()

        with pytest.raises(Seat.DoesNotExist):
            change(given.seat.reference, make_account().pk)

        assert everything() == before


class TestWhatFollows:
    def test_un_enrolment_is_part_of_it(self, change, account, course, given):
        change(given.seat.reference, account.pk)

        assert not Enrolment.objects.filter(person=given.person_id, status="active").exists()
        assert not GroupMember.objects.filter(person=given.person_id).exists()

    def test_the_mail_that_has_not_left_is_cancelled(self, change, account, given):
        change(given.seat.reference, account.pk)

        assert OutboxMail.objects.get(event_key=f"assignment:{given.pk}:given").state == "cancelled"

    def test_the_mailed_link_dies_when_nothing_is_left(self, change, account, given):
        change(given.seat.reference, account.pk)

        assert not Invitation.objects.filter(person=given.person_id, revoked_at=None).exists()

    def test_history_keeps_every_step(self, change, account, given):
        change(given.seat.reference, account.pk)

        steps = [(step.step, step.email) for step in seat_history(given.seat.reference)]
        assert steps[:3] == [("made", ""), ("given", "ada@example.org"), ("ended", "ada@example.org")]

    def test_the_figures_are_right_at_once(self, change, account, given):
        stamp = CustomerAccount.objects.get(pk=account.pk).stamp

        change(given.seat.reference, account.pk)

        assert CustomerAccount.objects.get(pk=account.pk).stamp > stamp

    def test_one_audit_entry_says_who_and_why(self, change, account, given):
        AuditEntry.objects.all().delete()

        change(given.seat.reference, account.pk)

        entry = AuditEntry.objects.get(verb__startswith="seat.")
        assert (entry.actor, entry.object) == ("operator", f"seat:{given.seat.reference}")
        assert "@" not in entry.why + entry.object


# --- taking back -------------------------------------------------------------------------------------


class TestRelease:
    def test_the_seat_is_free_again_and_may_be_given_again(self, account, course, given):
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR, why="wrong course")

        assert states(account) == {"free": 2}
        given.refresh_from_db()
        assert (given.state, given.end_reason, given.ended_by) == ("ended", "taken_back", "operator")
        assert AuditEntry.objects.get(verb="seat.release").why == "wrong course"
        again = give(account, course, "ada@example.org")
        assert (again.seat_id, again.person_id) == (given.seat_id, given.person_id)
        assert Enrolment.objects.get().status == "active"
        assert OutboxMail.objects.get(event_key=f"assignment:{again.pk}:given").state == "queued"

    def test_a_login_the_account_created_stays_its_own(self, account, given):
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert Delegation.objects.get().ended_at is None
        assert Person.objects.filter(pk=given.holder_id).exists()

    def test_it_no_longer_answers_for_somebody_whom_it_had_merely_found(self, account, course):
        make_pool(account, 1)
        make_person(email="known@example.org")
        given = give(account, course, "known@example.org")

        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert Delegation.objects.get().ended_at is not None
        assert Person.objects.filter(pk=given.holder_id).exists()

    def test_it_still_answers_for_whom_it_has_given_something_else(self, account, course):
        make_pool(account, 2)
        make_person(email="known@example.org")
        first = give(account, course, "known@example.org")
        give(account, make_course(), "known@example.org")

        release(reference=first.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert Delegation.objects.get().ended_at is None
        assert Invitation.objects.get().revoked_at is None

    def test_somebody_invited_to_the_team_keeps_his_link(self, account, given):
        Member.objects.create(account=account, person_id=given.person_id, role="viewer")

        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert Invitation.objects.get().revoked_at is None

    def test_a_seat_that_may_no_longer_be_given_expires_when_it_is_taken_back(self, account, course):
        make_pool(account, 1, assign_before=NOW + DAY)
        given = give(account, course, "ada@example.org")

        with time_machine.travel(NOW + 2 * DAY):
            release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)
            assert states(account) == {"expired": 1}


# --- replacing --------------------------------------------------------------------------------------
