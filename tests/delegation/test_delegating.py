"""Who answers for whom: made when an account brings somebody in, seen only by that account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import CustomerAccount, Member, Person
from common.audit import OPERATOR, Actor
from common.models import AuditEntry
from delegation.models import Delegation
from delegation.selectors import all_delegations, answering_for, find_person, my_people
from delegation.services import Delegated, Refused, accept, delegate, edit_names, end_delegation
from tests.accounts.factories import make_account, make_person

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


def bring(account: CustomerAccount, person: Person, *, created: bool = True, **names: str) -> Delegation:
    typed = {"email": person.email, "first_name": "Typed", "last_name": "Name"} | names
    delegate(account_id=account.pk, entries=[Delegated(person.pk, created, **typed)])
    return Delegation.objects.get(account=account, person=person)


class TestDelegating:
    def test_the_account_answers_for_the_person_under_the_name_it_typed(self, account):
        person = make_person(first_name="Own")

        delegation = bring(account, person)

        assert (delegation.first_name, delegation.created_login, delegation.ended_at) == ("Typed", True, None)

    def test_repeated_it_changes_nothing(self, account):
        person = make_person()
        bring(account, person, created=True)
        before = Delegation.objects.values().get()

        bring(account, person, created=False, first_name="Other")

        assert Delegation.objects.values().get() == before

    def test_one_that_was_ended_begins_anew_and_is_accepted_anew(self, account):
        person = make_person()
        bring(account, person, created=True)
        accept(account_id=account.pk, person_id=person.pk)
        end_delegation(account_id=account.pk, person_id=person.pk, actor=OPERATOR)
        Delegation.objects.update(since=NOW - timedelta(days=9))

        again = bring(account, person, created=False)

        assert (again.ended_at, again.accepted_at, again.created_login) == (None, None, True)
        assert again.since > NOW

    def test_staff_logins_are_never_delegated(self, account):
        bring_nobody = [make_person(is_staff=True), make_person(is_superuser=True)]

        delegate(
            account_id=account.pk,
            entries=[Delegated(person.pk, False, person.email) for person in bring_nobody],
        )

        assert not Delegation.objects.exists()

    def test_several_accounts_may_answer_for_one_person(self, account):
        person = make_person()
        bring(account, person)
        other = make_account()
        bring(other, person, created=False)

        assert [one.account_id for one in answering_for(person.pk)] == [account.pk, other.pk]

    def test_a_thousand_people_cost_four_statements(self, account, django_assert_max_num_queries):
        people = Person.objects.bulk_create(
            Person(email=f"p{n}@x.org", email_key=f"p{n}@x.org", password="!") for n in range(1000)
        )
        entries = [Delegated(person.pk, True, person.email) for person in people]

        # SQLite: and one for each 999 parameters of the 9,000.
        with django_assert_max_num_queries(2 * 2 + 2 + 12):
            delegate(account_id=account.pk, entries=entries)

        assert Delegation.objects.count() == 1000


class TestEnding:
    def test_it_is_ended_once_and_written_down(self, account):
        person = make_person()
        bring(account, person)

        assert end_delegation(account_id=account.pk, person_id=person.pk, actor=Actor.person(person.pk))
        assert not end_delegation(account_id=account.pk, person_id=person.pk, actor=Actor.person(person.pk))

        entry = AuditEntry.objects.get()
        assert (entry.verb, entry.actor, entry.scope) == (
            "delegation.end",
            f"person:{person.pk}",
            f"account:{account.pk}",
        )
        assert my_people(account.pk).rows == []
        assert answering_for(person.pk) == []

    def test_only_that_accounts(self, account):
        person = make_person()
        bring(account, person)
        other = make_account()
        bring(other, person)

        end_delegation(account_id=account.pk, person_id=person.pk, actor=OPERATOR)

        assert [one.account_id for one in answering_for(person.pk)] == [other.pk]


class TestMyPeople:
    def test_the_name_is_as_typed_until_the_person_has_accepted(self, account):
        person = make_person(first_name="Own", last_name="Self")
        bring(account, person)
        [row] = my_people(account.pk).rows
        assert (row.name, row.own_name, row.status) == ("Typed Name", False, "invited")

        assert accept(account_id=account.pk, person_id=person.pk)
        assert not accept(account_id=account.pk, person_id=person.pk)

        [row] = my_people(account.pk).rows
        assert (row.name, row.own_name, row.status) == ("Own Self", True, "accepted")

    def test_another_accounts_people_are_not_seen(self, account):
        person = make_person()
        bring(make_account(), person)

        assert my_people(account.pk).rows == []
        with pytest.raises(Delegation.DoesNotExist):
            find_person(account.pk, person.pk)

    def test_search_goes_by_typed_name_and_address(self, account):
        ada, bob = make_person(first_name="Secret"), make_person(email="builder@example.org")
        bring(account, ada, first_name="Ada", last_name="Lovelace")
        bring(account, bob, first_name="Bob", last_name="Builder")

        def found(query: str) -> list[int]:
            return [row.person_id for row in my_people(account.pk, query=query).rows]

        assert found("ada love") == [ada.pk]
        assert found("BUILDER@ex") == [bob.pk]
        assert found("secret") == []
        accept(account_id=account.pk, person_id=ada.pk)
        assert found("secret") == [ada.pk]

    def test_pages_cost_two_queries_and_stay_within_bounds(self, account, django_assert_num_queries):
        for _ in range(5):
            bring(account, make_person())

        with django_assert_num_queries(2):
            page = my_people(account.pk, page=9, per_page=2)

        assert (page.number, page.pages, page.total, len(page.rows)) == (3, 3, 5, 1)

    def test_operators_see_the_ended_ones_too(self, account):
        person = make_person()
        bring(account, person)
        end_delegation(account_id=account.pk, person_id=person.pk, actor=OPERATOR)

        assert [row.status for row in all_delegations(account.pk)] == ["ended"]


class TestEditNames:
    """DESIGN section 8: a manager may edit the names of a login only if his account created it, nobody else answers
    for it, and its owner has not taken possession.
    """

    def edit(self, account: CustomerAccount, person: Person) -> Person:
        edit_names(
            account_id=account.pk, person_id=person.pk, first_name=" Ada ", last_name="King", actor=OPERATOR
        )
        person.refresh_from_db()
        return person

    def test_a_login_it_alone_brought_here_gets_the_name(self, account):
        person = make_person(first_name="", last_name="", name_is_guess=True)
        delegation = bring(account, person)

        self.edit(account, person)

        assert (person.first_name, person.last_name, person.name_is_guess) == ("Ada", "King", False)
        delegation.refresh_from_db()
        assert (delegation.first_name, delegation.last_name) == ("Ada", "King")
        assert AuditEntry.objects.get().verb == "person.rename"

    @pytest.mark.parametrize("reason", ["found", "possessed", "password", "shared", "staff", "member"])
    def test_any_other_login_stays_and_the_account_sees_the_same(self, account, reason):
        person = make_person(first_name="Own", last_name="Self")
        bring(account, person, created=reason != "found")
        if reason == "possessed":
            Person.objects.filter(pk=person.pk).update(possessed_at=NOW)
        elif reason == "password":
            person.set_password("their own")
            person.save()
        elif reason == "shared":
            bring(make_account(), person, created=False)
        elif reason == "staff":
            Person.objects.filter(pk=person.pk).update(is_staff=True)
        elif reason == "member":
            Member.objects.create(account=make_account(), person=person, role="viewer")

        self.edit(account, person)

        assert (person.first_name, person.last_name) == ("Own", "Self")
        assert find_person(account.pk, person.pk).name == "Ada King"

    def test_somebody_elses_ended_delegation_does_not_matter(self, account):
        person = make_person()
        bring(account, person)
        other = make_account()
        bring(other, person, created=False)
        end_delegation(account_id=other.pk, person_id=person.pk, actor=OPERATOR)

        assert self.edit(account, person).first_name == "Ada"

    def test_not_once_the_person_shows_his_own_name(self, account):
        person = make_person(first_name="Own")
        delegation = bring(account, person)
        accept(account_id=account.pk, person_id=person.pk)

        with pytest.raises(Refused) as refusal:
            self.edit(account, person)

        assert refusal.value.code == "accepted"
        person.refresh_from_db()
        delegation.refresh_from_db()
        assert (person.first_name, delegation.first_name) == ("Own", "Typed")

    @pytest.mark.parametrize("ended", [True, False])
    def test_nobody_elses_people(self, account, ended):
        person = make_person(first_name="Own")
        other = make_account()
        bring(other, person)
        if ended:
            bring(account, person)
            end_delegation(account_id=account.pk, person_id=person.pk, actor=OPERATOR)

        with pytest.raises(Delegation.DoesNotExist):
            self.edit(account, person)

        person.refresh_from_db()
        assert person.first_name == "Own"
