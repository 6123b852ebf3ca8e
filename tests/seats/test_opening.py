"""A seat is started when its participant opens the course, and who has not come may be written to again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Person
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.models import Course, Enrolment
from delegation.models import Delegation
from seats.models import Assignment
from seats.selectors import seat_list
from seats.services import Refused, record_opening, release, resend
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, sitter_of, states

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def given(account) -> Assignment:
    make_pool(account, 1)
    return give(account, make_course(), "ada@example.org")


class TestRecordOpening:
    def test_the_first_view_starts_the_seat_and_shows_the_persons_own_name(self, account, given):
        Person.objects.filter(pk=given.person_id).update(first_name="Augusta Ada")
        assert sitter_of(seat_list(account.pk).rows[0]).first_name == "Ada"

        assert record_opening(person_id=given.holder_id, course_id=given.course_id)

        given.refresh_from_db()
        assert given.opened_at == Enrolment.objects.get().opened_at
        assert states(account) == {"consumed": 1}
        assert Delegation.objects.get().accepted_at is not None
        assert sitter_of(seat_list(account.pk).rows[0]).first_name == "Augusta Ada"

    def test_later_views_change_nothing_and_cost_little(self, account, given, django_assert_num_queries):
        record_opening(person_id=given.holder_id, course_id=given.course_id)
        given.refresh_from_db()
        opened = given.opened_at

        with django_assert_num_queries(2):
            assert not record_opening(person_id=given.holder_id, course_id=given.course_id)

        given.refresh_from_db()
        assert given.opened_at == opened

    def test_who_is_not_let_in_starts_nothing(self, account, given):
        Course.objects.update(visible=False)

        assert not record_opening(person_id=given.holder_id, course_id=given.course_id)

        assert states(account) == {"assigned": 1}
        assert Delegation.objects.get().accepted_at is None

    def test_an_enrolment_without_a_seat_is_opened_all_the_same(self):
        enrolment = make_enrolment(make_course(), opened_at=None)

        assert record_opening(person_id=enrolment.person_id, course_id=enrolment.course_id)

        enrolment.refresh_from_db()
        assert enrolment.opened_at is not None

    def test_after_the_seat_was_taken_back_nothing_is_started(self, account, given):
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert not record_opening(person_id=given.holder_id, course_id=given.course_id)

        assert states(account) == {"free": 1}


class TestResend:
    def sent(self, given: Assignment) -> None:
        OutboxMail.objects.update(state="sent", sent_at=timezone.now())
        Invitation.objects.update(
            sent_at=timezone.now(), expires_at=timezone.now() + 30 * DAY, token_hash="x" * 64
        )

    def test_the_same_mail_is_queued_once_more(self, given):
        self.sent(given)

        with time_machine.travel(NOW + DAY):
            resend(assignment_id=given.pk, account_id=given.account_id, actor=OPERATOR)

        first, second = OutboxMail.objects.order_by("id")
        assert (second.kind, second.to, second.ids, second.state) == (
            first.kind,
            first.to,
            first.ids,
            "queued",
        )
        assert second.event_key == f"assignment:{given.pk}:resent:1"

    def test_a_link_that_has_ended_is_replaced(self, given):
        self.sent(given)
        old = Invitation.objects.get()

        with time_machine.travel(NOW + 40 * DAY):
            resend(assignment_id=given.pk, actor=OPERATOR)

        old.refresh_from_db()
        assert old.replaced_at is not None
        new = Invitation.objects.get(replaced_at=None)
        assert OutboxMail.objects.order_by("-id")[0].ids["invitation"] == new.pk

    def test_who_has_a_login_in_use_gets_the_news_again(self, given):
        self.sent(given)
        Person.objects.filter(pk=given.person_id).update(possessed_at=NOW)

        with time_machine.travel(NOW + DAY):
            resend(assignment_id=given.pk, actor=OPERATOR)

        assert OutboxMail.objects.order_by("-id")[0].kind == "enrolled"

    def test_not_while_the_last_one_has_not_left(self, given):
        with time_machine.travel(NOW + DAY), pytest.raises(Refused) as refusal:
            resend(assignment_id=given.pk, actor=OPERATOR)

        assert refusal.value.code == "waiting"
        assert OutboxMail.objects.count() == 1

    def test_not_within_a_few_minutes(self, given):
        self.sent(given)

        with pytest.raises(Refused) as refusal:
            resend(assignment_id=given.pk, actor=OPERATOR)

        assert refusal.value.code == "too_soon"
        assert OutboxMail.objects.count() == 1

    def test_not_to_who_has_started(self, given):
        self.sent(given)
        record_opening(person_id=given.holder_id, course_id=given.course_id)

        with time_machine.travel(NOW + DAY), pytest.raises(Refused) as refusal:
            resend(assignment_id=given.pk, actor=OPERATOR)

        assert refusal.value.code == "started"

    def test_not_about_a_seat_that_was_taken_back(self, account, given):
        self.sent(given)
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        with pytest.raises(Refused) as refusal:
            resend(assignment_id=given.pk, actor=OPERATOR)

        assert refusal.value.code == "ended"

    def test_another_accounts_assignment_does_not_exist(self, given):
        with pytest.raises(Assignment.DoesNotExist):
            resend(assignment_id=given.pk, account_id=make_account().pk, actor=OPERATOR)

    def test_taking_back_cancels_what_was_sent_again_too(self, account, given):
        self.sent(given)
        with time_machine.travel(NOW + DAY):
            resend(assignment_id=given.pk, actor=OPERATOR)
            release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)

        assert list(OutboxMail.objects.order_by("id").values_list("state", flat=True)) == [
            "sent",
            "cancelled",
        ]


def test_staff_who_sits_in_a_seat_is_not_delegated_when_he_opens_it(account):
    make_pool(account, 1)
    make_person(email="staff@example.org", is_staff=True)
    given = give(account, make_course(), "staff@example.org")

    record_opening(person_id=given.holder_id, course_id=given.course_id)

    assert states(account) == {"consumed": 1}
    assert not Delegation.objects.exists()
