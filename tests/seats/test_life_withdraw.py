"""Withdrawn by staff and given back: with a reason, audited, mailed, and felt on the platform."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Role
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Course, Enrolment, GroupMember, ProductEvent
from delegation.models import Delegation
from seats.models import Assignment, Seat, SeatPool, Session
from seats.selectors import find_seat, seat_history
from seats.services import Done, Refused, extend_until, release, restore, run_expire, set_courses, withdraw
from tests.accounts.factories import make_account, make_member, make_person
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list, references, states, told
from tests.seats.life import DAY, details, session_of, verbs
from tests.seats.remote import install

pytestmark = pytest.mark.django_db

NOW = timezone.now()
WHY = "the order was cancelled"


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def ada(account, course) -> Assignment:
    make_pool(account, 2, access_seconds=30 * 86_400)
    return give(account, course, "ada@example.org")


def take(*named: str) -> Done:
    return withdraw(references=named, actor=OPERATOR, why=WHY)


def bring_back(*named: str) -> Done:
    return restore(references=named, actor=OPERATOR, why="it was a mistake")


def codes(done: Done) -> list[tuple[str, str]]:
    return [(reference, refused.code) for reference, refused in done.refused]


def everything() -> list[Any]:
    models = (Assignment, Seat, Session, Enrolment, GroupMember, ProductEvent, OutboxMail, AuditEntry)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


# --- a seat -----------------------------------------------------------------------------------------


def test_whoever_sits_in_a_withdrawn_seat_is_suspended(account, ada):
    done = take(ada.seat.reference)
    assert (done.changed, done.refused) == ([ada.seat.reference], [])
    ada.refresh_from_db()
    assert (ada.state, ada.end_reason, ada.ended_by) == ("ended", "withdrawn", "operator")
    assert states(account) == {"withdrawn": 1, "free": 1}
    enrolment = Enrolment.objects.get(person=ada.person)
    assert (enrolment.status, enrolment.ends_at) == ("suspended", ada.ends_at)
    assert GroupMember.objects.filter(person=ada.person).exists()
    assert Delegation.objects.filter(person=ada.person, ended_at=None).exists()
    [entry] = AuditEntry.objects.filter(verb="products.withdrawn")
    assert (entry.why, entry.counts) == (WHY, {"products": 1, "seats": 1})


def test_given_back_it_is_as_it_was(account, ada):
    before = list(Enrolment.objects.values())
    take(ada.seat.reference)
    done = bring_back(ada.seat.reference)
    assert done.changed == [ada.seat.reference]
    ada.refresh_from_db()
    assert (ada.state, ada.ended_at, ada.ended_by, ada.end_reason) == ("live", None, "", "")
    assert states(account) == {"assigned": 1, "free": 1}
    assert list(Enrolment.objects.values()) == before
    assert verbs(ada.seat.reference) == ["withdrawn", "restored"]


def test_both_may_be_repeated(ada):
    take(ada.seat.reference)
    before = everything()
    assert take(ada.seat.reference).changed == []
    assert everything() == before
    bring_back(ada.seat.reference)
    before = everything()
    assert bring_back(ada.seat.reference).changed == []
    assert everything() == before


def test_a_free_seat_is_withdrawn_and_can_be_given_once_it_is_back(account, course):
    pool = make_pool(account, 1)
    [reference] = references(pool)
    take(reference)
    assert told(apply(plan_list(account, course, "ada@example.org"))) == [("no_seat", "refused")]
    bring_back(reference)
    assert told(apply(plan_list(account, course, "ada@example.org"))) == [("new_account", "assigned")]


def test_whoever_has_another_seat_by_then_keeps_that_one_and_the_old_one_is_free(account, course, ada):
    take(ada.seat.reference)
    other = give(account, course, "ada@example.org")
    assert other.pk != ada.pk
    bring_back(ada.seat.reference)
    assert states(account) == {"assigned": 1, "free": 1}
    assert find_seat(ada.seat.reference).state == "free"
    assert Enrolment.objects.get(person=ada.person).ends_at == other.ends_at


def test_what_has_ended_meanwhile_is_given_back_as_expired(account, ada):
    take(ada.seat.reference)
    with time_machine.travel(ada.ends_at + DAY):
        bring_back(ada.seat.reference)
        assert states(account) == {"expired": 1, "free": 1}
        assert Enrolment.objects.get(person=ada.person).status == "suspended"
        assert run_expire(now=timezone.now()).seats == 1


def test_an_expired_seat_can_be_withdrawn_and_is_expired_again(account, ada):
    run_expire(now=ada.ends_at)
    take(ada.seat.reference)
    assert find_seat(ada.seat.reference).state == "withdrawn"
    bring_back(ada.seat.reference)
    ada.refresh_from_db()
    assert (find_seat(ada.seat.reference).state, ada.end_reason) == ("expired", "expired")


def test_a_seat_that_is_just_being_given_is_left_alone(ada):
    Assignment.objects.update(state="reserved")
    before = everything()
    assert codes(take(ada.seat.reference)) == [(ada.seat.reference, "busy")]
    assert everything() == before


def test_a_withdrawn_seat_cannot_change_hands(account, ada):
    take(ada.seat.reference)
    with pytest.raises(Refused) as refused:
        release(reference=ada.seat.reference, account_id=account.pk, actor=OPERATOR)
    assert refused.value.code == "ended"


def test_what_nobody_knows_is_refused_and_the_others_are_done(ada):
    done = take("2222-2222-2222-2222", ada.seat.reference)
    assert (done.changed, codes(done)) == ([ada.seat.reference], [("2222-2222-2222-2222", "unknown")])


def test_whoever_had_not_come_yet_is_written_to_again(ada):
    take(ada.seat.reference)
    bring_back(ada.seat.reference)
    [again] = OutboxMail.objects.filter(event_key__startswith=f"assignment:{ada.pk}:back:")
    assert (again.kind, again.to) == ("invitation", "ada@example.org")


# --- many at once: one transaction, one audit entry, one INSERT of events, one mail ------------------------


def test_many_seats_are_one_operation(account, course):
    manager = make_member(Role.MANAGER, account=account).person
    make_member(Role.VIEWER, account=account)
    pool = make_pool(account, 30)
    apply(plan_list(account, course, *(f"p{n}@example.org" for n in range(20))))
    with CaptureQueriesContext(connection) as captured:
        take(*references(pool))
    assert len([query for query in captured if 'INSERT INTO "courses_productevent"' in query["sql"]]) == 1
    assert len(captured) <= 22
    assert states(account) == {"withdrawn": 30}
    assert AuditEntry.objects.filter(verb="products.withdrawn").count() == 1
    [mail] = OutboxMail.objects.filter(kind="product_changed")
    assert (mail.to, mail.ids["number"]) == (manager.email, 30)
    bring_back(*references(pool))
    assert states(account) == {"assigned": 20, "free": 10}
    assert Enrolment.objects.filter(status="active").count() == 20


def test_products_of_two_organisations_are_two_operations(account, course, ada):
    other = make_account()
    [foreign] = references(make_pool(other, 1))
    for one in (account, other):
        make_member(Role.OWNER, account=one)
    take(ada.seat.reference, foreign)
    scopes = AuditEntry.objects.filter(verb="products.withdrawn").values_list("scope", flat=True)
    assert sorted(scopes) == sorted([f"account:{account.pk}", f"account:{other.pk}"])
    assert OutboxMail.objects.filter(kind="product_changed").count() == 2


def test_mails_and_the_trail_hold_ids_and_no_names(account, ada):
    make_member(Role.OWNER, account=account)
    take(ada.seat.reference)
    mail = OutboxMail.objects.get(kind="product_changed")
    event = ProductEvent.objects.get()
    assert mail.ids["events"] == str(event.pk)
    assert set(mail.ids) == {"account", "events", "number", "person"}
    assert (event.detail["why"], set(event.detail)) == (WHY, {"course", "why"})


# --- sessions and spaces --------------------------------------------------------------------------------


def test_a_session_is_withdrawn_and_given_back_with_all_its_seats(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example", "tom@a.example tutor")
    assert take(session.reference).changed == [session.reference]
    assert states(account) == {"withdrawn": 3}
    assert set(Enrolment.objects.values_list("status", flat=True)) == {"suspended"}
    session.refresh_from_db()
    assert session.withdrawn_at is not None
    assert details(session.reference) == [{"seats": 3, "why": WHY}]
    bring_back(session.reference)
    assert states(account) == {"assigned": 3}
    assert set(Enrolment.objects.values_list("status", flat=True)) == {"active"}


def test_a_seat_withdrawn_before_its_session_does_not_come_back_with_it(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    bob = Assignment.objects.get(email="bob@a.example")
    take(bob.seat.reference)
    with time_machine.travel(NOW + timedelta(minutes=1)):
        take(session.reference)
        bring_back(session.reference)
    assert find_seat(bob.seat.reference).state == "withdrawn"
    bring_back(bob.seat.reference)
    assert states(account) == {"assigned": 2}


def test_a_session_with_a_seat_that_is_just_being_given_is_left_alone(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    Assignment.objects.filter(email="bob@a.example").update(state="reserved")
    before = everything()
    assert codes(take(session.reference)) == [(session.reference, "busy")]
    assert everything() == before


def test_a_space_is_withdrawn_and_given_back(account):
    make_member(Role.OWNER, account=account)
    space = make_space(account=account)
    assert take(space.reference).changed == [space.reference]
    assert Course.objects.get(space=space).closed_at is not None
    assert take(space.reference).changed == []
    assert bring_back(space.reference).changed == [space.reference]
    assert Course.objects.get(space=space).closed_at is None
    assert OutboxMail.objects.filter(kind="product_changed").count() == 2


# --- the allowed courses of free seats --------------------------------------------------------------------


def test_free_seats_become_good_for_other_courses_and_given_ones_stay(account):
    excel, word = make_course("EXCEL1"), make_course("WORD1")
    make_member(Role.OWNER, account=account)
    pool = make_pool(account, 2, courselist="EXCEL*")
    ada = give(account, excel, "ada@example.org")
    assert told(apply(plan_list(account, word, "bob@example.org"))) == [("not_allowed", "refused")]
    assert set_courses(pool_id=pool.pk, courselist=" WORD%, WORD1 ", actor=OPERATOR, why="asked for") == 1
    assert SeatPool.objects.get().courselist == "WORD*,WORD1"
    assert told(apply(plan_list(account, word, "bob@example.org"))) == [("new_account", "assigned")]
    ada.refresh_from_db()
    assert ada.state == "live"
    assert verbs(ada.seat.reference) == []
    [detail] = details(references(pool)[1])
    assert detail == {"from": "EXCEL*", "courses": "WORD*,WORD1", "why": "asked for"}
    assert AuditEntry.objects.get(verb="pool.courses").why == "asked for"
    assert OutboxMail.objects.filter(kind="product_changed").count() == 1


@pytest.mark.parametrize("courselist", ["NOTHING*", "TEMPLATE"])
def test_a_list_that_matches_no_open_course_changes_nothing(account, course, courselist):
    make_course("TEMPLATE", is_template=True)
    pool = make_pool(account, 1, courselist=course.shortname)
    with pytest.raises(Refused) as refused:
        set_courses(pool_id=pool.pk, courselist=courselist, actor=OPERATOR, why="asked for")
    assert refused.value.code == "no_course"
    assert SeatPool.objects.get().courselist == course.shortname


def test_seats_of_a_session_are_bound_to_its_course(account, course):
    session = session_of(account, course, "ada@a.example")
    with pytest.raises(Refused) as refused:
        set_courses(pool_id=session.pool_id, courselist="", actor=OPERATOR, why="asked for")
    assert refused.value.code == "bound"


# --- the trail ------------------------------------------------------------------------------------------


def test_the_trail_of_a_seat_tells_everything_once(account, ada):
    take(ada.seat.reference)
    bring_back(ada.seat.reference)
    extend_until(references=[ada.seat.reference], until=ada.ends_at + DAY, actor=OPERATOR, why="goodwill")
    run_expire(now=ada.ends_at + 2 * DAY)
    steps = [(step.step.value, step.reason, step.name, step.why) for step in seat_history(ada.seat.reference)]
    assert steps == [
        ("made", "", "", ""),
        ("given", "", "Ada Doe", ""),
        ("withdrawn", "", "", WHY),
        ("restored", "", "", "it was a mistake"),
        ("extended", "", "", "goodwill"),
        ("ended", "expired", "Ada Doe", ""),
    ]


def test_seathistory_reads_sessions_and_spaces_too(account, course, capsys):
    session = session_of(account, course, "ada@a.example")
    space = make_space(account=account)
    take(session.reference, space.reference)

    def steps(reference: str) -> list[tuple[str, str | None]]:
        call_command("seathistory", reference, "--json")
        return [(step["step"], step["why"]) for step in json.loads(capsys.readouterr().out)]

    assert steps(session.reference) == [("bought", None), ("withdrawn", WHY)]
    assert steps(space.reference) == [("withdrawn", WHY)]


def test_on_the_page_staff_is_the_shop(client, account, ada):
    staff = make_person(is_staff=True)
    owner = make_member(Role.OWNER, account=account).person
    withdraw(references=[ada.seat.reference], actor=Actor.person(staff.pk), why=WHY)
    restore(references=[ada.seat.reference], actor=Actor.person(staff.pk), why="it was a mistake")
    until = ada.ends_at + DAY
    extend_until(references=[ada.seat.reference], until=until, actor=Actor.person(staff.pk), why="goodwill")
    client.force_login(owner)
    page = client.get(f"/seats/{ada.seat.reference}/", headers={"accept-language": "en"}).content.decode()
    assert staff.name not in page
    for words in (
        "The seat was withdrawn.",
        WHY,
        "The seat was given back.",
        "The access was extended",
        "the shop",
    ):
        assert words in page


# --- a platform far away -----------------------------------------------------------------------------


def test_a_far_platform_is_told_by_a_job(ada, monkeypatch, settings, django_capture_on_commit_callbacks):
    far = install(monkeypatch, settings)
    with django_capture_on_commit_callbacks() as callbacks:
        take(ada.seat.reference)
    assert Enrolment.objects.get(person=ada.person).status == "active"
    for callback in callbacks:
        callback()
    assert Enrolment.objects.get(person=ada.person).status == "suspended"
    far.is_away = True
    with django_capture_on_commit_callbacks(execute=True):
        bring_back(ada.seat.reference)
    job = Job.objects.filter(kind="seats.hold").latest("pk")
    assert (job.state, Enrolment.objects.get(person=ada.person).status) == ("queued", "suspended")
