"""People whose login Moodle only tells of when one is to be made, because it keeps their address in another case.

If they are enrolled with it, that costs no seat and stays as it is.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from common import jobs
from common.audit import OPERATOR
from common.models import Job, OutboxMail
from courses.models import Course, Enrolment, PlatformLogin
from courses.moodle.platform import MoodlePlatform
from seats.models import Assignment, AssignmentBatch, SeatChange
from seats.services import NotTold, set_up_session, start_apply, start_change
from tests.accounts.factories import make_account, make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.records import Enrolment as PeerEnrolment
from tests.moodle.site import mirror, peer_course, use_peer
from tests.seats.factories import make_pool, plan_list, states, told
from tests.seats.sessions import ordered

STUDENT = 5
EVE, END = "Eve.Martin@Example.org", 4102444800

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(settings: Any, moodle_peer: MoodlePeer) -> MoodlePlatform:
    return use_peer(settings, moodle_peer, timeout=2)


@pytest.fixture
def course(platform: MoodlePlatform, moodle_peer: MoodlePeer) -> Course:
    site = moodle_peer.site
    return mirror(site.add_course("EXCEL1", "Excel", site.add_category("Office")))


@pytest.fixture
def theirs(moodle_peer: MoodlePeer, course: Course) -> PeerEnrolment:
    """Eve's enrolment, made by hand, until 2100."""
    site = moodle_peer.site
    eve = site.add_user("eve", EVE)
    there = peer_course(moodle_peer, course)
    site.enrol(eve, there, STUDENT)
    enrolment = site.enrolments[eve.id, there.id]
    enrolment.timeend = END
    return enrolment


def go_on() -> int:
    Job.objects.filter(state=Job.State.QUEUED).update(not_before=timezone.now())
    return jobs.run_due()


def applied(batch: AssignmentBatch) -> None:
    for _attempt in range(5):
        go_on()
    assert AssignmentBatch.objects.get(pk=batch.pk).state == "applied"


def untouched(enrolment: PeerEnrolment) -> bool:
    return (enrolment.timeend, enrolment.suspended) == (END, False)


@pytest.mark.parametrize(
    ("is_known_here", "fault"),
    [
        (False, None),
        (False, "enrol_manual_enrol_users"),
        (False, "core_user_get_users"),
        (False, "core_enrol_get_enrolled_users"),
        (True, None),
        (True, "core_user_get_users"),
    ],
)
def test_in_a_list_no_seat_is_used(
    moodle_peer: MoodlePeer, course: Course, theirs: PeerEnrolment, is_known_here: bool, fault: str | None
) -> None:
    account = make_account()
    make_pool(account, 3)
    if is_known_here:
        make_person(email="eve.martin@example.org")
    batch = plan_list(account, course, "ann@x.org", "eve.martin@example.org", "bob@x.org")
    go_on()
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    if fault:
        moodle_peer.faults.add(fault, "bad_gateway_after")
    applied(batch)
    assert told(list(batch.rows.order_by("position"))) == [
        ("new_account", "assigned"),
        ("already_enrolled", "unchanged"),
        ("new_account", "assigned"),
    ]
    assert states(account) == {"assigned": 2, "free": 1}
    assert sorted(Assignment.objects.values_list("email", "state")) == [
        ("ann@x.org", "live"),
        ("bob@x.org", "live"),
    ]
    assert sorted(OutboxMail.objects.values_list("to", flat=True)) == ["ann@x.org", "bob@x.org"]
    assert untouched(theirs)
    assert not Enrolment.objects.filter(person__email_key="eve.martin@example.org").exists()


def test_who_is_not_enrolled_gets_his_seat_and_the_news(moodle_peer: MoodlePeer, course: Course) -> None:
    moodle_peer.site.add_user("eve", EVE)
    account = make_account()
    make_pool(account, 3)
    batch = plan_list(account, course, "eve.martin@example.org")
    go_on()
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    # The call is done, and nobody is told: the next attempt does not take it for an older enrolment.
    moodle_peer.faults.add("enrol_manual_enrol_users", "bad_gateway_after")
    moodle_peer.faults.add("core_enrol_get_enrolled_users", "bad_gateway_before", skip=1, times=2)
    applied(batch)
    assert told(list(batch.rows.order_by("position"))) == [("existing_account", "assigned")]
    assert list(OutboxMail.objects.values_list("kind", flat=True)) == ["enrolled"]
    assert not PlatformLogin.objects.get().is_ours
    assert not Assignment.objects.get().created_login


def test_in_a_session_he_joins_the_group_and_keeps_his_dates(
    moodle_peer: MoodlePeer, course: Course, theirs: PeerEnrolment
) -> None:
    order = ordered(course, "ann@x.org", "eve.martin@example.org")
    with pytest.raises(NotTold):
        set_up_session(order)
    done = set_up_session(order)
    assert (done.seats, done.created, done.already) == (2, 1, 1)
    assert untouched(theirs)
    site, there = moodle_peer.site, peer_course(moodle_peer, course)
    [eve] = site.users_with_email(EVE)
    assert site.group_names_of(eve, there) == {order.bill_number}
    assert [one.email for one in Assignment.objects.all()] == ["ann@x.org"]


def test_in_the_place_of_somebody_else_nothing_is_changed(
    moodle_peer: MoodlePeer, course: Course, theirs: PeerEnrolment
) -> None:
    account = make_account()
    make_pool(account, 1)
    batch = plan_list(account, course, "ann@x.org")
    go_on()
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    go_on()
    seat = Assignment.objects.get().seat
    start_change(
        kind=SeatChange.Kind.REPLACE,
        reference=seat.reference,
        account_id=account.pk,
        actor=OPERATOR,
        email="eve.martin@example.org",
    )
    go_on()
    change = SeatChange.objects.get()
    assert (change.state, change.code) == ("refused", "already_enrolled")
    assert untouched(theirs)
    site, there = moodle_peer.site, peer_course(moodle_peer, course)
    [ann] = site.users_with_email("ann@x.org")
    assert site.is_active(site.enrolments[ann.id, there.id])
    assert [(one.email, one.state) for one in Assignment.objects.all()] == [("ann@x.org", "live")]
