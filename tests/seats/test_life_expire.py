"""What has ended is ended, once; what nobody got goes the way its item says (DESIGN section 4, End)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount
from common.models import AuditEntry
from courses.models import Course, Enrolment, ProductEvent
from courses.platform import UNKNOWN, Outcome, Pair, PlatformAway
from seats.models import Assignment, Seat, SeatPool
from seats.selectors import pool_counts
from seats.services import run_expire
from tests.accounts.factories import make_account
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list, references, states, told
from tests.seats.life import session_of
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


def events(reference: str) -> list[tuple[str, dict[str, Any]]]:
    return list(ProductEvent.objects.filter(reference=reference).values_list("verb", "detail"))


# --- seats that somebody has ------------------------------------------------------------------------


def test_what_has_ended_is_suspended_and_stays_in_history(account, course):
    make_pool(account, 2, access_seconds=30 * 86_400)
    ada = give(account, course, "ada@example.org")
    end = ada.ends_at
    assert end is not None
    assert run_expire(now=end - timedelta(seconds=1)).seats == 0
    assert states(account) == {"assigned": 1, "free": 1}
    ended = run_expire(now=end)
    assert (ended.seats, ended.spaces, ended.is_complete) == (1, 0, True)
    ada.refresh_from_db()
    assert (ada.state, ada.end_reason, ada.ended_by, ada.ends_at) == ("ended", "expired", "system", end)
    assert states(account) == {"expired": 1, "free": 1}
    enrolment = Enrolment.objects.get(person=ada.person)
    assert (enrolment.status, enrolment.ends_at) == ("suspended", end)
    assert [verb for verb, _detail in events(ada.seat.reference)] == ["expired"]
    [entry] = AuditEntry.objects.filter(verb="seats.expire")
    assert (entry.scope, entry.counts) == (f"account:{account.pk}", {"seats": 1})


def test_running_it_again_changes_nothing(account, course):
    make_pool(account, 1, access_seconds=86_400)
    give(account, course, "ada@example.org")
    later = NOW + 3 * DAY
    assert run_expire(now=later).seats == 1
    before = [
        list(model.objects.values()) for model in (Assignment, Seat, Enrolment, ProductEvent, AuditEntry)
    ]
    assert run_expire(now=later).seats == 0
    assert before == [
        list(model.objects.values()) for model in (Assignment, Seat, Enrolment, ProductEvent, AuditEntry)
    ]


def test_the_state_is_expired_by_date_whether_or_not_expire_ran(account, course):
    make_pool(account, 2, access_seconds=86_400)
    give(account, course, "ada@example.org")
    with time_machine.travel(NOW + 2 * DAY):
        assert states(account) == {"expired": 1, "free": 1}
        run_expire(now=timezone.now())
        assert states(account) == {"expired": 1, "free": 1}


def test_without_an_end_nothing_ever_expires(account, course):
    make_pool(account, 2)
    give(account, course, "ada@example.org")
    assert run_expire(now=NOW + 10_000 * DAY).seats == 0
    assert states(account) == {"assigned": 1, "free": 1}


def test_figures_on_pages_follow(account, course):
    make_pool(account, 1, access_seconds=86_400)
    give(account, course, "ada@example.org")
    assert pool_counts(account.pk)[0].states == {"assigned": 1}
    run_expire(now=NOW + 2 * DAY)
    assert pool_counts(account.pk)[0].states == {"expired": 1}


def test_whoever_got_another_seat_of_the_course_meanwhile_is_not_suspended(account, course):
    make_pool(account, 2, access_seconds=86_400)
    ada = give(account, course, "ada@example.org")
    with time_machine.travel(NOW + 2 * DAY):
        again = give(account, course, "ada@example.org")
        assert again.seat_id != ada.seat_id
        assert run_expire(now=timezone.now()).seats == 0
    assert Enrolment.objects.get(person=ada.person).status == "active"
    assert states(account) == {"expired": 1, "assigned": 1}


def test_a_seat_that_a_job_holds_is_left_to_the_job(account, course):
    make_pool(account, 1, access_seconds=86_400)
    ada = give(account, course, "ada@example.org")
    Assignment.objects.filter(pk=ada.pk).update(state="reserved")
    assert run_expire(now=NOW + 2 * DAY).seats == 0


def test_many_are_ended_in_few_statements(account, course):
    make_pool(account, 40, access_seconds=86_400)
    apply(plan_list(account, course, *(f"p{n}@example.org" for n in range(40))))
    with CaptureQueriesContext(connection) as captured:
        assert run_expire(now=NOW + 2 * DAY).seats == 40
    assert len(captured) <= 26


def test_it_goes_on_where_it_was_interrupted(account, course, monkeypatch):
    monkeypatch.setattr("seats.services.life_expire.CHUNK", 2)
    make_pool(account, 5, access_seconds=86_400)
    apply(plan_list(account, course, *(f"p{n}@example.org" for n in range(5))))
    Assignment.objects.filter(email="p0@example.org").update(
        state="ended", ended_at=NOW, end_reason="expired"
    )
    Seat.objects.filter(assignments__email="p0@example.org").update(expired_at=NOW)
    assert run_expire(now=NOW + 2 * DAY).seats == 4
    assert states(account) == {"expired": 5}
    assert Enrolment.objects.filter(status="suspended").count() == 4


# --- seats that nobody has: `validity` and the length of access are kept apart ---------------------------


def bought(account: CustomerAccount, seats: int = 2, *, days: int = 30, **fields: Any) -> SeatPool:
    """Seats that may be given within so many days."""
    return make_pool(account, seats, assign_before=NOW + days * DAY, purchased_at=NOW, **fields)


def test_a_seat_given_on_the_last_day_has_its_whole_access(account, course):
    bought(account, 1, access_seconds=180 * 86_400)
    with time_machine.travel(NOW + 30 * DAY - timedelta(minutes=1)):
        ada = give(account, course, "ada@example.org")
        assert ada.ends_at == ada.starts_at + 180 * DAY
    with time_machine.travel(NOW + 31 * DAY):
        assert run_expire(now=timezone.now()).seats == 0
        assert states(account) == {"assigned": 1}
    with time_machine.travel(NOW + 211 * DAY):
        assert run_expire(now=timezone.now()).seats == 1
        assert states(account) == {"expired": 1}


def test_after_its_time_a_seat_is_not_given_to_anybody(account, course):
    bought(account, 1, unassigned_end="nothing")
    with time_machine.travel(NOW + 31 * DAY):
        assert told(apply(plan_list(account, course, "ada@example.org"))) == [("no_seat", "refused")]


def test_a_seat_without_a_time_to_be_given_never_expires_unassigned(account):
    make_pool(account, 2, access_seconds=86_400, unassigned_end="nothing")
    assert run_expire(now=NOW + 5_000 * DAY).seats == 0
    assert states(account) == {"free": 2}


def test_nothing_follows_the_seats_are_gone(account, course):
    pool = bought(account, 3, unassigned_end="nothing")
    give(account, course, "ada@example.org")
    assert run_expire(now=NOW + 30 * DAY - timedelta(seconds=1)).seats == 0
    assert run_expire(now=NOW + 30 * DAY).seats == 2
    assert states(account) == {"assigned": 1, "expired": 2}
    assert [verb for verb, _detail in events(references(pool)[1])] == ["expired"]
    assert run_expire(now=NOW + 40 * DAY).seats == 0


def test_a_credit_is_marked_for_the_shop(account, course):
    pool = bought(account, 2, unassigned_end="credit", bill_number="CMD-7")
    give(account, course, "ada@example.org")
    assert run_expire(now=NOW + 30 * DAY).seats == 1
    assert events(references(pool)[1])[1] == ("to_credit", {"order": "CMD-7"})
    assert events(references(pool)[0]) == []


def test_by_default_they_may_be_given_for_as_long_again(account, course):
    pool = bought(account, 2)
    assert pool.unassigned_end == "extend"
    give(account, course, "ada@example.org")
    with time_machine.travel(NOW + 31 * DAY):
        assert run_expire(now=timezone.now()).seats == 0
        pool.refresh_from_db()
        assert pool.assign_before == NOW + 60 * DAY
        assert states(account) == {"assigned": 1, "free": 1}
        assert events(references(pool)[0]) == []
        [(verb, detail)] = events(references(pool)[1])
        assert (verb, datetime.fromisoformat(detail["until"])) == ("kept", NOW + 60 * DAY)
        assert run_expire(now=timezone.now()).seats == 0
        assert len(events(references(pool)[1])) == 1


def test_whoever_was_late_by_several_periods_gets_whole_ones(account):
    pool = bought(account, 1)
    run_expire(now=NOW + 100 * DAY)
    pool.refresh_from_db()
    assert pool.assign_before == NOW + 120 * DAY


def test_a_new_time_begins_before_the_old_one_is_over(account):
    """With `expire` every hour nobody ever finds seats expired that their item keeps."""
    pool = bought(account, 1)
    run_expire(now=NOW + 28 * DAY)
    pool.refresh_from_db()
    assert pool.assign_before == NOW + 30 * DAY
    run_expire(now=NOW + 29 * DAY)
    pool.refresh_from_db()
    assert pool.assign_before == NOW + 60 * DAY


@pytest.mark.parametrize("then", ["extend", "nothing"])
def test_a_fixed_end_of_access_ends_the_free_seats_too(account, then):
    make_pool(account, 2, access_ends_at=NOW + 10 * DAY, unassigned_end=then)
    assert run_expire(now=NOW + 10 * DAY).seats == 2
    assert states(account) == {"expired": 2}
    assert not ProductEvent.objects.exclude(verb="expired").exists()


def test_a_seat_that_was_taken_back_expires_like_one_that_nobody_had(account, course):
    bought(account, 1, unassigned_end="nothing")
    ada = give(account, course, "ada@example.org")
    Assignment.objects.filter(pk=ada.pk).update(state="ended", ended_at=NOW, end_reason="taken_back")
    assert run_expire(now=NOW + 31 * DAY).seats == 1
    assert states(account) == {"expired": 1}


def test_withdrawn_seats_do_not_expire(account):
    pool = bought(account, 1, unassigned_end="credit")
    Seat.objects.filter(pool=pool).update(withdrawn_at=NOW)
    assert run_expire(now=NOW + 31 * DAY).seats == 0
    assert states(account) == {"withdrawn": 1}


# --- sessions, spaces, the command -----------------------------------------------------------------------


def test_a_session_ends_with_everybody_in_it_and_its_free_seats(account):
    session = session_of(account, make_course(), "ada@a.example", "bob@a.example")
    Assignment.objects.filter(email="bob@a.example").update(
        state="ended", ended_at=NOW, end_reason="taken_back"
    )
    assert session.ends_at is not None
    assert run_expire(now=session.ends_at).seats == 2
    assert states(account) == {"expired": 2}
    assert [verb for verb, _detail in events(session.reference)] == ["expired"]
    assert run_expire(now=session.ends_at + DAY).seats == 0
    assert len(events(session.reference)) == 1


def test_spaces_are_closed_as_courses(account):
    space = make_space(account=account, ends_at=NOW + DAY)
    ended = run_expire(now=NOW + DAY)
    assert (ended.seats, ended.spaces) == (0, 1)
    assert Course.objects.get(space=space).closed_at is not None
    assert Enrolment.objects.get(course=space.course).status == "active"


def run(*arguments: str, capsys: Any) -> Any:
    call_command("expire", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_command_prints_what_it_has_ended(account, course, capsys):
    make_pool(account, 1, access_seconds=86_400)
    give(account, course, "ada@example.org")
    make_space(account=account, ends_at=NOW + DAY)
    assert run(capsys=capsys) == {"seats": 0, "spaces": 0}
    at = (NOW + 2 * DAY).isoformat()
    assert run("--at", at, capsys=capsys) == {"seats": 1, "spaces": 1}
    assert run("--at", at, capsys=capsys) == {"seats": 0, "spaces": 0}


def test_a_bad_instant_ends_nothing(account, course):
    make_pool(account, 1, access_seconds=1)
    give(account, course, "ada@example.org")
    with pytest.raises(CommandError, match="at:") as refusal:
        call_command("expire", "--at", "tomorrow")
    assert refusal.value.returncode == 2
    assert Assignment.objects.get().state == "live"


# --- a platform far away -----------------------------------------------------------------------------


@pytest.fixture
def far(monkeypatch, settings, account, course) -> FarPlatform:
    make_pool(account, 2, access_seconds=86_400)
    give(account, course, "ada@example.org")
    give(account, course, "bob@example.org")
    return install(monkeypatch, settings)


def test_a_platform_that_is_away_leaves_it_to_the_next_time(far, account, monkeypatch, capsys):
    def away(pairs: list[Pair]) -> list[Outcome]:
        raise PlatformAway("no route to host")

    monkeypatch.setattr(far, "end_enrolments", away)
    ended = run_expire(now=NOW + 2 * DAY)
    assert (ended.seats, ended.is_complete) == (0, False)
    assert {one.state for one in Assignment.objects.all()} == {"live"}
    with pytest.raises(CommandError, match="did not answer") as failure:
        call_command("expire", "--at", (NOW + 2 * DAY).isoformat(), "--json")
    assert failure.value.returncode == 1
    assert json.loads(capsys.readouterr().out) == {"seats": 0, "spaces": 0}


def test_whoever_it_does_not_answer_for_is_ended_the_next_time(far, account, monkeypatch):
    ada = Assignment.objects.get(email="ada@example.org")
    whole = far.end_enrolments

    def half(pairs: list[Pair]) -> list[Outcome]:
        told = whole(pairs)
        return [
            UNKNOWN if person == ada.person_id else it
            for (_course, person), it in zip(pairs, told, strict=True)
        ]

    monkeypatch.setattr(far, "end_enrolments", half)
    ended = run_expire(now=NOW + 2 * DAY)
    assert (ended.seats, ended.is_complete) == (1, False)
    monkeypatch.setattr(far, "end_enrolments", whole)
    ended = run_expire(now=NOW + 2 * DAY)
    assert (ended.seats, ended.is_complete) == (1, True)
    assert Enrolment.objects.filter(status="suspended").count() == 2
