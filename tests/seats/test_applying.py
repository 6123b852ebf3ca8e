"""Applying a list: who gets a seat, what comes with it, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Person
from common.audit import OPERATOR, Actor
from common.models import OutboxMail
from courses.models import Course, Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, Seat
from seats.selectors import batch_rows, batch_totals
from seats.services import release
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import (
    apply,
    end_of,
    give,
    make_pool,
    people,
    plan_list,
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


class TestSomebodyNew:
    def test_a_login_is_created_delegated_and_invited_by_private_mail(self, account, course):
        pool = make_pool(account, 1)
        manager = make_person()

        give(account, course, "Ada@Example.org", Actor.person(manager.pk))

        ada = Person.objects.get(email_key="ada@example.org")
        assert (ada.first_name, ada.last_name, ada.has_usable_password(), ada.possessed_at) == (
            "Ada",
            "Doe",
            False,
            None,
        )
        delegation = Delegation.objects.get()
        assert (delegation.account_id, delegation.person_id, delegation.created_login) == (
            account.pk,
            ada.pk,
            True,
        )
        assert (delegation.email, delegation.first_name) == ("Ada@Example.org", "Ada")
        invitation = Invitation.objects.get()
        assert (invitation.person_id, invitation.account_id, invitation.invited_by_id) == (
            ada.pk,
            account.pk,
            manager.pk,
        )
        assignment = Assignment.objects.get()
        mail = OutboxMail.objects.get()
        assert (mail.kind, mail.to) == ("invitation", "Ada@Example.org")
        assert mail.ids == {"assignment": assignment.pk, "invitation": invitation.pk}
        assert mail.event_key == f"assignment:{assignment.pk}:given"
        assert (assignment.state, assignment.group_name, assignment.role) == (
            "live",
            pool.bill_number,
            "student",
        )
        assert (assignment.created_by, assignment.created_login) == (f"person:{manager.pk}", True)

    def test_he_is_enrolled_in_the_group_of_the_order(self, account, course):
        pool = make_pool(account, 1)

        assignment = give(account, course, "ada@example.org")

        enrolment = Enrolment.objects.get()
        assert (enrolment.course_id, enrolment.person_id, enrolment.role, enrolment.status) == (
            course.pk,
            assignment.person_id,
            "student",
            "active",
        )
        membership = GroupMember.objects.select_related("group").get()
        assert (membership.group.name, membership.person_id) == (pool.bill_number, assignment.person_id)

    def test_only_the_address_is_needed(self, account, course):
        make_pool(account, 1)
        listed = people("ada@example.org")
        nameless = type(listed)(
            tuple(type(row)(row=row.row, email=row.email) for row in listed.rows), listed.source
        )

        apply(plan_list(account, course, listed=nameless))

        ada = Person.objects.get()
        assert (ada.first_name, ada.last_name, ada.name_is_guess, ada.name) == ("", "", True, "ada")

    def test_nobody_is_created_who_gets_no_seat(self, account, course):
        make_pool(account, 1)

        rows = apply(plan_list(account, course, "a@x.org", "b@x.org"))

        assert told(rows) == [("new_account", "assigned"), ("no_seat", "refused")]
        assert list(Person.objects.values_list("email", flat=True)) == ["a@x.org"]


class TestSomebodyKnown:
    def test_nothing_of_an_existing_login_is_changed(self, account, course):
        make_pool(account, 1)
        known = make_person(
            email="Known@Example.org", password="their own secret", first_name="Own", language="fr"
        )
        Person.objects.filter(pk=known.pk).update(possessed_at=NOW)
        before = Person.objects.filter(pk=known.pk).values().get()

        rows = apply(plan_list(account, course, "KNOWN@example.ORG"))

        assert told(rows) == [("existing_account", "assigned")]
        assert Person.objects.filter(pk=known.pk).values().get() == before

    def test_he_is_delegated_without_being_created_and_told_that_he_is_enrolled(self, account, course):
        make_pool(account, 1)
        known = make_person(email="known@example.org", language="fr")
        Person.objects.filter(pk=known.pk).update(possessed_at=NOW)

        assignment = give(account, course, "known@example.org")

        assert Delegation.objects.get().created_login is False
        mail = OutboxMail.objects.get()
        assert (mail.kind, mail.ids, mail.language) == ("enrolled", {"assignment": assignment.pk}, "fr")
        assert not Invitation.objects.exists()

    def test_who_has_never_used_his_login_is_invited_again(self, account, course):
        make_pool(account, 1)
        make_person(email="known@example.org")

        give(account, course, "known@example.org")

        assert OutboxMail.objects.get().kind == "invitation"

    def test_staff_is_enrolled_but_neither_delegated_nor_invited(self, account, course):
        make_pool(account, 1)
        make_person(email="staff@example.org", is_staff=True)

        rows = apply(plan_list(account, course, "staff@example.org"))

        assert told(rows) == [("existing_account", "assigned")]
        assert Enrolment.objects.count() == 1
        assert not Delegation.objects.exists()
        assert not Invitation.objects.exists()
        assert OutboxMail.objects.get().kind == "enrolled"


class TestAlreadyEnrolled:
    """ "Si les informations correspondent à une inscription déjà active dans le cours, alors aucun produit n'est
    consommé et un signal d'information est donné au gestionnaire."
    """

    def test_no_seat_is_used_and_the_end_of_the_enrolment_is_told(self, account, course):
        make_pool(account, 1)
        inside = make_person(email="inside@example.org")
        before = make_enrolment(course, inside, ends_at=NOW + 90 * DAY)

        rows = apply(plan_list(account, course, "inside@example.org"))

        assert told(rows) == [("already_enrolled", "unchanged")]
        assert rows[0].detail == {"ends": (NOW + 90 * DAY).isoformat()}
        assert states(account) == {"free": 1}
        assert Enrolment.objects.values().get() == Enrolment.objects.filter(pk=before.pk).values().get()
        assert not Delegation.objects.exists()
        assert not OutboxMail.objects.exists()
        assert not GroupMember.objects.exists()

    def test_the_same_list_twice_changes_nothing_the_second_time(self, account, course):
        make_pool(account, 5)
        emails = ("a@x.org", "b@x.org", "c@x.org")
        apply(plan_list(account, course, *emails))
        before = [
            list(model.objects.order_by("pk").values())
            for model in (Person, Assignment, Enrolment, Delegation, OutboxMail, Invitation, GroupMember)
        ]

        rows = apply(plan_list(account, course, *(email.upper() for email in emails)))

        assert told(rows) == [("already_enrolled", "unchanged")] * 3
        after = [
            list(model.objects.order_by("pk").values())
            for model in (Person, Assignment, Enrolment, Delegation, OutboxMail, Invitation, GroupMember)
        ]
        assert after == before
        assert states(account) == {"free": 2, "assigned": 3}

    @pytest.mark.parametrize("ends_at", [None, NOW + 900 * DAY])
    def test_nothing_we_do_ever_shortens_an_existing_end(self, account, course, ends_at):
        make_pool(account, 1, access_seconds=86_400)
        make_enrolment(course, make_person(email="back@example.org"), status="suspended", ends_at=ends_at)

        given = give(account, course, "back@example.org")

        assert given.ends_at == given.starts_at + DAY
        enrolment = Enrolment.objects.get()
        assert (enrolment.status, enrolment.ends_at) == ("active", ends_at)

    def test_what_a_seat_had_given_ended_with_that_seat(self, account, course):
        unlimited = make_pool(account, 1)
        given = give(account, course, "back@example.org")
        release(reference=given.seat.reference, account_id=account.pk, actor=OPERATOR)
        Seat.objects.filter(pool=unlimited).update(withdrawn_at=NOW)
        make_pool(account, 1, access_seconds=86_400)

        again = give(account, course, "back@example.org")

        assert Enrolment.objects.get().ends_at == again.ends_at == again.starts_at + DAY

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": "suspended", "ends_at": NOW + timedelta(hours=1)},
            {"ends_at": NOW - timedelta(hours=1)},
        ],
    )
    def test_a_suspended_or_ended_enrolment_is_renewed_and_costs_a_seat(self, account, course, fields):
        make_pool(account, 1, access_seconds=86_400)
        make_enrolment(course, make_person(email="back@example.org"), **fields)

        rows = apply(plan_list(account, course, "back@example.org"))

        assert told(rows) == [("existing_account", "assigned")]
        enrolment, assignment = Enrolment.objects.get(), Assignment.objects.get()
        assert (enrolment.status, enrolment.starts_at, enrolment.ends_at) == (
            "active",
            assignment.starts_at,
            assignment.ends_at,
        )

    def test_the_organisation_that_comes_second_uses_no_seat(self, account, course):
        make_pool(account, 1)
        other = make_account()
        make_pool(other, 1)
        give(account, course, "shared@example.org")

        rows = apply(plan_list(other, course, "shared@example.org"))

        assert told(rows) == [("already_enrolled", "unchanged")]
        assert states(other) == {"free": 1}

    def test_an_assignment_whose_end_has_passed_is_ended_before_a_new_one_begins(self, account, course):
        make_pool(account, 2, access_seconds=3600)
        first = give(account, course, "back@example.org")

        with time_machine.travel(end_of(first) + timedelta(minutes=1)):
            second = give(account, course, "back@example.org")

        first.refresh_from_db()
        assert (first.state, first.end_reason, first.ended_by) == ("ended", "expired", "system")
        assert Seat.objects.get(pk=first.seat_id).expired_at == first.ended_at
        assert (second.seat_id, second.person_id) != (first.seat_id, None)
        with time_machine.travel(end_of(first) + timedelta(minutes=2)):
            assert states(account) == {"expired": 1, "assigned": 1}


class TestVerdictsAreComputedAnew:
    def test_where_they_differ_is_seen(self, account, course):
        make_pool(account, 2)
        batch = plan_list(account, course, "a@x.org", "b@x.org", "c@x.org")
        give(account, course, "a@x.org")

        rows = apply(batch)

        assert [(row.planned_verdict, row.verdict) for row in rows] == [
            ("new_account", "already_enrolled"),
            ("new_account", "new_account"),
            ("no_seat", "no_seat"),
        ]
        assert [row.differs for row in batch_rows(batch.pk).rows] == [True, False, False]

    def test_a_login_made_meanwhile_is_used(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org")
        known = make_person(email="a@x.org")

        rows = apply(batch)

        assert told(rows) == [("existing_account", "assigned")]
        assert Assignment.objects.get().person_id == known.pk

    def test_seats_bought_since_the_plan_are_used(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org", "b@x.org")
        make_pool(account, 1)

        assert told(apply(batch)) == [("new_account", "assigned"), ("new_account", "assigned")]

    def test_a_course_closed_meanwhile_is_not_reached(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org")
        Course.objects.update(closed_at=NOW)

        assert told(apply(batch)) == [("not_allowed", "refused")]
        assert not Person.objects.exists()

    def test_totals_tell_what_was_done(self, account, course):
        make_pool(account, 2)
        batch = plan_list(account, course, "a@x.org", "b@x.org", "c@x.org", "bad")
        apply(batch)

        totals = batch_totals(batch.pk)

        assert totals.outcomes == {"assigned": 2, "refused": 2}
        assert (totals.seats_used, totals.free_left, totals.missing) == (2, 0, 1)
        assert [use.seats for use in totals.pools] == [2]
