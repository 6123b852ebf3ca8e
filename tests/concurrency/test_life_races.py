"""The life of products with several at it at the same moment: nothing twice, nobody locked out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from common.audit import OPERATOR, SYSTEM
from common.models import OutboxMail
from courses.models import Course, Enrolment, ProductEvent
from seats.models import Assignment
from seats.services import Refused, extend_until, restore, run_expire, run_extend, tell_endings, withdraw
from tests.accounts.factories import make_account, make_member
from tests.concurrency.racing import together
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, states
from tests.seats.life import DAY, session_of, verbs

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

NOW = timezone.now()
ROUNDS = 5


@pytest.fixture
def course() -> Course:
    return make_course()


def extending(reference: str, key: str = "line-1", **fields: Any) -> Callable[[], object]:
    values: dict[str, Any] = {"days": 10, "at": NOW, "actor": SYSTEM} | fields
    return lambda: run_extend(reference=reference, key=key, **values)


def end_of(one: Any) -> datetime:
    """The end of an assignment or session that has one."""
    assert one.ends_at is not None
    end: datetime = one.ends_at
    return end


def errors(results: list[Any]) -> list[Any]:
    return [result for result in results if isinstance(result, Exception)]


def test_two_workers_on_the_same_line_extend_once(course):
    for _round in range(ROUNDS):
        account = make_account()
        names = [f"{name}{account.pk}@a.example" for name in ("ada", "bob", "tom")]
        session = session_of(account, course, *names)
        assert errors(together([extending(session.reference)] * 3)) == []
        ends = {one.ends_at for one in Assignment.objects.filter(account=account)}
        assert ends == {end_of(session) + 10 * DAY}
        assert verbs(session.reference) == ["extended"]


def test_two_lines_extend_one_after_the_other(course):
    account = make_account()
    make_pool(account, 1, access_seconds=30 * 86_400)
    ada = give(account, course, "ada@a.example")
    keys = [f"line-{number}" for number in range(4)]
    assert errors(together([extending(ada.seat.reference, key) for key in keys])) == []
    end = end_of(ada)
    ada.refresh_from_db()
    assert ada.ends_at == end + 40 * DAY
    assert Enrolment.objects.get().ends_at == ada.ends_at


def test_expiring_and_extending_meet(course):
    """Whichever comes first: in the end the seat lasts, and its person is enrolled."""
    for number in range(ROUNDS):
        account = make_account()
        make_pool(account, 1, access_seconds=86_400)
        ada = give(account, course, f"ada{number}@a.example")
        late = NOW + 3 * DAY
        with time_machine.travel(late):
            ending: Callable[[], object] = partial(run_expire, now=late)
            results = together([ending, extending(ada.seat.reference, at=late), ending])
            assert errors(results) == []
            assert states(account) == {"assigned": 1}
        ada.refresh_from_db()
        enrolment = Enrolment.objects.get(person=ada.person_id)
        assert (enrolment.status, enrolment.ends_at) == ("active", late + 10 * DAY)


def test_two_runs_of_expire_end_everything_once(course):
    accounts = [make_account() for _number in range(3)]
    for account in accounts:
        make_pool(account, 6, access_seconds=86_400)
        for number in range(4):
            give(account, course, f"p{account.pk}-{number}@a.example")
    late = NOW + 3 * DAY
    results: list[Any] = together([partial(run_expire, now=late)] * 3)
    assert errors(results) == []
    assert sum(result.seats for result in results) == 12
    assert ProductEvent.objects.filter(verb="expired").count() == 12
    assert not Enrolment.objects.filter(status="active").exists()


def test_an_expired_seat_and_a_new_one_want_the_same_person(course):
    """One account extends a seat that has ended while another gives the person a seat: one of them is told."""
    for number in range(ROUNDS):
        one, other = make_account(), make_account()
        make_pool(one, 1, access_seconds=86_400)
        make_pool(other, 1, access_seconds=86_400)
        email = f"ada{number}@a.example"
        ada = give(one, course, email)
        late = NOW + 3 * DAY
        run_expire(now=late)
        with time_machine.travel(late):

            def giving(account: Any = other, email: str = email) -> object:
                try:
                    return give(account, course, email)
                except Assignment.DoesNotExist:
                    return None  # the list says that he is enrolled already

            results = together([extending(ada.seat.reference, at=late), giving])
            live = Assignment.objects.filter(person=ada.person_id, ended_at=None)
            assert live.count() == 1
            [problem] = errors(results) or [None]
            if live.get().account_id == one.pk:
                assert problem is None
            else:
                assert isinstance(problem, Refused)
                assert problem.code == "elsewhere"
            enrolment = Enrolment.objects.get(person=ada.person_id)
            assert (enrolment.status, enrolment.ends_at) == ("active", live.get().ends_at)


def test_withdrawing_giving_back_and_extending_end_in_a_state_that_agrees(course):
    for number in range(ROUNDS):
        account = make_account()
        make_member(account=account)
        make_pool(account, 2, access_seconds=30 * 86_400)
        ada = give(account, course, f"ada{number}@a.example")
        reference = ada.seat.reference
        until = end_of(ada) + 5 * DAY
        results = together(
            [
                partial(withdraw, references=[reference], actor=OPERATOR, why="a"),
                partial(restore, references=[reference], actor=OPERATOR, why="b"),
                partial(extend_until, references=[reference], until=until, actor=OPERATOR, why="c"),
            ]
        )
        assert errors(results) == []
        ada.refresh_from_db()
        enrolment = Enrolment.objects.get(person=ada.person_id)
        is_live = ada.state == "live"
        assert enrolment.status == ("active" if is_live else "suspended")
        assert states(account) == {"assigned" if is_live else "withdrawn": 1, "free": 1}


def test_notices_at_the_same_moment_are_one_mail(course):
    account = make_account()
    make_member(account=account)
    make_pool(account, 1, access_ends_at=NOW + 6 * DAY)
    give(account, course, "ada@a.example")
    assert errors(together([lambda: tell_endings(now=NOW)] * 4)) == []
    assert OutboxMail.objects.filter(kind="ending_soon").count() == 1
