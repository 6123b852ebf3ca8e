"""A later end, by reference: from the later of the purchase and the old end, never shorter, once per order line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomerAccount
from common.audit import OPERATOR, SYSTEM
from common.models import AuditEntry, OutboxMail
from courses.models import Course, Enrolment, GroupMember, ProductEvent
from seats.models import Assignment, Seat
from seats.selectors import find_seat, pool_counts
from seats.services import Extended, Refused, replace, run_expire, run_extend
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, references, states
from tests.seats.life import DAY, details, session_of, verbs

pytestmark = pytest.mark.django_db

NOW = timezone.now()


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


def extend(reference: str, **fields: Any) -> Extended:
    """Extend by ten days, bought now."""
    values: dict[str, Any] = {"days": 10, "at": timezone.now(), "key": "line-1", "actor": SYSTEM}
    return run_extend(reference=reference, **(values | fields))


def refusal(reference: str, **fields: Any) -> str:
    """The code with which it is refused; nothing is changed."""
    before = everything()
    with pytest.raises(Refused) as refused:
        extend(reference, **fields)
    assert everything() == before
    return refused.value.code


def everything() -> list[Any]:
    models = (Assignment, Seat, Enrolment, ProductEvent, OutboxMail, AuditEntry, CustomerAccount)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def enrolment(one: Assignment) -> Enrolment:
    return Enrolment.objects.get(course=one.course_id, person=one.person_id)


# --- a seat -----------------------------------------------------------------------------------------


def test_a_seat_lasts_longer_from_its_old_end_on_the_platform_too(ada):
    old = ada.ends_at
    extended = extend(ada.seat.reference, order="CMD-9")
    assert extended.until == old + 10 * DAY
    ada.refresh_from_db()
    assert (ada.ends_at, ada.state) == (old + 10 * DAY, "live")
    assert (enrolment(ada).ends_at, enrolment(ada).status) == (old + 10 * DAY, "active")
    assert enrolment(ada).starts_at == ada.starts_at
    [detail] = details(ada.seat.reference)
    assert (detail["order"], datetime.fromisoformat(detail["from"])) == ("CMD-9", old)
    [entry] = AuditEntry.objects.filter(verb="seat.extended")
    assert (entry.object, entry.counts) == (f"seat:{ada.seat.reference}", {"seats": 1})


def test_the_same_line_extends_once_however_often_it_is_delivered(ada):
    first = extend(ada.seat.reference)
    before = everything()
    assert extend(ada.seat.reference).until == first.until
    assert everything() == before
    assert extend(ada.seat.reference, key="line-2").until == first.until + 10 * DAY


def test_what_has_ended_goes_on_from_the_purchase(ada):
    bought = ada.ends_at + 100 * DAY
    run_expire(now=ada.ends_at)
    with time_machine.travel(bought):
        assert extend(ada.seat.reference, at=bought).until == bought + 10 * DAY
        ada.refresh_from_db()
        assert (ada.state, ada.ended_at, ada.end_reason) == ("live", None, "")
        assert states(ada.account) == {"assigned": 1, "free": 1}
        assert (enrolment(ada).status, enrolment(ada).ends_at) == ("active", bought + 10 * DAY)
        assert GroupMember.objects.filter(person=ada.person).count() == 1
    assert verbs(ada.seat.reference) == ["expired", "extended"]


def test_what_has_ended_by_date_goes_on_whether_or_not_expire_ran(ada):
    bought = ada.ends_at + DAY
    with time_machine.travel(bought):
        assert extend(ada.seat.reference, at=bought).until == bought + 10 * DAY
        assert states(ada.account) == {"assigned": 1, "free": 1}
        assert run_expire(now=bought).seats == 0


def test_work_begun_before_stays_begun(ada):
    Assignment.objects.filter(pk=ada.pk).update(opened_at=NOW)
    run_expire(now=ada.ends_at)
    with time_machine.travel(ada.ends_at + DAY):
        extend(ada.seat.reference)
        assert states(ada.account) == {"consumed": 1, "free": 1}


def test_whoever_gets_back_in_is_told_and_nobody_else(ada):
    extend(ada.seat.reference)
    assert OutboxMail.objects.count() == 1  # of the seat when it was given
    ada.refresh_from_db()
    with time_machine.travel(ada.ends_at + DAY):
        extend(ada.seat.reference, key="line-2")
        assert list(OutboxMail.objects.order_by("id").values_list("kind", "event_key")) == [
            ("invitation", f"assignment:{ada.pk}:given"),
            ("invitation", f"assignment:{ada.pk}:back:line-2"),
        ]


def test_an_enrolment_that_lasts_longer_is_not_shortened(ada):
    far = ada.ends_at + 400 * DAY
    Enrolment.objects.update(ends_at=far)
    extend(ada.seat.reference)
    assert enrolment(ada).ends_at == far
    Enrolment.objects.update(ends_at=None)
    extend(ada.seat.reference, key="line-2")
    assert enrolment(ada).ends_at is None


def test_days_are_24_hours_over_a_change_of_the_clock(account, course):
    """On 31 October 2027 the clock goes back: the end comes an hour earlier on the clock."""
    end = datetime.fromisoformat("2027-10-20T12:00:00+02:00")
    make_pool(account, 1, access_ends_at=end)
    ada = give(account, course, "ada@example.org")
    extended = extend(ada.seat.reference, days=20)
    assert extended.until == datetime.fromisoformat("2027-11-09T11:00:00+01:00")
    assert extended.until - end == 20 * DAY


def test_the_purchase_counts_and_not_the_day_of_the_delivery(ada):
    bought = ada.ends_at + DAY
    with time_machine.travel(bought + 3 * DAY):
        assert extend(ada.seat.reference, at=bought).until == bought + 10 * DAY


def test_an_extension_may_come_so_late_that_it_is_over_already(ada):
    bought = ada.ends_at + DAY
    with time_machine.travel(bought + 30 * DAY):
        assert extend(ada.seat.reference, at=bought).until == bought + 10 * DAY
        assert OutboxMail.objects.count() == 1
        assert run_expire(now=timezone.now()).seats == 1
        assert states(ada.account) == {"expired": 1, "free": 1}


def test_whoever_replaces_has_the_longer_time_too(account, course):
    make_pool(account, 1, access_ends_at=NOW + 20 * DAY)
    ada = give(account, course, "ada@example.org")
    until = extend(ada.seat.reference).until
    with time_machine.travel(NOW + 25 * DAY):
        bob = replace(reference=ada.seat.reference, account_id=None, email="bob@example.org", actor=OPERATOR)
        assert bob.ends_at == until
        assert enrolment(bob).status == "active"


# --- refused ------------------------------------------------------------------------------------------


def test_of_another_organisation_it_is_unknown(ada):
    assert refusal(ada.seat.reference, account_id=make_account().pk) == "unknown"
    assert refusal("2222-2222-2222-2222") == "unknown"
    assert extend(ada.seat.reference, account_id=ada.account_id).until


def test_a_seat_that_nobody_has_is_refused(account, course, ada):
    free = find_seat(references(ada.seat.pool)[1]).reference
    assert refusal(free) == "free"
    Assignment.objects.filter(pk=ada.pk).update(state="ended", ended_at=NOW, end_reason="taken_back")
    assert refusal(ada.seat.reference) == "free"


def test_what_has_no_end_is_refused(account, course):
    make_pool(account, 1)
    assert refusal(give(account, course, "ada@example.org").seat.reference) == "unlimited"


def test_what_was_withdrawn_is_refused(ada):
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=NOW)
    assert refusal(ada.seat.reference) == "withdrawn"


def test_a_seat_that_is_just_being_given_is_refused(ada):
    Assignment.objects.filter(pk=ada.pk).update(state="reserved")
    assert refusal(ada.seat.reference) == "busy"


def test_whoever_has_another_seat_of_the_course_by_now_is_extended_there(account, course, ada):
    run_expire(now=ada.ends_at)
    with time_machine.travel(ada.ends_at + DAY):
        other = give(account, course, "ada@example.org")
        assert refusal(ada.seat.reference) == "elsewhere"
        assert other.ends_at is not None
        assert extend(other.seat.reference).until == other.ends_at + 10 * DAY


def test_a_person_who_was_erased_is_not_extended(ada):
    run_expire(now=ada.ends_at)
    Assignment.objects.filter(pk=ada.pk).update(person=None)
    assert refusal(ada.seat.reference) == "free"


def test_an_end_outside_the_calendar_is_refused(ada):
    assert refusal(ada.seat.reference, days=3_650_000) == "too_far"


def test_what_the_platform_refuses_changes_nothing(ada):
    Assignment.objects.filter(pk=ada.pk).update(role="magician")
    assert refusal(ada.seat.reference) == "not_told"


# --- a session ----------------------------------------------------------------------------------------


def test_the_reference_of_a_session_extends_all_its_seats(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example", "tom@a.example tutor")
    old = session.ends_at
    assert old is not None
    extended = extend(session.reference)
    session.refresh_from_db()
    assert extended.until == session.ends_at == old + 10 * DAY
    assert {one.ends_at for one in Assignment.objects.all()} == {old + 10 * DAY}
    assert {one.ends_at for one in Enrolment.objects.all()} == {old + 10 * DAY}
    session.pool.refresh_from_db()
    assert session.pool.access_ends_at == old + 10 * DAY
    assert verbs(session.reference) == ["extended"]
    assert {tuple(verbs(seat.reference)) for seat in session.pool.seats.all()} == {("extended",)}
    before = everything()
    assert extend(session.reference).until == old + 10 * DAY
    assert everything() == before


def test_a_session_that_has_ended_goes_on_with_everybody_and_its_free_seats(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example", "eve@a.example")
    Assignment.objects.filter(email="eve@a.example").update(
        state="ended", ended_at=NOW, end_reason="taken_back"
    )
    bought = NOW + 40 * DAY
    assert run_expire(now=bought).seats == 3
    with time_machine.travel(bought):
        assert extend(session.reference, at=bought).until == bought + 10 * DAY
        assert states(account) == {"assigned": 2, "free": 1}
        assert Enrolment.objects.filter(status="active", ends_at=bought + 10 * DAY).count() == 2
        late = give(account, course, "late@a.example")
        assert late.ends_at == bought + 10 * DAY
        assert pool_counts(account.pk)[0].states == {"assigned": 3}
    session.refresh_from_db()
    assert (session.expired_at, session.ends_at) == (None, bought + 10 * DAY)


def test_withdrawn_seats_of_a_session_stay_withdrawn(account, course):
    session = session_of(account, course, "ada@a.example", "bob@a.example")
    bob = Assignment.objects.get(email="bob@a.example")
    Assignment.objects.filter(pk=bob.pk).update(state="ended", ended_at=NOW, end_reason="withdrawn")
    Seat.objects.filter(pk=bob.seat_id).update(withdrawn_at=NOW)
    extend(session.reference)
    assert verbs(bob.seat.reference) == []
    assert states(account) == {"assigned": 1, "withdrawn": 1}
