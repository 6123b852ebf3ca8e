"""Course spaces with a Moodle behind them: whatever is cut off on the way, the order ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import (
    Course,
    CourseMaking,
    CourseSpace,
    Enrolment,
    PlatformLogin,
    PlatformSite,
    ProductEvent,
)
from courses.moodle import circuit, copying
from courses.moodle.connection import Connection
from courses.moodle.platform import MoodlePlatform
from courses.platform import PlatformAway
from courses.services import SpaceOrder, SpaceWish, run_open_spaces, run_sync_courses
from tests.accounts.factories import make_account, make_person
from tests.concurrency.racing import together
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.site import OWNER_ROLE, use_peer

pytestmark = pytest.mark.django_db(transaction=True)

KEY = UUID("00000000-0000-4000-8000-000000000004")
NOW = timezone.now().replace(microsecond=0)
CALLS = 30  # more than an order of two spaces needs


@pytest.fixture
def platform(settings, moodle_peer: MoodlePeer, monkeypatch) -> MoodlePlatform:
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    monkeypatch.setattr(circuit, "FAILURES_BEFORE", 10**6)
    platform = use_peer(settings, moodle_peer)
    moodle_peer.site.add_course("MODEL", pages=["Welcome", "End"], groupmode=1)
    run_sync_courses()
    Course.objects.filter(shortname="MODEL").update(is_template=True)
    return platform


@pytest.fixture
def order(platform) -> SpaceOrder:
    return SpaceOrder(
        line_key=KEY,
        account_id=make_account().pk,
        owner_id=make_person(email="owner@a.example").pk,
        item_code="SPACE",
        item_name="Course space",
        bill_number="CMD-2027-000001",
        wishes=(SpaceWish("First", "MINE"), SpaceWish("Second", "MINE")),
        category_id=1,
        template_id=Course.objects.get(shortname="MODEL").pk,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=365),
    )


def opened(order: SpaceOrder) -> bool:
    try:
        run_open_spaces(order)
    except PlatformAway:
        return False
    return True


def finish(order: SpaceOrder) -> None:
    """The delivery is repeated until it is done, as its run would be."""
    for _attempt in range(6):
        # The circuit of a site that came back, and the turn of a process that is gone.
        PlatformSite.objects.update(open_until=None, lease_holder="", lease_until=None)
        circuit.forget()
        if opened(order):
            return
    raise AssertionError("the order does not come to its end")


def state(site: Site) -> dict[str, Any]:
    """Everything that came of the order, there and here, in words that are the same at each time."""
    owner = next((user for user in site.users.values() if user.email == "owner@a.example"), None)
    courses = sorted((one for one in site.courses.values() if one.id != 1), key=lambda one: one.shortname)
    return {
        "courses": [
            (one.shortname, one.fullname, one.visible, one.complete_copy, one.pages) for one in courses
        ],
        "owners": sum(user.email == "owner@a.example" for user in site.users.values()),
        "enrolled": sorted(
            (site.courses[course].shortname, row.timestart, row.timeend, row.suspended)
            for (user, course), row in site.enrolments.items()
            if owner is not None and user == owner.id
        ),
        "roles": [site.roles_of(owner, one) if owner is not None else set() for one in courses],
        "mails": len(site.mails),
        "rows": list(
            Course.objects.filter(is_space=True)
            .order_by("shortname")
            .values_list("shortname", "copy_key", "visible")
        ),
        "spaces": list(CourseSpace.objects.order_by("ordinal").values_list("ordinal", "course__shortname")),
        "enrolments": list(
            Enrolment.objects.order_by("course__shortname").values_list("role", "status", "ends_at")
        ),
        "logins": list(PlatformLogin.objects.values_list("username", "is_ours")),
        "events": list(ProductEvent.objects.values_list("verb", flat=True)),
    }


START = int(NOW.timestamp())
FAULTLESS: dict[str, Any] = {
    "courses": [
        ("MINE", "First", True, True, ["Welcome", "End"]),
        ("MINE-2", "Second", True, True, ["Welcome", "End"]),
        ("MODEL", "MODEL", True, True, ["Welcome", "End"]),
    ],
    "owners": 1,
    "enrolled": [("MINE", START, 0, False), ("MINE-2", START, 0, False)],
    "roles": [{"courseowner"}, {"courseowner"}, set()],
    "mails": 0,
    "rows": [("MINE", f"{KEY}:1", True), ("MINE-2", f"{KEY}:2", True)],
    "spaces": [(1, "MINE"), (2, "MINE-2")],
    "enrolments": [("courseowner", "active", None)] * 2,
    "logins": [("owner@a.example", True)],
    "events": ["bought", "bought"],
}


def start_again(site: Site) -> None:
    """Forget the order, here and there."""
    for course in [one for one in site.courses.values() if one.shortname not in ("moodle", "MODEL")]:
        site.delete_course(course)
    for user in [one for one in site.users.values() if one.email == "owner@a.example"]:
        del site.users[user.id]
    CourseSpace.objects.all().delete()
    ProductEvent.objects.all().delete()
    Course.objects.filter(is_space=True).delete()
    CourseMaking.objects.all().delete()
    PlatformLogin.objects.all().delete()


def test_without_a_fault(order, site, moodle_peer):
    assert site.roles[OWNER_ROLE].shortname == "courseowner"
    moodle_peer.forget_calls()
    assert opened(order)
    assert state(site) == FAULTLESS
    assert len(moodle_peer.calls) < CALLS
    assert Person.objects.get().email == "owner@a.example"


@pytest.mark.parametrize(
    "kind", ["refuse_connection", "bad_gateway_before", "bad_gateway_after", "killed_midway", "garbage_after"]
)
def test_whichever_call_fails(order, site, moodle_peer, kind):
    struck = 0
    for number in range(1, CALLS):
        moodle_peer.forget_calls()
        fault = moodle_peer.faults.add(number, kind)
        opened(order)
        finish(order)
        moodle_peer.faults.clear()
        struck += fault.reached.is_set()
        assert state(site) == FAULTLESS, number
        start_again(site)
    assert struck >= 10


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_before_or_after_any_call(order, site, monkeypatch, moment):
    killed = 0
    for number in range(1, CALLS):
        with monkeypatch.context() as patched:
            for name in ("read", "write"):
                patched.setattr(Connection, name, dying(getattr(Connection, name), number, moment, [0]))
            try:
                opened(order)
            except Killed:
                killed += 1
        finish(order)
        assert state(site) == FAULTLESS, number
        start_again(site)
    assert killed >= 10


def dying(original: Callable[..., Any], number: int, moment: str, counted: list[int]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        counted[0] += 1
        if moment == "before" and counted[0] == number:
            raise Killed
        answer = original(*args, **kwargs)
        if moment == "after" and counted[0] == number:
            raise Killed
        return answer

    return call


@pytest.mark.needs_postgresql
def test_several_workers_at_one_order_make_it_once(order, site, moodle_peer):
    together([lambda: opened(order)] * 3)
    finish(order)
    assert state(site) == FAULTLESS
    assert len(moodle_peer.calls_of("core_course_duplicate_course")) == 2
