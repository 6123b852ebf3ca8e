"""Hours without the course platform end in the right state without anybody's help: only the sweeper works here.

The platform is a Moodle. A list, a session, a change of mind and people of a course space are asked for while it is
away; when it is back, everything is there, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing.models import ProductionRun
from billing.production import MAX_TRIES
from billing.services import OrderLine, record_payment
from billing.sweeper import sweep
from common.audit import OPERATOR
from common.jobs import MAX_ATTEMPTS
from common.listing import PersonEntry
from common.models import Job, OutboxMail
from courses.models import Course, PlatformSite
from portal.services.reconcile import run_reconcile
from portal.services.spaces import put_into_space
from seats.models import AssignmentBatch
from seats.services import start_apply
from seats.services.changing import start_change
from seats.services.exchanging import Kind
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.courses.factories import make_space
from tests.handlers.sessions import named
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, use_peer
from tests.seats.factories import make_pool, plan_list, states

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


class World:
    """A shop with a Moodle, and somebody who looks at neither."""

    def __init__(self, peer: MoodlePeer, clock: time_machine.Traveller) -> None:
        self.peer = peer
        self.clock = clock
        self.course = self.new_course("SPOC")
        self.account = make_account()
        self.pool = make_pool(self.account, 4)

    def new_course(self, shortname: str, **fields: bool) -> Course:
        return mirror(self.peer.site.add_course(shortname), **fields)

    def minutes(self, number: int, *, every: int = 1) -> None:
        """So many minutes pass, with a sweep in each, as beat does it (or less often, which takes less time here)."""
        for _ in range(0, number, every):
            self.clock.shift(every * MINUTE)
            sweep()

    def hours(self, number: int) -> None:
        self.minutes(60 * number, every=6)

    def enrolled(self, course: Course) -> list[tuple[str, bool]]:
        """Who is in the course of the Moodle, and whether he is let in."""
        site = self.peer.site
        rows = [one for one in site.enrolments.values() if one.course_id == course.remote_id]
        return sorted((site.users[one.user_id].email, not one.suspended) for one in rows)

    def unfinished(self) -> list[str]:
        jobs = Job.objects.exclude(state="done").values_list("kind", flat=True)
        runs = ProductionRun.objects.exclude(state="done").values_list("phase", flat=True)
        return sorted([*jobs, *runs])

    def logins(self) -> int:
        """How many of our people have a login there; nobody has two."""
        emails = [user.email for user in self.peer.site.users.values() if user.email.endswith("@x.org")]
        assert len(emails) == len(set(emails))
        return len(emails)


@pytest.fixture
def world(settings, moodle_peer, clock) -> World:
    use_peer(settings, moodle_peer)
    return World(moodle_peer, clock)


def test_a_list(world):
    with world.peer.away():
        batch = plan_list(world.account, world.course, "ada@x.org", "bob@x.org", "ada@x.org")
        world.hours(3)
        assert AssignmentBatch.objects.get().state == "planning"
    world.minutes(7)
    assert AssignmentBatch.objects.get().state == "planned"

    with world.peer.away():
        start_apply(batch_id=batch.pk, actor=OPERATOR)
        world.hours(3)
        assert world.enrolled(world.course) == []
        assert not OutboxMail.objects.exists()
    world.minutes(7)
    assert AssignmentBatch.objects.get().state == "applied"
    assert states(world.account) == {"assigned": 2, "free": 2}
    assert world.enrolled(world.course) == [("ada@x.org", True), ("bob@x.org", True)]
    assert (world.logins(), OutboxMail.objects.filter(kind="invitation").count()) == (2, 2)


def test_a_session_that_was_bought(world):
    item = plain_item(
        "SPOCM1", handler="setuponecoursesession", params="coursename=SPOC", seat_mode="quantity"
    )
    with world.peer.away():
        people = named("ada@x.org", "bob@x.org tutor")
        bill = Customer().place(OrderLine(item, 2, participants=people))
        record_payment(number=bill.number, actor=OPERATOR)
        world.hours(3)
        run = ProductionRun.objects.get(phase="deliver")
        assert run.state == "waiting"
        assert run.attempt > MAX_TRIES
        assert not OutboxMail.objects.filter(kind="production_failed").exists()
    world.minutes(7)
    assert world.unfinished() == []
    assert world.enrolled(world.course) == [("ada@x.org", True), ("bob@x.org", True)]
    assert world.logins() == 2


def test_a_change_of_mind(world):
    batch = plan_list(world.account, world.course, "ada@x.org")
    world.minutes(1)
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    world.minutes(1)
    assert world.enrolled(world.course) == [("ada@x.org", True)]
    [seat] = [one for one in world.pool.seats.all() if one.assignments.exists()]

    with world.peer.away():
        start_change(
            kind=Kind.REPLACE,
            reference=seat.reference,
            account_id=world.account.pk,
            actor=OPERATOR,
            email="bob@x.org",
        )
        world.hours(3)
        assert states(world.account) == {"assigned": 1, "free": 3}
        assert Job.objects.get(kind="seats.change").attempt > MAX_ATTEMPTS
    world.minutes(7)
    assert world.unfinished() == []
    assert seat.assignments.get(ended_at=None).email == "bob@x.org"
    assert world.enrolled(world.course) == [("ada@x.org", False), ("bob@x.org", True)]


def test_people_of_a_course_space(world):
    course = world.new_course("MINE", is_space=True)
    space = make_space(course, account=world.account, owner=make_person(email="owner@x.org"))
    with world.peer.away():
        entries = [PersonEntry(1, "ada@x.org", "", "", ""), PersonEntry(2, "bob@x.org", "", "", "")]
        put_into_space(space_id=space.pk, entries=entries, actor=OPERATOR, language="fr")
        world.hours(3)
        assert not OutboxMail.objects.exists()
    world.minutes(7)
    assert world.unfinished() == []
    assert world.enrolled(course) == [("ada@x.org", True), ("bob@x.org", True)]
    assert (
        OutboxMail.objects.filter(kind__contains="invitation").count() == 2 or OutboxMail.objects.count() == 2
    )


def test_work_for_a_platform_that_refuses_us_waits_for_whoever_repairs_it(world):
    """A revoked token: the row says what to change; once it is, everything goes on."""
    plan_list(world.account, world.course, "ada@x.org")
    token, world.peer.site.token = world.peer.site.token, "another"
    world.hours(3)
    job = Job.objects.get()
    assert (job.state, job.waiting_since) == ("queued", MORNING + 6 * MINUTE)
    site = PlatformSite.objects.get()
    assert site.needs_admin
    assert "MOODLE_TOKEN" in site.last_error
    assert "MOODLE_TOKEN" in job.last_error
    world.peer.site.token = token
    world.minutes(7)
    assert (Job.objects.get().state, AssignmentBatch.objects.get().state) == ("done", "planned")
    assert not PlatformSite.objects.get().needs_admin


def test_a_platform_that_is_away_is_not_asked_by_everything_that_waits(world):
    """The breaker lets one call through every five minutes, however much waits."""
    for number in range(12):
        plan_list(world.account, world.course, f"p{number}@x.org")
    world.peer.faults.add(lambda _call: True, "maintenance", times=10_000)
    world.hours(1)
    world.peer.forget_calls()
    world.minutes(60)
    assert 60 / 6 <= len(world.peer.calls) <= 60 / 5
    world.peer.faults.clear()
    world.minutes(7)
    assert world.unfinished() == []


def test_reconciling_finds_nothing_after_an_outage(world):
    batch = plan_list(world.account, world.course, "ada@x.org", "bob@x.org")
    world.minutes(1)
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    with world.peer.away():
        world.hours(1)
    world.minutes(7)
    assert world.enrolled(world.course) == [("ada@x.org", True), ("bob@x.org", True)]
    assert run_reconcile(actor=OPERATOR) == []
