"""Deliveries to a remote platform: never inside a transaction, waiting while it is away, and the same when repeated."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import Person
from common.models import OutboxMail
from courses.models import Enrolment, GroupMember
from handlers.contract import Delivery, HandlerError, ParticipantEntry, Purchase
from handlers.registry import get_handler
from seats.models import Assignment, Seat
from tests.accounts.factories import make_account, make_person
from tests.handlers.factories import make_course, make_purchase
from tests.seats.factories import give, make_pool, states
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
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


class Bought:
    """A purchase in a world of its own, and what can be seen of its delivery."""

    def __init__(self, name: str, params: str, phase: str = "deliver", **fields: Any) -> None:
        self.handler, self.phase = get_handler(name), phase
        self.mark = f"far{next(_numbers)}"
        self.course = make_course(self.mark, is_support=phase == "prepare")
        self.buyer = make_person(email=f"buyer@{self.mark}.example", possessed_at=NOW)
        self.purchase: Purchase = make_purchase(
            params.replace("COURSE", self.mark),
            handler=name,
            line_key=uuid.uuid4(),
            account_id=make_account().pk,
            buyer_id=self.buyer.pk,
            bill_number=self.mark,
            purchased_at=NOW,
            **fields,
        )

    def deliver(self) -> Delivery:
        handler: Any = self.handler
        done: Delivery = getattr(handler, self.phase)(self.purchase)
        return done

    def seen(self) -> dict[str, Any]:
        account = self.purchase.account_id
        return {
            "people": sorted(self.names(Person.objects.filter(email__endswith=f"@{self.mark}.example"))),
            "enrolled": sorted(
                (one.person.email.partition("@")[0], one.role, one.status, one.starts_at, one.ends_at)
                for one in Enrolment.objects.filter(course=self.course).select_related("person")
            ),
            "groups": sorted(
                one.person.email.partition("@")[0]
                for one in GroupMember.objects.filter(group__course=self.course).select_related("person")
            ),
            "seats": sorted(Seat.objects.filter(account=account).values_list("ordinal", flat=True)),
            "sitting": sorted(
                (one.seat.ordinal, one.email.partition("@")[0], one.state, one.ends_at)
                for one in Assignment.objects.filter(account=account).select_related("seat")
            ),
            "mails": sorted(
                (mail.to.partition("@")[0], mail.kind)
                for mail in OutboxMail.objects.filter(to__endswith=f"@{self.mark}.example")
            ),
        }

    def names(self, people: Any) -> list[str]:
        return [str(email).partition("@")[0] for email in people.values_list("email", flat=True)]


def support() -> Bought:
    return Bought("generateseats", "customersupport=COURSE", "prepare")


def one_course() -> Bought:
    return Bought("enrolonecourse", "coursename=COURSE&duration=30")


def session() -> Bought:
    bought = Bought(
        "setuponecoursesession", "coursename=COURSE&duration=30&autoenrolsupervisor=1", quantity=3
    )
    named = [ParticipantEntry(f"{name}@{bought.mark}.example", name) for name in ("ann", "bob", "cid")]
    object.__setattr__(bought.purchase, "participants", tuple(named))
    return bought


def extension() -> Bought:
    bought = Bought("extendenrolperiod", "extension=10")
    account = make_account()
    make_pool(account, 1, access_seconds=30 * 86_400)
    given = give(account, bought.course, f"ada@{bought.mark}.example")
    Assignment.objects.filter(pk=given.pk).update(starts_at=NOW, ends_at=END)
    object.__setattr__(bought.purchase, "account_id", account.pk)
    object.__setattr__(bought.purchase, "customer_data", ({"reference": given.seat.reference},))
    return bought


END = datetime.fromisoformat("2050-05-05T00:00:00+02:00")
STORIES = {"support": support, "one_course": one_course, "session": session, "extension": extension}


@pytest.fixture(params=STORIES)
def make(request) -> Callable[[], Bought]:
    return STORIES[request.param]


class Absent(Exception):
    """The delivery waits for the platform."""


def deliver(bought: Bought) -> Delivery:
    try:
        return bought.deliver()
    except HandlerError as error:
        if error.outside and not error.permanent:
            raise Absent from error
        raise


def outside(bought: Bought) -> None:
    with pytest.raises(Absent):
        deliver(bought)


def test_what_each_of_them_calls(far):
    calls = {}
    for name, make in STORIES.items():
        bought = make()
        far.calls.clear()
        bought.deliver()
        calls[name] = list(far.calls)
    assert calls == {
        "support": ["ensure_logins", "active_enrolments", "ensure_enrolments"],
        "one_course": [
            "active_enrolments",
            "ensure_logins",
            "known_ends",
            "ensure_enrolments",
            "ensure_group_members",
        ],
        "session": [
            "strangers",
            "ensure_logins",
            "ensure_enrolments",
            "ensure_group_members",
            "oversee",
            "ensure_logins",
            "active_enrolments",
            "ensure_enrolments",
            "ensure_group_members",
        ],
        "extension": ["ensure_logins", "known_ends", "ensure_enrolments", "ensure_group_members"],
    }


def test_repeated_it_ends_the_same(far, make):
    bought = make()
    first = bought.deliver()
    seen = bought.seen()
    assert bought.deliver() == first
    assert bought.seen() == seen


def test_cut_off_at_any_call_it_waits_and_ends_the_same(far, make):
    whole = make()
    far.calls.clear()
    told = whole.deliver().delivered
    total = len(far.calls)
    for number in range(1, total + 1):
        bought = make()
        far.calls.clear()
        far.cut_at = number
        outside(bought)
        outside(bought)
        far.cut_at = 0
        assert bought.deliver().delivered == told
        assert bought.seen() == whole.seen(), f"cut off at call {number} of {total}"


def test_whichever_answer_is_lost_it_ends_the_same(far, make):
    whole = make()
    far.calls.clear()
    told = whole.deliver().delivered
    total = len(far.calls)
    for number in range(1, total + 1):
        bought = make()
        far.calls.clear()
        far.lost_at = number
        with suppress(Absent):  # the answer about the oversight is not waited for
            deliver(bought)
        far.lost_at = 0
        assert bought.deliver().delivered == told
        assert bought.seen() == whole.seen(), f"the answer to call {number} of {total} was lost"


def test_a_seat_that_is_just_being_given_is_extended_afterwards(far):
    bought = extension()
    Assignment.objects.filter(account=bought.purchase.account_id).update(state="reserved")
    outside(bought)
    Assignment.objects.filter(account=bought.purchase.account_id).update(state="live")
    bought.deliver()
    account = Assignment.objects.get(account=bought.purchase.account_id).account
    assert states(account) == {"assigned": 1}
    assert bought.seen()["sitting"][0][3] > END
