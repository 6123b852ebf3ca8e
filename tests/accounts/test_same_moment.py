"""What happens at the same moment, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import Invitation, Member, Person, Role, SignInCode
from accounts.services import (
    ChosenName,
    CodeClosed,
    InvitationClosed,
    LastOwner,
    NewPerson,
    WrongCode,
    ask_for_code,
    ensure_invitations,
    ensure_people,
    remove_member,
    text_of_code,
    use_code,
    use_invitation,
)
from common.audit import OPERATOR
from common.models import AuditEntry
from tests.accounts.factories import make_account, make_invited, make_member, make_person
from tests.accounts.helpers import other_than

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]


def at_once(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own, from the same moment on."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            start.wait()
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_lists_with_the_same_new_addresses_make_each_person_once():
    entries = [NewPerson(f"new{n}@example.org") for n in range(200)]
    results: list[dict[str, tuple[int, bool]]] = []
    at_once(
        lambda: results.append(ensure_people(entries)),
        lambda: results.append(ensure_people(entries[::-1])),
    )
    assert Person.objects.count() == 200
    one, two = results
    assert {key: pk for key, (pk, _) in one.items()} == {key: pk for key, (pk, _) in two.items()}
    assert all(one[key][1] != two[key][1] for key in one)


def test_two_lists_make_one_invitation_each():
    account = make_account()
    ids = [make_person().pk for _ in range(30)]
    results: list[dict[int, int]] = []

    def invite(order: list[int]) -> None:
        results.append(ensure_invitations(account_id=account.pk, person_ids=order, invited_by_id=None))

    at_once(lambda: invite(ids), lambda: invite(ids[::-1]))
    assert results[0] == results[1]
    assert sorted(results[0]) == ids
    assert Invitation.objects.count() == 30


def use_each(uses: list[tuple[str, str]]) -> list[str]:
    """Use links with passwords at the same moment; the passwords set, or "closed"."""
    outcomes: list[str] = []

    def work(token: str, password: str) -> None:
        try:
            use_invitation(token=token, password=password, name=ChosenName("Ben", password))
            outcomes.append(password)
        except InvitationClosed:
            outcomes.append("closed")

    first, second = uses
    at_once(lambda: work(*first), lambda: work(*second))
    return outcomes


def test_of_two_who_use_a_link_one_wins():
    invitation, token = make_invited()
    outcomes = use_each([(token, "the first password"), (token, "the second password")])
    assert outcomes.count("closed") == 1
    (winner,) = [outcome for outcome in outcomes if outcome != "closed"]
    person = Person.objects.get(pk=invitation.person_id)
    assert person.check_password(winner)
    assert person.last_name == winner
    assert AuditEntry.objects.filter(verb="invitation.used").count() == 1


def test_of_two_links_of_two_organisations_one_sets_the_password():
    person = make_person()
    tokens = [make_invited(person=person)[1], make_invited(person=person)[1]]
    outcomes = use_each([(token, token) for token in tokens])
    assert outcomes.count("closed") == 1
    (winner,) = [outcome for outcome in outcomes if outcome != "closed"]
    person.refresh_from_db()
    assert person.check_password(winner)
    assert Invitation.objects.filter(used_at=None).count() == 1


def test_two_owners_who_leave_leave_one():
    first = make_member(Role.OWNER)
    second = make_member(Role.OWNER, account=first.account)
    outcomes: list[str] = []

    def leave(member: Member) -> None:
        try:
            remove_member(member=member, actor=OPERATOR)
            outcomes.append("left")
        except LastOwner:
            outcomes.append("kept")

    at_once(lambda: leave(first), lambda: leave(second))
    assert sorted(outcomes) == ["kept", "left"]
    assert Member.objects.filter(account=first.account, role="owner").count() == 1


def test_a_code_used_twice_at_once_lets_one_in():
    person = make_person()
    code = ask_for_code(email=person.email)
    results: list[str] = []

    def use() -> None:
        try:
            use_code(code_id=code.pk, digits=text_of_code(code))
            results.append("in")
        except CodeClosed:
            results.append("closed")

    at_once(*[use] * 4)
    assert sorted(results) == ["closed", "closed", "closed", "in"]
    assert SignInCode.objects.get().tries == 1


def test_many_wrong_codes_at_once_are_five_tries():
    code = ask_for_code(email=make_person().email)
    results: list[str] = []

    def use() -> None:
        try:
            use_code(code_id=code.pk, digits=other_than(text_of_code(code)))
        except WrongCode as wrong:
            results.append(str(wrong.tries_left))
        except CodeClosed:
            results.append("closed")

    at_once(*[use] * 8)
    assert sorted(results) == ["1", "2", "3", "4", "closed", "closed", "closed", "closed"]
    assert SignInCode.objects.get().tries == 5
