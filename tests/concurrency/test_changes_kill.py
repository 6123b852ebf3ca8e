"""Changes of mind on a far platform: killed anywhere, together, and with others at the same seat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from celery import current_app

from accounts.models import Person
from common import jobs
from common.audit import OPERATOR
from common.models import Job
from courses.models import Enrolment
from courses.platform import refused
from courses.services import open_course
from delegation.refusals import Refused
from seats.models import Assignment, SeatChange
from seats.services import start_change, withdraw
from seats.services.exchanging import Kind
from tests.accounts.factories import make_account
from tests.concurrency.killing import count_steps, run_killed
from tests.concurrency.racing import together
from tests.seats.changes import KINDS, World
from tests.seats.factories import give, make_pool, states
from tests.seats.remote import FarPlatform, install

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings) -> Iterator[None]:
    settings.SHOPSEATS_MAIL = "hold"
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


def story(world: World) -> None:
    """From the click to the end of the job; may be told again from the rows."""
    if not SeatChange.objects.filter(account=world.account).exists():
        world.ask()
    world.work()


# --- killed ----------------------------------------------------------------------------------------------


def walk(far: FarPlatform, kind: Kind, mark: str) -> None:
    whole = World(far, kind, f"{mark}-whole")
    story(whole)
    end, came = whole.seen(), whole.came_of_it
    total = count_steps(partial(story, World(far, kind, f"{mark}-count")))
    assert total > 40
    for step in range(1, total + 1):
        world = World(far, kind, f"{mark}-{step}")
        run_killed(partial(story, world), after=step)
        story(world)
        assert world.came_of_it == came, f"killed after step {step} of {total}"
        assert world.seen() == end, f"killed after step {step} of {total}"


@pytest.mark.needs_postgresql
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_step_it_ends_the_same(far, kind):
    walk(far, kind, f"kill-{kind}")


@pytest.mark.needs_postgresql
def test_killed_while_a_refusal_is_undone_nothing_has_changed(far, monkeypatch):
    put = far.ensure_group_members

    def nobody_new(rows: Any) -> Any:
        old = set(Person.objects.filter(email__startswith="ada@").values_list("pk", flat=True))
        told = put(rows)
        return [
            one if row.person_id in old else refused("bad_group") for row, one in zip(rows, told, strict=True)
        ]

    monkeypatch.setattr(far, "ensure_group_members", nobody_new)
    walk(far, Kind.REPLACE, "undo")


def at_once(*actions: Callable[[], object]) -> list[object]:
    return together(actions)


# --- together ----------------------------------------------------------------------------------------------


def test_of_two_changes_of_one_seat_at_the_same_moment_one_is_busy(far):
    world = World(far, Kind.RELEASE)
    ask = partial(start_change, reference=world.given.seat.reference, account_id=None, actor=OPERATOR)
    results = together(
        [
            partial(ask, kind=Kind.RELEASE),
            partial(ask, kind=Kind.REPLACE, email="bob@x.example"),
            partial(ask, kind=Kind.CORRECT, email="ada.l@x.example"),
        ]
    )
    codes = [result.code for result in results if isinstance(result, Refused)]
    assert codes == ["busy", "busy"]
    assert world.work()
    assert world.came_of_it == [("done", "")]


def test_two_workers_at_one_change_do_it_once(far):
    world = World(far, Kind.REPLACE)
    change = world.ask()
    job = change.job
    assert job is not None
    entered, go_on = threading.Event(), threading.Event()

    def stop_there(name: str) -> None:
        if name == "end_enrolments" and not entered.is_set():
            entered.set()
            assert go_on.wait(30)

    far.before = stop_there

    def first() -> bool:
        return jobs.run(job.pk)

    def second() -> bool:
        assert entered.wait(30)
        # The first one has gone silent: its lease is over.
        Job.objects.filter(pk=job.pk).update(lease_until=change.created_at)
        ended = jobs.run(job.pk)
        go_on.set()
        return ended

    assert together([first, second]) == [False, True]
    assert world.came_of_it == [("done", "")]
    seen = world.seen()
    assert seen["states"] == {"free": 2, "assigned": 1}
    assert [one[2:4] for one in seen["assignments"]] == [("ada", "ended"), ("bob", "live")]
    assert seen["as told"] == [(0, "bob")]
    assert seen["audit"].count("seat.replace") == 1
    assert seen["mails"] == [("ada", "invitation", "cancelled"), ("bob", "invitation", "queued")]


def test_somebody_who_opens_the_course_while_his_seat_is_taken_back_keeps_it_or_loses_it_whole(far):
    world = World(far, Kind.RELEASE)
    world.ask()
    at_once(
        world.work,
        partial(open_course, person_id=world.given.holder_id, course_id=world.given.course_id),
    )
    assert world.work()
    [(state, _code)] = world.came_of_it
    enrolment = Enrolment.objects.get(person=world.given.person, course=world.given.course_id)
    live = Assignment.objects.filter(pk=world.given.pk, ended_at=None).exists()
    assert (state, live, enrolment.status) in [("done", False, "suspended"), ("refused", True, "active")]


def test_withdrawn_by_staff_and_changed_at_the_same_moment_one_of_them_is_told_so(far):
    world = World(far, Kind.REPLACE)
    reference = world.given.seat.reference
    results = at_once(world.ask, partial(withdraw, references=[reference], actor=OPERATOR, why="unpaid"))
    world.work()
    for job in Job.objects.filter(kind="seats.hold"):
        jobs.run(job.pk)
    if isinstance(results[0], Refused):
        assert (results[0].code, states(world.account)) == ("ended", {"withdrawn": 1, "free": 2})
    else:
        assert (world.came_of_it, states(world.account)) == ([("done", "")], {"assigned": 1, "free": 2})
    assert world.seen()["enrolments"][0] == (0, "ada", "suspended")


def test_two_organisations_want_the_same_person_at_the_same_moment_one_gets_him(far):
    world = World(far, Kind.REPLACE)
    world.ask()
    other = make_account()
    make_pool(other, 1)
    at_once(world.work, partial(_give, other, world))
    assert world.work()
    bob = Person.objects.get(email="bob@x.example")
    live = Assignment.objects.filter(person=bob, ended_at=None)
    assert live.count() == 1
    assert live.get().state == "live"
    enrolment = Enrolment.objects.get(person=bob, course=world.courses[0])
    assert (enrolment.status, enrolment.ends_at) == ("active", live.get().ends_at)
    if live.get().account_id == other.pk:
        assert world.came_of_it == [("refused", "already_enrolled")]
        assert (0, "ada", "active") in world.seen()["enrolments"]
    else:
        assert world.came_of_it == [("done", "")]


def _give(other: Any, world: World) -> None:
    give(other, world.courses[0], "bob@x.example")
