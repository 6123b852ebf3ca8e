"""Signing in with a mailed code: what it tells nobody, and when it does not work."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person, SignInCode
from accounts.services.codes import CODE_DIGITS, find_open_code, text_of_code
from common.models import OutboxMail
from common.outbox import deliver_due
from tests.accounts.factories import PASSWORD, make_person
from tests.accounts.helpers import (
    ask_for_code,
    browser,
    code_in,
    enter_code,
    letter,
    letters,
    other_than,
    sign_in,
    who,
)

pytestmark = pytest.mark.django_db

ASK, ENTER = "/sign/code/", "/sign/code/confirm/"
CLOSED = "This code no longer works"


def asked(person: Person):
    """A browser that asked for a code of this person, and the code."""
    client = browser()
    ask_for_code(client, person.email)
    return client, code_in(letters(person.email)[-1])


def facts(person: Person) -> tuple[object, ...]:
    """What a sign-in would change."""
    rows = Person.objects.values("password", "possessed_at", "last_login").get(pk=person.pk)
    return rows, list(EmailAddress.objects.values())


def shown(response, *typed: str) -> tuple[int, str]:
    """The page, without what differs between any two visits and what was typed."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", response.content.decode())
    for text in typed:
        page = page.replace(text, "")
    return response.status_code, page


# --- what it tells ----------------------------------------------------------------------------------


def everything_seen(email: str) -> list[object]:
    """Every answer that somebody with the wrong codes gets."""
    client = browser()
    answer = ask_for_code(client, email)
    seen: list[object] = [(answer.status_code, answer["Location"]), shown(client.get(ENTER), email)]
    row = SignInCode.objects.get(email_key=email)
    wrong = other_than(text_of_code(row))
    seen += [shown(enter_code(client, wrong), email, wrong) for _ in range(6)]
    seen.append(shown(client.get(ENTER), email))
    return seen


def test_known_unknown_and_closed_addresses_are_answered_with_the_same_words():
    make_person(email="known@example.org", password=PASSWORD, possessed_at=timezone.now())
    make_person(email="brought@example.org")
    make_person(email="closed@example.org", is_active=False)
    emails = ("known@example.org", "brought@example.org", "closed@example.org", "unknown@example.org")
    first, *others = [everything_seen(email) for email in emails]
    assert others == [first, first, first]
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["account_code"] * 4


def test_known_and_unknown_addresses_take_the_same_statements():
    make_person(email="known@example.org", password=PASSWORD, possessed_at=timezone.now())
    told = []
    # The first visit of all reads what the others find in the cache.
    for email in ("first@example.org", "known@example.org", "unknown@example.org"):
        client = browser()
        with CaptureQueriesContext(connection) as asking:
            ask_for_code(client, email)
        wrong = other_than(text_of_code(SignInCode.objects.get(email_key=email)))
        with CaptureQueriesContext(connection) as trying:
            enter_code(client, wrong)
        told.append([len(asking), len(trying)])
    assert told[1] == told[2]


def test_an_unknown_address_gets_a_mail_without_a_code():
    ask_for_code(browser(), " Nobody@example.org")
    text = letter("Nobody@example.org")
    assert "nobody signs in there with Nobody@example.org" in text
    assert not re.search(r"\d{4}.?\d{4}", text)


def test_the_code_of_an_unknown_address_lets_nobody_in():
    client = browser()
    ask_for_code(client, "nobody@example.org")
    assert enter_code(client, text_of_code(SignInCode.objects.get())).status_code == 200
    assert who(client) is None
    assert not Person.objects.exists()


def test_no_code_is_kept_anywhere():
    person = make_person()
    client, code = asked(person)
    rows = [list(model.objects.values()) for model in (SignInCode, OutboxMail, Person)]
    kept = repr([rows, dict(client.session)])
    assert code not in kept
    assert f"{code[:4]}\u00a0{code[4:]}" not in kept
    assert OutboxMail.objects.get().ids == {"code": SignInCode.objects.get().pk, "next": ""}


def test_a_code_has_eight_digits_and_zeros_in_front_are_not_lost():
    code = SignInCode(pk=1, email_key="ana@example.org", created_at=datetime(2027, 1, 1, tzinfo=UTC))
    lengths = set()
    firsts = set()
    for number in range(200):
        code.pk = number
        text = text_of_code(code)
        lengths.add(len(text))
        firsts.add(text[0])
    assert lengths == {CODE_DIGITS} == {8}
    assert firsts == set("0123456789")


def test_a_mail_sent_twice_carries_the_same_code():
    person = make_person()
    _, code = asked(person)
    OutboxMail.objects.update(state=OutboxMail.State.QUEUED)
    assert [code_in(mail) for mail in letters(person.email)] == [code, code]


def test_the_code_hangs_on_the_secret_key(settings):
    _, code = asked(make_person())
    row = find_open_code(SignInCode.objects.get().pk)
    settings.SECRET_KEY = "another key"
    assert row is not None
    assert text_of_code(row) != code


# --- when it does not work ---------------------------------------------------------------------------


def test_a_code_works_for_fifteen_minutes():
    person = make_person()
    start = datetime(2027, 3, 1, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        client, code = asked(person)
        text = str(letters(person.email)[0].body)
        assert "It works once, until 1 March 2027 at 10:15." in text
        clock.shift(timedelta(minutes=14, seconds=59))
        assert client.get(ENTER).status_code == 200
        late, late_code = asked(person)
        assert enter_code(client, code).status_code == 302
        before = facts(person)
        clock.shift(timedelta(minutes=15))
        assert late.get(ENTER).status_code == 410
        response = enter_code(late, late_code)
        assert response.status_code == 410
        assert CLOSED in response.content.decode()
        assert who(late) is None
        assert facts(person) == before


def test_the_fifth_wrong_try_ends_a_code_and_the_right_one_comes_too_late():
    person = make_person()
    client, code = asked(person)
    before = facts(person)
    for left in (4, 3, 2):
        page = enter_code(client, other_than(code)).content.decode()
        assert f"You have {left} more tries." in page
    assert "You have 1 more try." in enter_code(client, other_than(code)).content.decode()
    assert enter_code(client, other_than(code)).status_code == 410
    assert enter_code(client, code).status_code == 410
    assert who(client) is None
    assert facts(person) == before
    assert SignInCode.objects.get().tries == 5


def test_the_fifth_try_may_be_the_right_one():
    person = make_person()
    client, code = asked(person)
    for _ in range(4):
        enter_code(client, other_than(code))
    assert enter_code(client, code).status_code == 302
    assert who(client) == person.pk


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "abcdefgh", "²²²²²²²²"])
def test_what_cannot_be_a_code_costs_no_try(typed):
    person = make_person()
    client, code = asked(person)
    assert enter_code(client, typed).status_code == 200
    assert SignInCode.objects.get().tries == 0
    assert enter_code(client, code).status_code == 302


def test_a_code_works_once():
    person = make_person()
    client, code = asked(person)
    # The session as it was before the code was used.
    again = browser()
    session = again.session
    session.update(dict(client.session))
    session.save()
    assert enter_code(client, code).status_code == 302
    before = facts(person)
    assert enter_code(again, code).status_code == 410
    assert who(again) is None
    assert facts(person) == before


def test_a_new_request_replaces_the_code():
    person = make_person()
    client, first = asked(person)
    ask_for_code(client, person.email)
    second = code_in(letters(person.email)[-1])
    assert second != first
    assert SignInCode.objects.count() == 1
    assert enter_code(client, first).status_code == 200
    assert who(client) is None
    assert enter_code(client, second).status_code == 302
    assert who(client) == person.pk


def test_a_code_replaced_before_its_mail_left_is_not_mailed():
    person = make_person()
    client = browser()
    ask_for_code(client, person.email)
    ask_for_code(client, person.email)
    deliver_due()
    assert [mail.state for mail in OutboxMail.objects.order_by("id")] == ["cancelled", "sent"]
    assert len(letters(person.email)) == 1


def test_a_request_in_another_browser_leaves_the_code_alone():
    person = make_person()
    client, code = asked(person)
    asked(person)
    assert enter_code(client, code).status_code == 302
    assert who(client) == person.pk


def test_a_code_works_only_in_the_browser_that_asked_for_it():
    person = make_person()
    _, code = asked(person)
    stranger = browser()
    before = facts(person)
    response = enter_code(stranger, code, next="/learn/")
    assert (response.status_code, response["Location"]) == (302, f"{ASK}?next=%2Flearn%2F")
    assert who(stranger) is None
    # Nor in one that asked for its own.
    ask_for_code(stranger, "mallory@example.org")
    assert enter_code(stranger, code).status_code == 200
    assert who(stranger) is None
    assert facts(person) == before


def test_looking_at_the_page_uses_nothing_up():
    person = make_person()
    client, code = asked(person)
    before = facts(person)
    for _ in range(6):
        assert client.get(f"{ENTER}?code={code}").status_code == 200
    assert who(client) is None
    assert facts(person) == before
    assert SignInCode.objects.get().tries == 0


def test_a_closed_login_gets_no_code():
    person = make_person(email="closed@example.org", is_active=False)
    client = browser()
    ask_for_code(client, person.email)
    assert "nobody signs in there with closed@example.org" in letter(person.email)
    assert enter_code(client, text_of_code(SignInCode.objects.get())).status_code == 200
    assert who(client) is None


def test_a_login_closed_meanwhile_is_not_let_in_and_gets_no_mail():
    person = make_person()
    client, code = asked(person)
    late = browser()
    ask_for_code(late, person.email)
    Person.objects.update(is_active=False)
    assert enter_code(client, code).status_code == 200
    assert who(client) is None
    assert len(letters(person.email)) == 1
    assert [row.state for row in OutboxMail.objects.order_by("id")] == ["sent", "cancelled"]


def test_a_code_mailed_to_an_address_that_is_no_longer_the_person_s_lets_nobody_in():
    person = make_person(email="old@example.org")
    client, code = asked(person)
    person.email = "new@example.org"
    person.save()
    assert enter_code(client, code).status_code == 200
    assert who(client) is None
    assert not EmailAddress.objects.exists()


def test_what_is_over_for_an_hour_is_deleted_at_the_next_request():
    start = datetime(2027, 3, 1, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        ask_for_code(browser(), "one@example.org")
        clock.shift(timedelta(minutes=75))
        ask_for_code(browser(), "two@example.org")
        clock.shift(timedelta(seconds=1))
        ask_for_code(browser(), "three@example.org")
    keys = SignInCode.objects.order_by("id").values_list("email_key", flat=True)
    assert list(keys) == ["two@example.org", "three@example.org"]


# --- how often ------------------------------------------------------------------------------------


def test_the_sixth_code_for_an_address_in_a_minute_is_refused_however_it_is_typed():
    for typed in ("ana@example.org", "ANA@example.org", " ana@example.org", "Ana@Example.org"):
        assert ask_for_code(browser(), typed).status_code == 302
    assert ask_for_code(browser(), "ana@example.ORG").status_code == 302
    assert ask_for_code(browser(), "aNa@example.org").status_code == 429
    assert OutboxMail.objects.count() == SignInCode.objects.count() == 5
    assert ask_for_code(browser(), "ben@example.org").status_code == 302


def test_the_twenty_first_code_for_an_address_in_an_hour_is_refused():
    with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False) as clock:
        for _ in range(20):
            assert ask_for_code(browser(), "ana@example.org").status_code == 302
            clock.shift(timedelta(seconds=61))
        assert ask_for_code(browser(), "ana@example.org").status_code == 429
        assert OutboxMail.objects.count() == 20


def test_the_thirty_first_request_from_one_place_in_a_minute_is_refused():
    with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False):
        for number in range(30):
            assert ask_for_code(browser(), f"person-{number}@example.org").status_code == 302
        assert ask_for_code(browser(), "one-more@example.org").status_code == 429
        assert OutboxMail.objects.count() == 30


def test_the_thirty_first_try_from_one_place_in_a_minute_is_refused_and_costs_no_try():
    person = make_person()
    with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False):
        for number in range(6):
            client = browser()
            ask_for_code(client, f"person-{number}@example.org")
            for _ in range(5):
                enter_code(client, "00000000")
        client, code = asked(person)
        assert enter_code(client, code).status_code == 429
        assert who(client) is None
        assert SignInCode.objects.get(person=person).tries == 0


def test_wrong_codes_close_no_other_way_in():
    person = make_person(password=PASSWORD, is_staff=True)
    client, code = asked(person)
    for _ in range(5):
        enter_code(client, other_than(code))
    cache.clear()
    other = browser()
    assert sign_in(other, person.email) == 302
    assert who(other) == person.pk
