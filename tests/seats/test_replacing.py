"""Another person in a seat, and an address put right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Member, Person
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, OutboxMail
from courses.models import Course, Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, Seat
from seats.services import Refused, correct_address, record_opening, replace
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, give, make_pool, plan_list, states

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


class TestReplace:
    def test_same_seat_course_role_and_group_with_dates_of_his_own(self, account, course, given):
        manager = make_person()

        with time_machine.travel(NOW + 3 * DAY, tick=False):
            new = replace(
                reference=given.seat.reference,
                account_id=account.pk,
                email="Bob@Example.org",
                first_name="Bob",
                last_name="B",
                actor=Actor.person(manager.pk),
            )

        assert (new.seat_id, new.course_id, new.role, new.group_name) == (
            given.seat_id,
            course.pk,
            given.role,
            given.group_name,
        )
        assert (new.starts_at, new.ends_at) == (NOW + 3 * DAY, NOW + 33 * DAY)
        bob = Person.objects.get(email_key="bob@example.org")
        assert (bob.first_name, bob.possessed_at) == ("Bob", None)
        enrolment = Enrolment.objects.get(person=bob)
        assert (enrolment.status, enrolment.ends_at) == ("active", NOW + 33 * DAY)
        assert GroupMember.objects.get().person_id == bob.pk
        assert Delegation.objects.get(person=bob).created_login
        mail = OutboxMail.objects.get(event_key=f"assignment:{new.pk}:given")
        assert (mail.kind, mail.to) == ("invitation", "Bob@Example.org")
        assert Invitation.objects.get(person=bob).invited_by_id == manager.pk
        assert states(account) == {"free": 1, "assigned": 1}
        given.refresh_from_db()
        assert (given.end_reason, given.ended_by) == ("replaced", f"person:{manager.pk}")

    def test_it_works_without_any_free_seat(self, account, course):
        make_pool(account, 1)
        given = give(account, course, "ada@example.org")

        replace(
            reference=given.seat.reference, account_id=account.pk, email="bob@example.org", actor=OPERATOR
        )

        assert states(account) == {"assigned": 1}

    def test_somebody_known_is_told_that_he_is_enrolled(self, account, given):
        possess(make_person(email="bob@example.org"))

        new = replace(
            reference=given.seat.reference, account_id=account.pk, email="bob@example.org", actor=OPERATOR
        )

        assert OutboxMail.objects.get(event_key=f"assignment:{new.pk}:given").kind == "enrolled"

    @pytest.mark.parametrize(
        ("email", "code"),
        [
            ("not an address", "invalid"),
            ("ADA@example.org", "same_person"),
            ("inside@example.org", "already_enrolled"),
        ],
    )
    def test_bad_newcomers_are_refused_and_nothing_changes(self, account, course, given, email, code):
        make_enrolment(course, make_person(email="inside@example.org"))
        before = everything()

        with pytest.raises(Refused) as refusal:
            replace(reference=given.seat.reference, account_id=account.pk, email=email, actor=OPERATOR)

        assert refusal.value.code == code
        assert everything() == before

    def test_not_when_the_seat_may_no_longer_be_given(self, account, course):
        make_pool(account, 1, assign_before=NOW + DAY)
        given = give(account, course, "ada@example.org")
        before = everything()

        with time_machine.travel(NOW + 2 * DAY), pytest.raises(Refused) as refusal:
            replace(reference=given.seat.reference, account_id=account.pk, email="bob@x.org", actor=OPERATOR)

        assert refusal.value.code == "too_late"
        assert everything() == before

    def test_not_into_a_course_that_was_closed_meanwhile(self, account, course, given):
        Course.objects.filter(pk=course.pk).update(closed_at=NOW)
        before = everything()

        with pytest.raises(Refused) as refusal:
            replace(reference=given.seat.reference, account_id=account.pk, email="bob@x.org", actor=OPERATOR)

        assert refusal.value.code == "not_allowed"
        assert everything() == before

    def test_what_the_platform_refuses_leaves_everything_as_it_was(self, account, course, given):
        Assignment.objects.update(role="no such role")
        before = everything()

        with pytest.raises(Refused) as refusal:
            replace(reference=given.seat.reference, account_id=account.pk, email="bob@x.org", actor=OPERATOR)

        assert refusal.value.code == "not_told"
        assert everything() == before


# --- correcting an address ---------------------------------------------------------------------------


class TestCorrectAddress:
    def correct(self, given: Assignment, email: str = "right@example.org", **names: str) -> list[Assignment]:
        return correct_address(
            reference=given.seat.reference, account_id=given.account_id, email=email, actor=OPERATOR, **names
        )

    def test_all_unopened_seats_of_the_old_address_go_to_the_new_one(self, account, course):
        make_pool(account, 4)
        first = give(account, course, "wrong@example.org")
        second = give(account, make_course(), "wrong@example.org")
        bystander = give(account, course, "other@example.org")

        new = self.correct(first)

        assert [one.seat_id for one in new] == [first.seat_id, second.seat_id]
        assert {one.email for one in new} == {"right@example.org"}
        assert {(one.first_name, one.last_name) for one in new} == {("Wrong", "Doe")}
        right = Person.objects.get(email_key="right@example.org")
        assert set(
            Enrolment.objects.filter(person=right, status="active").values_list("course", flat=True)
        ) == {
            first.course_id,
            second.course_id,
        }
        bystander.refresh_from_db()
        assert bystander.state == "live"
        assert states(account) == {"free": 1, "assigned": 3}

    def test_names_may_be_given_anew(self, given):
        [new] = self.correct(given, first_name="Ada", last_name="King")

        assert (new.first_name, new.last_name) == ("Ada", "King")

    def test_a_started_seat_stays_with_who_started_it(self, account, course):
        make_pool(account, 2)
        started = give(account, course, "ada@example.org")
        waiting = give(account, make_course(), "ada@example.org")
        record_opening(person_id=started.holder_id, course_id=started.course_id)

        new = self.correct(waiting)

        assert [one.seat_id for one in new] == [waiting.seat_id]
        started.refresh_from_db()
        assert (started.state, started.person_id) == ("live", waiting.person_id)
        assert Delegation.objects.get(person=waiting.person_id).ended_at is None

    def test_a_login_nobody_ever_used_is_deleted_and_history_keeps_the_address(self, given):
        old = given.person_id

        self.correct(given)

        assert not Person.objects.filter(pk=old).exists()
        given.refresh_from_db()
        assert (given.person_id, given.email, given.end_reason) == (None, "ada@example.org", "corrected")

    def test_also_when_only_a_temporary_password_was_mailed_to_it(self, given):
        person = Person.objects.get(pk=given.holder_id)
        person.set_password("temporary")
        person.must_change_password = True
        person.save()

        self.correct(given)

        assert not Person.objects.filter(pk=person.pk).exists()

    @pytest.mark.parametrize(
        "reason",
        ["password", "possessed", "staff", "member", "delegation", "seat", "enrolment", "not created here"],
    )
    def test_any_other_login_is_kept(self, account, given, reason):
        person = Person.objects.get(pk=given.holder_id)
        other = make_account()
        if reason == "password":
            person.set_password("their own")
            person.save()
        elif reason == "possessed":
            possess(person)
        elif reason == "staff":
            Person.objects.filter(pk=person.pk).update(is_staff=True)
        elif reason == "member":
            Member.objects.create(account=other, person=person, role="viewer")
        elif reason == "delegation":
            Delegation.objects.create(account=other, person=person, email=person.email, ended_at=NOW)
        elif reason == "seat":
            make_pool(other, 1)
            give(other, make_course(), person.email)
            Delegation.objects.filter(account=other).delete()
        elif reason == "enrolment":
            make_enrolment(make_course(), person)
        else:
            Delegation.objects.update(created_login=False)

        self.correct(given)

        assert Person.objects.filter(pk=person.pk).exists()
        given.refresh_from_db()
        assert given.person_id == person.pk
        # Whoever has the login: this account no longer answers for a wrong address.
        assert not Delegation.objects.filter(person=person, account=account, ended_at=None).exists()

    def test_the_login_of_the_old_address_is_never_edited(self, account, course):
        make_pool(account, 1)
        stranger = make_person(email="wrong@example.org", password="their own")
        before = Person.objects.filter(pk=stranger.pk).values().get()
        given = give(account, course, "wrong@example.org")

        self.correct(given)

        assert Person.objects.filter(pk=stranger.pk).values().get() == before

    def test_the_new_address_gets_a_link_of_its_own(self, given):
        old = Invitation.objects.get()

        [new] = self.correct(given)

        assert not Invitation.objects.filter(pk=old.pk, revoked_at=None).exists()
        invitation = Invitation.objects.get(person=new.person_id)
        mail = OutboxMail.objects.get(event_key=f"assignment:{new.pk}:given")
        assert (mail.to, mail.ids["invitation"]) == ("right@example.org", invitation.pk)

    def test_it_is_one_transaction_one_enrolled_course_refuses_all(self, account, course):
        make_pool(account, 2)
        first = give(account, course, "wrong@example.org")
        second = give(account, make_course(), "wrong@example.org")
        make_enrolment(Course.objects.get(pk=second.course_id), make_person(email="right@example.org"))
        before = everything()

        with pytest.raises(Refused) as refusal:
            self.correct(first)

        assert refusal.value.code == "already_enrolled"
        assert everything() == before

    @pytest.mark.parametrize(("email", "code"), [("bad", "invalid"), (" Ada@EXAMPLE.org", "same_person")])
    def test_bad_addresses_are_refused_and_nothing_changes(self, given, email, code):
        before = everything()

        with pytest.raises(Refused) as refusal:
            self.correct(given, email)

        assert refusal.value.code == code
        assert everything() == before


def test_a_corrected_person_shows_in_the_list_that_brought_him(account, course):
    make_pool(account, 1)
    batch = plan_list(account, course, "wrong@example.org")
    apply(batch)
    given = Assignment.objects.get()

    correct_address(
        reference=given.seat.reference, account_id=account.pk, email="right@example.org", actor=OPERATOR
    )

    assert batch.rows.get().assignment.end_reason == "corrected"
