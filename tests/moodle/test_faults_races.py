"""Several of ours at one site at the same moment: nobody and nothing twice, though the site itself lets it happen.

Its check and its insert are held apart as long as another call of the same function might come between them.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from billing import production
from billing.services import OrderLine, record_payment
from common import jobs
from common.audit import OPERATOR
from common.listing import from_rows
from common.models import Job
from courses.moodle.turns import Turn
from handlers.contract import ParticipantEntry
from seats.models import Assignment
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer
from tests.concurrency.racing import together
from tests.moodle.faults import World, finish
from tests.moodle.peer import MoodlePeer
from tests.moodle.stories import ListedPeople, SessionBought, SpaceBought, Story
from tests.seats.factories import make_pool, plan_list

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

OPEN = 0.2
"""Seconds for which a call waits for another one between its check and its insert."""


class Window:
    """What two calls meet in; `met` counts how often both were in it."""

    def __init__(self, peer: MoodlePeer) -> None:
        self.met: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._barriers: dict[str, threading.Barrier] = {}
        peer.site.between_check_and_insert = self.wait

    def wait(self, function: str) -> None:
        with self._lock:
            barrier = self._barriers.get(function)
            if barrier is None or barrier.broken:
                barrier = self._barriers[function] = threading.Barrier(2)
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(OPEN)
            self.met[function] += 1


class Overlapping(ListedPeople):
    """Two organisations give seats in one course to people of whom some are on both lists, in another case."""

    names = ("new1", "stranger1", "new2")

    def begin(self) -> None:
        super().begin()
        self.second = make_account(slug=f"{self.mark}-2")
        make_pool(self.second, 9, bill_number=f"CMD-{self.mark}")
        emails = [self.address(name).upper() for name in (*self.names, "tutor")] + [self.address("own")]
        rows = [{"email": email, "firstname": "Ann", "lastname": "Other"} for email in emails]
        self.other = plan_list(self.second, self.course, listed=from_rows(rows))

    def act(self) -> None:
        for batch in (self.batch, self.other):
            batch.refresh_from_db()
        super().act()
        mine, self.batch = self.batch, self.other
        super().act()
        self.batch = mine

    def is_done(self) -> bool:
        return jobs_done(self.batch.pk) and jobs_done(self.other.pk)


def jobs_done(batch_id: int) -> bool:
    return Job.objects.filter(kind="seats.apply", object_id=batch_id, state="done").exists()


class TwoLines(SessionBought):
    """An order of two sessions in one course: both make the group of the order."""

    names = ("new1", "stranger1")

    def begin(self) -> None:
        self.prepare()
        self.customer = Customer(
            make_account(slug=self.mark),
            make_person(email=self.address("owner"), last_name="Owner"),
            make_person(email=self.address("buyer"), last_name="Buyer"),
        )
        self.account = self.customer.account
        others = [ParticipantEntry(email, "Ann", "Other") for email in self.named_people("new5", "ours5")]
        self.bill = self.customer.place(self.line(), OrderLine(self.item, 2, participants=others))
        record_payment(number=self.bill.number, reference=self.mark, actor=OPERATOR)


def deliveries(story: SessionBought | SpaceBought) -> list[int]:
    """The runs that deliver, their preparations done."""
    for run in story.runs():
        if run.phase == "prepare":
            assert production.run(run.pk)
    return [run.pk for run in story.runs() if run.phase == "deliver"]


def at_once(actions: list[Callable[[], object]]) -> None:
    for result in together(actions, timeout=120):
        if isinstance(result, Exception):
            raise result


def assert_once(world: World, story: Story) -> None:
    """No address, short name or group of a course twice on the site."""
    site = world.peer.site
    emails = Counter(user.email.lower() for user in site.living_users())
    names = Counter(course.shortname for course in site.courses.values())
    groups = Counter((group.course_id, group.name) for group in site.groups.values())
    for counted in (emails, names, groups):
        assert [one for one, number in counted.items() if number > 1] == []


def lists_at_once(world: World) -> Overlapping:
    story = Overlapping(world.peer)
    for batch in (story.batch, story.other):
        assert jobs.run(job_of("seats.plan", batch.pk))
    story.act()
    pks = [job_of("seats.apply", pk) for pk in (story.batch.pk, story.other.pk)]
    at_once([lambda pk=pk: jobs.run(pk) for pk in pks])  # type: ignore[misc]
    return story


def job_of(kind: str, batch_id: int) -> int:
    return Job.objects.get(kind=kind, object_id=batch_id).pk


def test_two_lists_with_the_same_people_make_everybody_once(world: World) -> None:
    window = Window(world.peer)
    for _round in range(3):
        story = lists_at_once(world)
        finish(story, world.clock)
        assert_once(world, story)
        live = Assignment.objects.filter(course=story.course, ended_at=None, state="live")
        people = Counter(live.values_list("person__email_key", flat=True))
        assert set(people) == {story.address(name) for name in (*story.names, "tutor", "own")}
        assert set(people.values()) == {1}
    assert not window.met


def test_two_sessions_of_one_order_make_its_group_once(world: World) -> None:
    window = Window(world.peer)
    for _round in range(3):
        story = TwoLines(world.peer)
        at_once([lambda pk=pk: production.run(pk) for pk in deliveries(story)])  # type: ignore[misc]
        finish(story, world.clock)
        assert [run.state for run in story.runs()] == ["done"] * 4
        assert_once(world, story)
        [(_course, name, members)] = story.end_state()["site: groups"]
        assert (name, members) == (
            "BILL",
            ("buyer", "new1", "new5", "ours5", "stranger1", "tutor"),
        )
    assert not window.met


def test_two_spaces_that_wish_the_same_short_name_get_two(world: World) -> None:
    window = Window(world.peer)
    for _round in range(3):
        first, second = SpaceBought(world.peer), SpaceBought.__new__(SpaceBought)
        second.peer, second.mark = world.peer, f"{first.mark}x"
        second.wished = f"{first.mark}-own"
        second.begin()
        runs = [*deliveries(first), *deliveries(second)]
        at_once([lambda pk=pk: production.run(pk) for pk in runs])  # type: ignore[misc]
        finish(first, world.clock)
        finish(second, world.clock)
        assert_once(world, first)
        names = {one.shortname for one in world.peer.site.courses.values() if one.idnumber}
        assert {f"{first.mark}-own{number}" for number in ("", "-2", "-3", "-4")} <= names
    assert not window.met


def test_without_turns_the_site_would_have_them_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests would not see otherwise: that they see it."""
    monkeypatch.setattr("courses.moodle.turns._taken", lambda platform, seconds, wait: _NoTurn())
    Window(world.peer)
    story = TwoLines(world.peer)
    at_once([lambda pk=pk: production.run(pk) for pk in deliveries(story)])  # type: ignore[misc]
    with pytest.raises(AssertionError):
        assert_once(world, story)


class _NoTurn(Turn):
    """Everybody may write."""

    def __init__(self) -> None:
        pass

    def check(self) -> None: ...

    def keep(self) -> None: ...

    def leave(self) -> None: ...

    def leave_later(self, seconds: float) -> None: ...
