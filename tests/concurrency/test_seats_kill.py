"""A whole list, killed after every SQL statement and every commit, ends as if nothing had happened."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Person
from common import jobs
from common.audit import OPERATOR
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch, Seat, SeatPool
from seats.selectors import pool_counts
from seats.services import Refused, correct_address, generate_seats, replace, start_apply
from seats.services import generate as generating
from tests.accounts.factories import make_account, make_person
from tests.concurrency.killing import count_steps, run_killed
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, plan_list, states
from tests.seats.remote import install

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW = timezone.now()
PARTS = 2  # so that several processes can share the walk
_numbers = count(1)


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(settings, monkeypatch) -> Iterator[None]:
    """The tests say who runs what, and no mail leaves; lists are done four people at a time."""
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setattr("seats.services.apply.CHUNK", 4)
    monkeypatch.setattr("seats.services.apply.PART", 4)
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


class Listed:
    """An organisation of its own with five seats, one of them expired, and a list of all sorts of people."""

    def __init__(self) -> None:
        self.mark = f"kill{next(_numbers)}"
        self.account = make_account(slug=self.mark)
        self.course = make_course(self.mark)
        make_pool(self.account, 5, access_seconds=86_400, bill_number="CMD-1", supervisor="teacher")
        Person.objects.filter(pk=self.person("inuse").pk).update(possessed_at=NOW)
        make_enrolment(self.course, self.person("inside"), ends_at=NOW + timedelta(days=9))
        stale = give(self.account, self.course, self.address("stale"))
        Assignment.objects.filter(pk=stale.pk).update(ends_at=NOW - timedelta(minutes=1))
        Enrolment.objects.filter(person=stale.person_id).update(
            starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(minutes=1)
        )
        self.batch = plan_list(
            self.account,
            self.course,
            self.address("new1"),
            self.address("inuse"),
            self.address("inside"),
            self.address("NEW1"),
            "bad",
            self.address("stale"),
            self.person("staff").email,
            self.address("late"),
        )

    def address(self, name: str) -> str:
        return f"{name}@{self.mark}.example"

    def person(self, name: str) -> Person:
        return make_person(email=self.address(name), is_staff=name == "staff")

    def apply(self) -> None:
        """What the manager and the worker do. Done again it goes on where it was interrupted."""
        # The lease of whoever was killed ends.
        Job.objects.filter(object_id=self.batch.pk, state="running").update(lease_until=NOW)
        if AssignmentBatch.objects.get(pk=self.batch.pk).state == "planning":
            jobs.run(self.job("seats.plan").pk)
        start_apply(batch_id=self.batch.pk, actor=OPERATOR)
        jobs.run(self.job("seats.apply").pk)

    def job(self, kind: str) -> Job:
        return Job.objects.get(kind=kind, object_id=self.batch.pk)

    def end_state(self) -> dict[str, Any]:
        people = Person.objects.filter(email__endswith=f"@{self.mark}.example")
        rows = self.batch.rows.order_by("position").values_list("planned_verdict", "verdict", "outcome")
        assignments = Assignment.objects.filter(account=self.account).order_by("seat__ordinal", "id")
        enrolments = Enrolment.objects.filter(course=self.course)
        return {
            "list": list(AssignmentBatch.objects.filter(pk=self.batch.pk).values_list("state")),
            "rows": list(rows),
            "people": sorted(self.name(person.email_key) for person in people),
            "assignments": [
                (one.seat.ordinal, self.name(one.email.lower()), one.state, one.end_reason, one.created_login)
                for one in assignments
            ],
            "as enrolled": all(
                Enrolment.objects.filter(
                    course=self.course, person=one.person, starts_at=one.starts_at, ends_at=one.ends_at
                ).exists()
                for one in assignments.filter(ended_at=None)
            ),
            "enrolments": sorted(
                (self.name(one.person.email_key), one.role, one.status) for one in enrolments
            ),
            "groups": sorted(
                (one.group.name, self.name(one.person.email_key))
                for one in GroupMember.objects.filter(group__course=self.course)
            ),
            "delegations": sorted(
                (self.name(one.email.lower()), one.created_login, one.ended_at)
                for one in Delegation.objects.filter(account=self.account)
            ),
            "invitations": sorted(
                (self.name(one.person.email_key), one.revoked_at)
                for one in Invitation.objects.filter(account=self.account)
            ),
            "mails": sorted(
                (self.name(mail.to.lower()), mail.kind, mail.state)
                for mail in OutboxMail.objects.filter(to__iendswith=f"@{self.mark}.example")
            ),
            "states": states(self.account),
            "told": [pool.states for pool in pool_counts(self.account.pk)],
            "audit": sorted(
                AuditEntry.objects.filter(scope=f"account:{self.account.pk}").values_list("verb", flat=True)
            ),
            "job": self.job("seats.apply").state,
        }

    def name(self, address: str) -> str:
        return str(address).partition("@")[0]


@pytest.fixture(params=["local", "remote"])
def platform(request, monkeypatch, settings) -> Any:
    if request.param == "remote":
        # People are put into the world by the local platform, lists applied by the far one.
        install(monkeypatch, settings)
    return str(request.param)


@pytest.fixture
def whole(platform) -> dict[str, Any]:
    """The end state without a kill."""
    listed = Listed()
    listed.apply()
    return listed.end_state()


def test_the_story_ends_as_it_should(whole):
    assert whole["list"] == [("applied",)]
    assert whole["rows"] == [
        ("new_account", "new_account", "assigned"),
        ("existing_account", "existing_account", "assigned"),
        ("already_enrolled", "already_enrolled", "unchanged"),
        ("duplicate", "duplicate", "unchanged"),
        ("invalid", "invalid", "refused"),
        ("existing_account", "existing_account", "assigned"),
        ("existing_account", "existing_account", "assigned"),
        ("no_seat", "no_seat", "refused"),
    ]
    assert whole["states"] == {"expired": 1, "assigned": 4}
    assert whole["mails"] == [
        ("inuse", "enrolled", "queued"),
        ("new1", "invitation", "queued"),
        ("staff", "enrolled", "queued"),
        ("stale", "invitation", "queued"),
        ("stale", "invitation", "queued"),
    ]
    assert [name for name, _created, _ended in whole["delegations"]] == ["inuse", "new1", "stale"]
    assert whole["as enrolled"]
    assert whole["job"] == "done"


@pytest.mark.parametrize("part", range(PARTS))
def test_a_list_killed_at_any_step_ends_the_same(whole, part):
    total = count_steps(Listed().apply)
    assert total > 50

    for step in range(1 + part, total + 1, PARTS):
        listed = Listed()
        run_killed(listed.apply, after=step)
        listed.apply()
        assert listed.end_state() == whole, f"killed after step {step} of {total}"


@pytest.mark.parametrize("verb", ["replace", "correct"])
def test_a_change_of_mind_killed_at_any_step_happened_whole_or_not_at_all(verb):
    def world() -> tuple[CustomerAccount, Assignment]:
        account, course = make_account(), make_course()
        make_pool(account, 2)
        return account, give(account, course, f"old{next(_numbers)}@x.org")

    def change(account: CustomerAccount, given: Assignment) -> None:
        service = replace if verb == "replace" else correct_address
        service(
            reference=given.seat.reference,
            account_id=account.pk,
            email=f"new{given.pk}@x.org",
            actor=OPERATOR,
        )

    def state(account: CustomerAccount, given: Assignment) -> dict[str, Any]:
        live = Assignment.objects.filter(account=account, ended_at=None).select_related("person")
        people = [one.person.email for one in live if one.person]
        return {
            "seats": states(account),
            "live": [email[:3] for email in people],
            "old login": Person.objects.filter(email=given.email).exists(),
            "enrolled": sorted(
                one.person.email[:3]
                for one in Enrolment.objects.filter(course=given.course_id, status="active").select_related(
                    "person"
                )
            ),
            "mails": sorted(
                (mail.to[:3], mail.state)
                for mail in OutboxMail.objects.filter(to__in=[given.email, f"new{given.pk}@x.org"])
            ),
        }

    pair = world()
    before = state(*pair)
    change(*pair)
    after = state(*pair)
    assert (before["live"], after["live"]) == (["old"], ["new"])
    pair = world()
    total = count_steps(lambda: change(*pair))

    for step in range(1, total + 1):
        pair = world()
        run_killed(partial(change, *pair), after=step)
        assert state(*pair) in (before, after), f"killed after step {step} of {total}"
        with suppress(Refused):  # it had been done: it is the same person now
            change(*pair)
        assert state(*pair) == after, f"killed after step {step} of {total}"


def test_seats_killed_in_the_making_are_made_once(monkeypatch):
    monkeypatch.setattr(generating, "CHUNK", 2)
    account = make_account()

    def make(key: uuid.UUID) -> int:
        return generate_seats(
            line_key=key,
            account_id=account.pk,
            item_code="SEATS",
            item_name="Seats",
            bill_number="CMD-1",
            count=5,
            purchased_at=NOW,
        )

    total = count_steps(lambda: make(uuid.uuid4()))
    assert total > 10

    for step in range(1, total + 1):
        key = uuid.uuid4()
        run_killed(partial(make, key), after=step)
        assert make(key) == 5
        pool = SeatPool.objects.get(line_key=key)
        ordinals = Seat.objects.filter(pool=pool).order_by("ordinal").values_list("ordinal", flat=True)
        assert list(ordinals) == [1, 2, 3, 4, 5]
