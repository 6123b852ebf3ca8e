"""The life of seats on a remote platform: rows first, the platform outside transactions, and the same end after any cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from common import jobs
from common.audit import OPERATOR
from common.models import Job
from courses.models import Enrolment, GroupMember
from courses.platform import PlatformAway
from seats.models import Assignment, Seat, Session
from seats.services import extend_until, restore, run_expire, run_extend, withdraw
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, states
from tests.seats.life import session_of
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
DAY = timedelta(days=1)
_numbers = count(1)


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings) -> Iterator[None]:
    settings.SHOPSEATS_MAIL = "hold"
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    far = install(monkeypatch, settings)
    far.checks_transactions = True
    return far


class World:
    """A seat and a session of two, each with an end."""

    def __init__(self) -> None:
        self.mark = f"life{next(_numbers)}"
        self.account = make_account()
        self.course, self.other = make_course(), make_course()
        make_pool(self.account, 1, access_seconds=30 * 86_400)
        self.seat = give(self.account, self.course, f"ada@{self.mark}.example").seat
        self.session: Session = session_of(
            self.account, self.other, f"bob@{self.mark}.example", f"cid@{self.mark}.example"
        )

    @property
    def references(self) -> list[str]:
        return [self.seat.reference, self.session.reference]

    def work(self) -> None:
        """All jobs that hold the platform to rows."""
        for job in Job.objects.filter(kind="seats.hold").exclude(state="done"):
            Job.objects.filter(pk=job.pk).update(not_before=NOW, lease_until=NOW)
            jobs.run(job.pk)

    def seen(self) -> dict[str, Any]:
        courses = [self.course, self.other]
        mine = Assignment.objects.filter(account=self.account)
        return {
            "states": states(self.account),
            "ended": sorted(Seat.objects.filter(account=self.account, expired_at=None).values_list("ordinal", flat=True)),
            "sitting": sorted((one.email.partition("@")[0], one.state, one.end_reason) for one in mine),
            "enrolled": sorted(
                (one.person.email.partition("@")[0], one.status)
                for one in Enrolment.objects.filter(course__in=courses).select_related("person")
            ),
            "as told": all(
                Enrolment.objects.filter(course=one.course, person=one.person, ends_at=one.ends_at).exists()
                for one in mine.filter(ended_at=None)
            ),
            "groups": GroupMember.objects.filter(group__course__in=courses).count(),
        }  # fmt: skip


def withdrawn(world: World) -> None:
    withdraw(references=world.references, actor=OPERATOR, why="unpaid")
    world.work()


def given_back(world: World) -> None:
    if not Seat.objects.filter(account=world.account, withdrawn_at__isnull=False).exists():
        withdraw(references=world.references, actor=OPERATOR, why="unpaid")
    restore(references=world.references, actor=OPERATOR, why="paid")
    world.work()


def extended_by_staff(world: World) -> None:
    until = (NOW + 400 * DAY).replace(microsecond=0)
    extend_until(references=world.references, until=until, actor=OPERATOR, why="kind")
    world.work()


def extended_by_an_order(world: World) -> None:
    for reference in world.references:
        run_extend(reference=reference, days=10, at=NOW, key=world.mark, actor=OPERATOR)


def over(world: World) -> None:
    run_expire(now=NOW + 5000 * DAY)


STORIES = [withdrawn, given_back, extended_by_staff, extended_by_an_order, over]
Story = Callable[[World], None]


def told(story: Story, world: World) -> None:
    """As a job or a run does it: what meets an absent platform is told again later."""
    try:
        story(world)
    except PlatformAway:
        return


@pytest.fixture(params=STORIES)
def story(request) -> Story:
    return request.param  # type: ignore[no-any-return]


def test_it_is_told_outside_transactions_and_ends_as_the_rows_say(far, story):
    world = World()
    far.calls.clear()
    story(world)
    seen = world.seen()
    assert far.calls
    assert seen["as told"]
    live = [name for name, state, _reason in seen["sitting"] if state == "live"]
    assert seen["enrolled"] == [
        (name, "active" if name in live else "suspended") for name in ("ada", "bob", "cid")
    ]
    again = len(far.calls)
    story(world)
    assert world.seen() == seen
    assert again


@pytest.mark.parametrize("fault", ["cut_at", "lost_at"])
def test_cut_off_at_any_call_it_ends_the_same(far, story, fault):
    whole = World()
    far.calls.clear()
    story(whole)
    total = len(far.calls)
    for number in range(1, total + 1):
        world = World()
        far.calls.clear()
        setattr(far, fault, number)
        told(story, world)
        setattr(far, fault, 0)
        story(world)
        assert world.seen() == whole.seen(), f"{fault} {number} of {total}"


def test_staff_asks_nobody_in_a_request(far):
    world = World()
    far.calls.clear()
    withdraw(references=world.references, actor=OPERATOR, why="unpaid")
    restore(references=world.references, actor=OPERATOR, why="paid")
    extend_until(references=world.references, until=NOW + 400 * DAY, actor=OPERATOR, why="kind")
    assert far.calls == []
