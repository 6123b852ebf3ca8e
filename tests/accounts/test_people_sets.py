"""Making people and invitations in sets."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Invitation, Person
from accounts.services import NewPerson, ensure_invitations, ensure_people
from tests.accounts.factories import make_account, make_person

pytestmark = pytest.mark.django_db


def data_statements(context: CaptureQueriesContext) -> list[str]:
    """The statements without savepoints."""
    return [
        query["sql"]
        for query in context.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]


def test_an_unknown_address_becomes_a_person_without_password():
    assert ensure_people([NewPerson(" Ana.Ruiz@Example.ORG ", "Ana", "Ruiz", "en")]) == {
        "ana.ruiz@example.org": (Person.objects.get().pk, True)
    }
    person = Person.objects.get()
    assert (person.email, person.first_name, person.last_name, person.language) == (
        "Ana.Ruiz@Example.ORG",
        "Ana",
        "Ruiz",
        "en",
    )
    assert not person.has_usable_password()
    assert person.possessed_at is None
    assert not person.name_is_guess


def test_nothing_of_a_known_person_is_changed_whatever_the_case_of_the_address():
    known = make_person(email="ana@example.org", first_name="Ana", last_name="Ruiz")
    assert ensure_people([NewPerson("ANA@example.org", "Anna", "Rouiz", "fr")]) == {
        "ana@example.org": (known.pk, False)
    }
    person = Person.objects.get()
    assert (person.email, person.first_name, person.last_name, person.language) == (
        "ana@example.org",
        "Ana",
        "Ruiz",
        "en",
    )


def test_a_missing_name_is_marked_as_a_guess_and_the_part_before_the_at_stands_in():
    ensure_people([NewPerson("jdupont@example.org")])
    person = Person.objects.get()
    assert person.name_is_guess
    assert person.name == "jdupont"


def test_the_same_address_twice_is_one_person_with_the_first_name_given():
    found = ensure_people(
        [NewPerson("a@example.org", "One", "One"), NewPerson("A@Example.org", "Two", "Two")]
    )
    assert list(found) == ["a@example.org"]
    assert Person.objects.get().first_name == "One"


def test_five_hundred_people_take_three_statements(django_assert_max_num_queries):
    known = make_person()
    entries = [NewPerson(f"new{n}@example.org") for n in range(499)] + [NewPerson(known.email)]
    with CaptureQueriesContext(connection) as context:
        found = ensure_people(entries)
    assert len(found) == 500
    assert [key for key, (_, created) in found.items() if not created] == [known.email]
    statements = data_statements(context)
    inserts = [sql for sql in statements if sql.startswith("INSERT")]
    assert len(statements) - len(inserts) == 2
    if connection.vendor == "postgresql":
        assert len(inserts) == 1


def test_a_second_time_nothing_is_created():
    entries = [NewPerson(f"new{n}@example.org") for n in range(3)]
    first = ensure_people(entries)
    assert ensure_people(entries) == {key: (pk, False) for key, (pk, _) in first.items()}
    assert Person.objects.count() == 3


def test_an_open_invitation_is_kept_and_nobody_gets_two():
    account, person = make_account(), make_person()
    first = ensure_invitations(account_id=account.pk, person_ids=[person.pk], invited_by_id=None)
    again = ensure_invitations(account_id=account.pk, person_ids=[person.pk, person.pk], invited_by_id=None)
    assert first == again == {person.pk: Invitation.objects.get().pk}


def test_an_expired_invitation_is_replaced():
    account, person = make_account(), make_person()
    first = ensure_invitations(account_id=account.pk, person_ids=[person.pk], invited_by_id=None)[person.pk]
    Invitation.objects.filter(pk=first).update(expires_at=timezone.now())
    second = ensure_invitations(account_id=account.pk, person_ids=[person.pk], invited_by_id=None)[person.pk]
    assert second != first
    assert Invitation.objects.get(pk=first).replaced_at is not None
    assert Invitation.objects.get(pk=second).replaced_at is None


def test_staff_the_possessed_and_the_closed_are_never_invited():
    account = make_account()
    staff = make_person(is_staff=True)
    root = make_person(is_superuser=True)
    possessed = make_person(possessed_at=timezone.now())
    closed = make_person(is_active=False)
    ids = [staff.pk, root.pk, possessed.pk, closed.pk]
    assert ensure_invitations(account_id=account.pk, person_ids=ids, invited_by_id=None) == {}
    assert Invitation.objects.count() == 0


def test_five_hundred_invitations_take_three_statements():
    account = make_account()
    found = ensure_people([NewPerson(f"new{n}@example.org") for n in range(500)])
    ids = [pk for pk, _ in found.values()]
    with CaptureQueriesContext(connection) as context:
        made = ensure_invitations(account_id=account.pk, person_ids=ids, invited_by_id=None)
    assert set(made) == set(ids)
    statements = data_statements(context)
    inserts = [sql for sql in statements if sql.startswith("INSERT")]
    assert len(statements) - len(inserts) == 2
    if connection.vendor == "postgresql":
        assert len(inserts) == 1
