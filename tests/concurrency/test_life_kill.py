"""Extensions and the end by date, killed after every statement and every commit, end as if nothing had happened.

On PostgreSQL and on SQLite alike, with a local platform and with one far away.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import CustomerAccount
from billing.models import ProductionRun
from billing.production import produce
from billing.services import OrderLine, record_payment
from billing.sweeper import sweep
from catalog.models import CatalogItem
from common import jobs, wake
from common.audit import OPERATOR
from common.models import AuditEntry, Job, OutboxMail
from common.zone import parse_iso
from courses.models import Course, CourseSpace, Enrolment, ProductEvent
from seats.models import Assignment, Seat, SeatPool, Session
from seats.services import run_expire
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.concurrency.killing import count_steps, run_killed
from tests.courses.factories import make_course, make_space
from tests.seats.factories import give, make_pool, states
from tests.seats.life import DAY, session_of
from tests.seats.remote import install

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW = timezone.now()
_numbers = count(1)


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """As with a broker that is away: the test says who runs what. No mail leaves; two seats are a chunk."""
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setitem(wake._broker, "away_until", float("inf"))
    monkeypatch.setattr("seats.services.life_extend.CHUNK", 2)
    monkeypatch.setattr("seats.services.life_expire.CHUNK", 2)
    current_app.conf.update(task_always_eager=False)
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture(params=["local", "remote"])
def far(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[], None]:
    """Moves the course platform far away, if that is what is tested; products are made before."""

    def move() -> None:
        if request.param == "remote":
            install(monkeypatch, settings)

    return move


class World:
    """An organisation with a session of three, a seat that lasts longer, a space, and free seats of both kinds."""

    def __init__(self) -> None:
        self.name = f"life{next(_numbers)}"
        self.customer = Customer(
            make_account(slug=self.name),
            make_person(email=f"owner@{self.name}.example"),
            make_person(email=f"buyer@{self.name}.example"),
        )
        self.account: CustomerAccount = self.customer.account
        course = make_course(f"S-{self.name}")
        people = [f"{person}@{self.name}.example" for person in ("ada", "bob", "eve")]
        self.session = session_of(self.account, course, *people, days=10)
        make_pool(self.account, 1, access_ends_at=NOW + 40 * DAY)
        self.seat = give(self.account, make_course(f"T-{self.name}"), f"one@{self.name}.example").seat
        make_pool(self.account, 1, assign_before=NOW + 5 * DAY, unassigned_end="credit")
        make_pool(self.account, 1, assign_before=NOW + 5 * DAY)
        space = make_course(f"U-{self.name}", is_space=True)
        self.space = make_space(
            space,
            account=self.account,
            owner=make_person(email=f"own@{self.name}.example"),
            ends_at=NOW + DAY,
        )

    def end_state(self) -> dict[str, Any]:
        courses = Course.objects.filter(shortname__endswith=self.name)
        assignments = Assignment.objects.filter(account=self.account).order_by("email")
        seats = Seat.objects.filter(account=self.account).order_by("pk")
        references = [
            *seats.values_list("reference", flat=True),
            self.session.reference,
            self.space.reference,
        ]
        events = ProductEvent.objects.filter(reference__in=references)
        return {
            "states": states(self.account),
            "assignments": [
                (self._short(one.email), one.state, one.end_reason, _day(one.ends_at)) for one in assignments
            ],
            "enrolments": sorted(
                (self._short(one.person.email), one.status, _day(one.ends_at))
                for one in Enrolment.objects.filter(course__in=courses).select_related("person")
            ),
            "session": [
                (_day(one.ends_at), one.expired_at is None)
                for one in Session.objects.filter(account=self.account)
            ],
            "pools": sorted(
                (_day(one.assign_before) or 0, _day(one.access_ends_at) or 0)
                for one in SeatPool.objects.filter(account=self.account)
            ),
            "space": [
                (_day(one.ends_at), one.closed_at is None, one.course.closed_at is None)
                for one in CourseSpace.objects.filter(account=self.account).select_related("course")
            ],
            "events": sorted(
                (references.index(event.reference), event.verb, _day_of(event.detail)) for event in events
            ),
            "mails": sorted(
                (self._short(mail.to), mail.kind)
                for mail in OutboxMail.objects.filter(to__endswith=f"@{self.name}.example")
            ),
            "seats ended": sum(
                entry.counts.get("seats", 0)
                for entry in AuditEntry.objects.filter(
                    verb="seats.expire", scope=f"account:{self.account.pk}"
                )
            ),
        }

    def _short(self, address: str) -> str:
        return address.partition("@")[0]


def _day(instant: Any) -> int | None:
    """In how many days from now, as far as the tests can tell."""
    return None if instant is None else round((instant - NOW) / DAY)


def _day_of(detail: dict[str, Any]) -> int | None:
    until = detail.get("until") or detail.get("ends")
    return _day(parse_iso(until)) if until else None


# --- an order of extensions -----------------------------------------------------------------------------


class Ordered(World):
    """The session has ended, the seat has not, and an opened order extends them all."""

    def __init__(self, item: CatalogItem, far: Callable[[], None]) -> None:
        super().__init__()
        run_expire(now=NOW + 12 * DAY)
        named = [self.session.reference, self.seat.reference, self.space.reference, self.seat.reference]
        data = tuple({"reference": reference} for reference in named)
        self.bill = self.customer.place(OrderLine(item, len(named), customer_data=data), at=NOW + 12 * DAY)
        record_payment(number=self.bill.number, reference=self.name, at=NOW + 12 * DAY, actor=OPERATOR)
        produce_preparations(self.bill.number)
        far()

    def deliver(self) -> None:
        """The order, and the jobs by which a remote platform hears of the space."""
        produce(numbers=[self.bill.number], actor=OPERATOR)
        events = ProductEvent.objects.filter(reference=self.space.reference).values("pk")
        for job in Job.objects.filter(kind="courses.hold_space", object_id__in=events, state="queued"):
            jobs.run(job.pk)

    def resume(self) -> None:
        """When the lease of whoever died has ended the sweeper comes round."""
        self.deliver()
        sweep(now=timezone.now() + timedelta(hours=1))
        Job.objects.filter(state="running").update(state="queued", not_before=NOW)
        self.deliver()

    def end_state(self) -> dict[str, Any]:
        runs = ProductionRun.objects.filter(line__bill=self.bill).order_by("id")
        return super().end_state() | {"runs": [(run.phase, run.state, run.error) for run in runs]}


def produce_preparations(number: str) -> None:
    """What is done before the delivery is of no interest here."""
    ProductionRun.objects.filter(line__bill__number=number, phase="prepare").update(state="done")


@pytest.fixture
def item() -> CatalogItem:
    return plain_item("EXTEND", handler="extendenrolperiod", params="extension=30")


def test_an_order_of_extensions_ends_as_it_should(item, far):
    whole = Ordered(item, far)
    whole.deliver()
    state = whole.end_state()
    assert state["runs"][-1] == ("deliver", "done", "")
    # 42: thirty days from the purchase on the twelfth; 100: twice thirty days from the fortieth.
    assert {(name, state, day) for name, state, _reason, day in state["assignments"]} == {
        ("ada", "live", 42), ("bob", "live", 42), ("eve", "live", 42), ("one", "live", 100),
    }  # fmt: skip
    assert state["enrolments"][:1] == [("ada", "active", 42)]
    assert (state["session"], state["space"]) == ([(42, True)], [(42, True, True)])
    whole.resume()
    assert whole.end_state() == state


@pytest.mark.parametrize("part", range(2))
def test_an_order_of_extensions_killed_anywhere_extends_once(item, far, part, settings):
    whole = Ordered(item, far)
    total = count_steps(whole.deliver)
    expected = whole.end_state()
    assert total > 60
    for step in range(1 + part, total + 1, 2):
        settings.COURSE_PLATFORM = "builtin"
        killed = Ordered(item, far)
        assert run_killed(killed.deliver, after=step), step
        killed.resume()
        assert killed.end_state() == expected, f"killed after step {step} of {total}"


# --- the end by date ------------------------------------------------------------------------------------


class Ending(World):
    """Everything of it is over after fifty days."""

    def __init__(self, far: Callable[[], None]) -> None:
        super().__init__()
        far()

    def expire(self) -> None:
        run_expire(now=NOW + 50 * DAY)


def test_the_end_ends_as_it_should(far):
    whole = Ending(far)
    whole.expire()
    state = whole.end_state()
    assert state["states"] == {"expired": 5, "free": 1}
    assert state["seats ended"] == 5
    assert {status for _name, status, day in state["enrolments"] if day is not None} == {"suspended"}
    whole.expire()
    assert whole.end_state() == state


@pytest.mark.parametrize("part", range(2))
def test_the_end_killed_anywhere_ends_everything_once(far, part, settings):
    whole = Ending(far)
    total = count_steps(whole.expire)
    expected = whole.end_state()
    assert total > 40
    for step in range(1 + part, total + 1, 2):
        settings.COURSE_PLATFORM = "builtin"
        killed = Ending(far)
        assert run_killed(killed.expire, after=step), step
        killed.expire()
        assert killed.end_state() == expected, f"killed after step {step} of {total}"
