"""Logins on a Moodle. The traps, each with a test that fails when it is ignored:

- lookups compare e-mail addresses exactly, creation does not: the case trap, and the typed form;
- the search in any case is a pattern: wildcards in addresses;
- one bad user refuses the whole list, without a reason: halving;
- the server goes on after the client has gone: looked up, never made again;
- nothing but the user name is unique in the database: one writer at a time;
- `createpassword` would mail passwords, for users of a refused list too: it is never sent;
- user names with capitals or `+` are refused, unknown languages too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import connections

from accounts.models import Person
from courses.models import PlatformLogin
from courses.moodle.people import new_password
from courses.platform import OK, UNKNOWN, PlatformAway, Refusal, refused
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.functions.users import policy_errors
from tests.moodle.site import peer_user, use_peer

CREATE = "core_user_create_users"
BY_FIELD = "core_user_get_users_by_field"
SEARCH = "core_user_get_users"


@pytest.fixture
def platform(settings, moodle_peer, db):
    return use_peer(settings, moodle_peer)


def login_of(person: Person) -> tuple[str, bool, bool]:
    """User name, whether Moodle has confirmed it, whether we made it."""
    row = PlatformLogin.objects.get(person=person)
    return row.username, row.remote_id is not None, row.is_ours


def names(peer: MoodlePeer) -> list[str]:
    """The users of the site beside its first two."""
    return [user.username for user in peer.site.living_users() if user.id > 3]


def until(is_so: Callable[[], bool]) -> None:
    """Wait for the peer to be done with something."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


# --- made ------------------------------------------------------------------------------------------


def test_a_login_is_made_with_what_we_know_of_the_person(platform, moodle_peer):
    person = make_person(email="Ada.L@Example.org", first_name="Ada", last_name="", language="fr")
    assert platform.ensure_logins([person.pk]) == [OK]
    user = peer_user(moodle_peer, person)
    assert (user.username, user.email) == ("ada.l@example.org", "ada.l@example.org")
    assert (user.firstname, user.lastname, user.lang, user.auth) == ("Ada", "-", "fr", "manual")
    assert login_of(person) == ("ada.l@example.org", True, True)
    assert PlatformLogin.objects.get(person=person).needs_password


def test_without_a_name_the_part_before_the_at_stands_in(platform, moodle_peer):
    person = make_person(email="ada@example.org", first_name=" <b> ", last_name="x" * 150)
    assert platform.ensure_logins([person.pk]) == [OK]
    assert (peer_user(moodle_peer, person).firstname, peer_user(moodle_peer, person).lastname) == (
        "b",
        "x" * 100,
    )
    other = make_person(email="bob@example.org", first_name="", last_name="")
    platform.ensure_logins([other.pk])
    assert peer_user(moodle_peer, other).firstname == "bob"


def test_moodle_mails_nobody_and_is_never_asked_to(platform, moodle_peer):
    people = [make_person() for _ in range(3)]
    assert platform.ensure_logins([person.pk for person in people]) == [OK] * 3
    assert moodle_peer.site.mails == []
    assert not any("createpassword" in key for call in moodle_peer.calls for key in call.keys)


def test_a_hundred_people_take_two_calls_and_nobody_is_asked_for_again(platform, moodle_peer):
    people = [make_person().pk for _ in range(100)]
    assert platform.ensure_logins(people) == [OK] * 100
    assert [call.function for call in moodle_peer.calls] == [BY_FIELD, CREATE]
    assert max(call.variables for call in moodle_peer.calls) <= 900
    moodle_peer.forget_calls()
    assert platform.ensure_logins(people) == [OK] * 100
    assert moodle_peer.calls == []


def test_the_passwords_are_strong_and_all_different(moodle_peer):
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        assert len(password) == 32
        assert policy_errors(moodle_peer.site, password) == ""
        assert all(one != other for one, other in pairwise(password))


def test_an_address_that_is_no_user_name_gets_a_name_of_ours(platform, moodle_peer):
    person = make_person(email="p+tag@example.org")
    assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person) == (f"shop-{person.pk}", True, True)


def test_a_user_name_that_somebody_else_has_is_not_taken_from_him(platform, moodle_peer):
    moodle_peer.site.add_user("ada@example.org", "other@example.net")
    ada, first, second = make_person(email="ada@example.org"), make_person(), make_person()
    assert platform.ensure_logins([first.pk, ada.pk, second.pk]) == [OK] * 3
    assert login_of(ada) == (f"shop-{ada.pk}", True, True)
    assert peer_user(moodle_peer, ada).email == "ada@example.org"


def test_another_shop_on_the_same_site_may_count_its_people_alike(platform, moodle_peer):
    person = make_person(email="p+tag@example.org")
    moodle_peer.site.add_user(f"shop-{person.pk}", "theirs@example.net")
    assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person)[0].startswith(f"shop-{person.pk}-")
    assert peer_user(moodle_peer, person).email == "p+tag@example.org"


def test_a_site_without_the_language_gets_its_users_without_it(platform, moodle_peer):
    moodle_peer.site.languages = {"en"}
    people = [make_person(language="fr") for _ in range(4)]
    assert platform.ensure_logins([person.pk for person in people]) == [OK] * 4
    assert {user.lang for user in moodle_peer.site.living_users()} == {"en"}


# --- found -----------------------------------------------------------------------------------------


def test_a_login_that_is_there_is_taken_and_nothing_of_it_changed(platform, moodle_peer):
    there = moodle_peer.site.add_user("ana", "ana@example.org", firstname="Anna", password="Her-0wn-one")
    person = make_person(email="Ana@Example.org", first_name="Another")
    assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person) == ("ana", True, False)
    assert (there.firstname, there.password, there.email) == ("Anna", "Her-0wn-one", "ana@example.org")
    assert moodle_peer.calls_of(CREATE) == []
    assert platform.set_password(person.pk, "Another-1-one") == refused(Refusal.NOT_OURS)
    assert there.password == "Her-0wn-one"


def test_the_typed_form_is_looked_up_too_and_both_in_one_call(platform, moodle_peer):
    moodle_peer.site.add_user("ana", "Ana@Example.org")
    person = make_person(email="Ana@Example.org")
    assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person) == ("ana", True, False)
    assert [call.function for call in moodle_peer.calls] == [BY_FIELD]


def test_the_case_trap_an_address_kept_in_another_case_is_found_when_its_making_is_refused(
    platform, moodle_peer
):
    moodle_peer.site.add_user("ana@example.org", "ANA@example.ORG")  # many sites name users by their address
    moodle_peer.site.add_user("eva", "EVA@example.ORG")
    people = [make_person(email=f"{name}@example.org") for name in ("ana", "bob", "eva", "zoe")]
    assert platform.ensure_logins([person.pk for person in people]) == [OK] * 4
    assert [login_of(person)[2] for person in people] == [False, True, False, True]
    assert len(moodle_peer.site.users_with_email("ana@example.org")) == 1
    assert platform.set_password(people[0].pk, "Another-1-one") == refused(Refusal.NOT_OURS)


@pytest.mark.parametrize(
    ("wanted", "neighbour"),
    [("a_b@example.org", "axb@example.org"), ("a%b@example.org", "abcb@example.org")],
)
def test_wildcards_in_an_address_find_nobody_else(platform, moodle_peer, wanted, neighbour):
    moodle_peer.site.add_user("neighbour", neighbour)
    moodle_peer.site.add_user("there", wanted.upper())
    person = make_person(email=wanted)
    assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person) == ("there", True, False)
    (search,) = moodle_peer.calls_of(SEARCH)
    assert search.params["criteria"]["0"]["value"] == wanted.replace("_", r"\_").replace("%", r"\%")


def test_of_two_users_with_one_address_the_oldest_that_lets_in_is_taken(platform, moodle_peer, caplog):
    site = moodle_peer.site
    site.add_user("first", "ana@example.org", suspended=True)
    second = site.add_user("second", "ana@example.org")
    site.add_user("third", "ana@example.org")
    person = make_person(email="ana@example.org")
    with caplog.at_level(logging.WARNING, logger="courses.moodle"):
        assert platform.ensure_logins([person.pk]) == [OK]
    assert login_of(person) == ("second", True, False)
    assert caplog.messages == [f"3 Moodle users have the address of person {person.pk}: {second.id} is taken"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"suspended": True}, Refusal.LOGIN_SUSPENDED),
        ({"confirmed": False}, Refusal.LOGIN_UNCONFIRMED),
        ({"auth": "nologin"}, Refusal.LOGIN_CLOSED),
    ],
)
def test_a_login_that_lets_nobody_in_is_refused_and_stays_as_it_is(platform, moodle_peer, fields, code):
    there = moodle_peer.site.add_user("ana", "ANA@example.org", **fields)
    person, other = make_person(email="ana@example.org"), make_person()
    assert platform.ensure_logins([person.pk, other.pk]) == [refused(code), OK]
    assert not PlatformLogin.objects.filter(person=person).exists()
    assert {name: getattr(there, name) for name in fields} == fields


def test_a_login_known_as_another_persons_is_refused(platform, moodle_peer):
    first = make_person(email="old@example.org")
    platform.ensure_logins([first.pk])
    moodle_peer.site.change_email(peer_user(moodle_peer, first), "new@example.org")
    second = make_person(email="new@example.org")
    assert platform.ensure_logins([second.pk]) == [refused(Refusal.LOGIN_TAKEN)]
    assert login_of(first) == ("old@example.org", True, True)


def test_a_user_name_that_has_changed_hands_is_followed(platform, moodle_peer):
    old, new = moodle_peer.site.add_user("ana", "old@example.org"), make_person(email="new@example.org")
    person = make_person(email="old@example.org")
    platform.ensure_logins([person.pk])
    old.username = "anna"
    moodle_peer.site.add_user("ana", "new@example.org")
    assert platform.ensure_logins([new.pk]) == [OK]
    assert (login_of(person)[0], login_of(new)[0]) == ("anna", "ana")


# --- refused lists ---------------------------------------------------------------------------------


def test_one_bad_address_among_many_is_found_by_halving_and_the_others_are_made(platform, moodle_peer):
    people = [make_person() for _ in range(20)]
    bad = make_person(email="né@example.org")
    wanted = [*people[:7], bad, *people[7:]]
    outcomes = platform.ensure_logins([person.pk for person in wanted])
    assert outcomes == [OK] * 7 + [refused(Refusal.BAD_ADDRESS)] + [OK] * 13
    assert len(names(moodle_peer)) == 20
    assert not PlatformLogin.objects.filter(person=bad).exists()


def test_nobody_is_made_while_the_site_does_not_let_us(platform, moodle_peer):
    moodle_peer.site.remove_capability("moodle/user:create")
    with pytest.raises(PlatformAway, match="core_user_create_users"):
        platform.ensure_logins([make_person().pk])
    assert names(moodle_peer) == []


# --- no answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset_after", "bad_gateway_after", "garbage_after", "html_prefix_after"])
def test_what_was_made_without_an_answer_is_found_and_is_ours(platform, moodle_peer, kind):
    people = [make_person().pk for _ in range(5)]
    moodle_peer.faults.add(CREATE, kind)
    assert platform.ensure_logins(people) == [OK] * 5
    assert len(moodle_peer.calls_of(CREATE)) == 1
    assert PlatformLogin.objects.filter(is_ours=True, remote_id__isnull=False).count() == 5


def test_what_was_not_made_is_unknown_until_somebody_asks_again(platform, moodle_peer):
    people = [make_person().pk for _ in range(5)]
    moodle_peer.faults.add(CREATE, "bad_gateway_before")
    assert platform.ensure_logins(people) == [UNKNOWN] * 5
    assert names(moodle_peer) == []
    assert platform.ensure_logins(people) == [OK] * 5
    assert len(names(moodle_peer)) == 5


def test_the_server_commits_after_the_client_has_gone_and_nobody_is_made_twice(settings, moodle_peer, db):
    platform = use_peer(settings, moodle_peer, timeout=3)
    people = [make_person() for _ in range(3)]
    ids = [person.pk for person in people]
    goes_on = threading.Event()
    moodle_peer.site.between_check_and_insert = lambda function: goes_on.wait(60)
    assert platform.ensure_logins(ids) == [UNKNOWN] * 3  # nothing is to be seen yet
    assert names(moodle_peer) == []
    goes_on.set()
    until(lambda: len(names(moodle_peer)) == 3)
    assert platform.ensure_logins(ids) == [OK] * 3
    assert sorted(names(moodle_peer)) == sorted(person.email for person in people)
    assert {login_of(person)[1:] for person in people} == {(True, True)}
    assert len(moodle_peer.calls_of(CREATE)) == 1


def test_while_the_site_is_away_nothing_is_given_up(platform, moodle_peer):
    person = make_person()
    with moodle_peer.away(), pytest.raises(PlatformAway):
        platform.ensure_logins([person.pk])
    assert not PlatformLogin.objects.filter(remote_id__isnull=False).exists()


# --- two at once -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_make_a_person_once(settings, moodle_peer):
    platform = use_peer(settings, moodle_peer)
    people = [make_person().pk for _ in range(3)]
    outcomes = []

    def ensure() -> None:
        outcomes.append(platform.ensure_logins(people))
        connections.close_all()

    threads = [threading.Thread(target=ensure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [[OK] * 3] * 3
    assert len(names(moodle_peer)) == 3
    assert [len(moodle_peer.calls_of(name)) for name in (BY_FIELD, CREATE)] == [1, 1]


# --- passwords -------------------------------------------------------------------------------------


def test_a_password_is_set_with_the_names_and_the_moment_noted(platform, moodle_peer):
    person = make_person()
    platform.ensure_logins([person.pk])
    assert platform.set_password(person.pk, "Pä ss-1234 ", first_name="Zoé", last_name="Martin") == OK
    user = peer_user(moodle_peer, person)
    assert (user.password, user.firstname, user.lastname) == ("Pä ss-1234 ", "Zoé", "Martin")
    assert not PlatformLogin.objects.get(person=person).needs_password
    assert platform.set_password(person.pk, "An0ther-one") == OK
    assert (user.password, user.firstname) == ("An0ther-one", "Zoé")


def test_a_password_that_the_policy_refuses_changes_nothing(platform, moodle_peer):
    person = make_person()
    platform.ensure_logins([person.pk])
    before = peer_user(moodle_peer, person).password
    assert platform.set_password(person.pk, "short") == refused(Refusal.BAD_PASSWORD)
    assert peer_user(moodle_peer, person).password == before
    assert PlatformLogin.objects.get(person=person).needs_password


def test_nobody_we_do_not_know_gets_a_password(platform, moodle_peer):
    assert platform.set_password(make_person().pk, "An0ther-one") == refused(Refusal.UNKNOWN_PERSON)
    assert moodle_peer.calls == []


def test_a_login_that_was_deleted_there_is_said_and_forgotten(platform, moodle_peer):
    person = make_person()
    platform.ensure_logins([person.pk])
    moodle_peer.site.delete_user(peer_user(moodle_peer, person))
    assert platform.set_password(person.pk, "An0ther-one") == refused(Refusal.UNKNOWN_PERSON)
    assert platform.ensure_logins([person.pk]) == [OK]
    assert platform.set_password(person.pk, "An0ther-one") == OK


def test_an_administrator_of_the_site_is_never_changed(platform, moodle_peer):
    person = make_person()
    platform.ensure_logins([person.pk])
    peer_user(moodle_peer, person).site_admin = True
    assert platform.set_password(person.pk, "An0ther-one") == refused(Refusal.NOT_OURS)
    assert PlatformLogin.objects.get(person=person).needs_password


@pytest.mark.parametrize("kind", ["reset_after", "bad_gateway_before", "maintenance"])
def test_without_an_answer_the_password_is_set_again(platform, moodle_peer, kind):
    person = make_person()
    platform.ensure_logins([person.pk])
    moodle_peer.faults.add("core_user_update_users", kind)
    with pytest.raises(PlatformAway):
        platform.set_password(person.pk, "An0ther-one")
    assert PlatformLogin.objects.get(person=person).needs_password
    assert platform.set_password(person.pk, "An0ther-one") == OK
    assert not PlatformLogin.objects.get(person=person).needs_password


def test_neither_the_token_nor_a_password_is_in_any_log(platform, moodle_peer, caplog):
    person, bad = make_person(), make_person(email="né@example.org")
    with caplog.at_level(logging.DEBUG):
        platform.ensure_logins([person.pk, bad.pk])
        moodle_peer.faults.add("core_user_update_users", "garbage_after")
        with pytest.raises(PlatformAway) as raised:
            platform.set_password(person.pk, "An0ther-one")
    made = peer_user(moodle_peer, person).password
    for secret in (moodle_peer.token, "An0ther-one", made):
        assert secret not in caplog.text + repr(raised.value)
    assert CREATE in caplog.text
