"""Reconciling with a Moodle in which somebody was at work: un-enrolled, suspended, deleted, renamed people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from common import jobs
from common.audit import OPERATOR
from courses.models import Course, Enrolment, PlatformLogin
from portal.services.findings import Finding, Repair
from portal.services.reconcile import run_reconcile
from seats.models import Assignment
from seats.services import start_apply
from tests.accounts.factories import make_account
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, peer_course, peer_user, use_peer
from tests.seats.factories import make_pool, plan_list, states

pytestmark = pytest.mark.django_db

ALL = frozenset(Repair)


@pytest.fixture
def peer(settings, moodle_peer: MoodlePeer) -> MoodlePeer:
    use_peer(settings, moodle_peer)
    return moodle_peer


@pytest.fixture
def course(peer) -> Course:
    return mirror(peer.site.add_course("SPOC"))


@pytest.fixture
def account(course) -> CustomerAccount:
    """Ada and Bob have had seats for an hour: of a shorter time Moodle's clock is not exact enough."""
    account = make_account()
    make_pool(account, 3)
    batch = plan_list(account, course, "ada@x.org", "bob@x.org")
    jobs.run_due()
    start_apply(batch_id=batch.pk, actor=OPERATOR)
    jobs.run_due()
    assert states(account) == {"assigned": 2, "free": 1}
    for table in (Assignment, Enrolment):
        table._default_manager.update(starts_at=F("starts_at") - timedelta(hours=1))
    return account


@pytest.fixture
def ada(account) -> Person:
    return Person.objects.get(email="ada@x.org")


def reconcile(*repairs: Repair, accept: bool = False) -> list[Finding]:
    return run_reconcile(repairs=repairs, accept=accept, actor=OPERATOR)


def told(findings: list[Finding]) -> list[tuple[str, str, str, bool]]:
    return [(one.kind, one.email, one.repair, one.done) for one in findings]


def active(peer: MoodlePeer, course: Course, person: Person) -> bool:
    there = peer.site.enrolment(peer_user(peer, person).id, course.remote_id or 0)
    return there is not None and not there.suspended


def test_both_agree_after_a_list(account):
    assert reconcile(*ALL) == []


def test_somebody_un_enrolled_there_is_enrolled_again_with_the_same_dates(account, ada, peer, course):
    before = Assignment.objects.get(person=ada)
    peer.site.unenrol(peer_user(peer, ada), peer_course(peer, course))
    assert told(reconcile(Repair.SEATS)) == [("missing", "ada@x.org", "enrolments", False)]
    assert not active(peer, course, ada)
    assert told(reconcile(Repair.ENROLMENTS)) == [("missing", "ada@x.org", "enrolments", True)]
    there = peer.site.enrolment(peer_user(peer, ada).id, course.remote_id or 0)
    assert there is not None
    assert (there.timestart, there.timeend) == (int(before.starts_at.timestamp()), 0)
    assert reconcile() == []


def test_somebody_suspended_there_is_told_let_in_again_or_his_seat_is_free(account, ada, peer, course):
    peer.site.suspend_enrolment(peer_user(peer, ada), peer_course(peer, course))
    assert told(reconcile(Repair.ENROLMENTS)) == [("suspended", "ada@x.org", "seats", False)]
    assert told(reconcile(Repair.SEATS)) == [("suspended", "ada@x.org", "seats", True)]
    assert active(peer, course, ada)
    peer.site.suspend_enrolment(peer_user(peer, ada), peer_course(peer, course))
    assert told(reconcile(Repair.SEATS, accept=True)) == [("suspended", "ada@x.org", "seats", True)]
    assert states(account) == {"assigned": 1, "free": 2}
    assert (active(peer, course, ada), reconcile()) == (False, [])


def test_a_login_deleted_there_is_made_again_and_enrolled(account, ada, peer, course):
    peer.site.delete_user(peer_user(peer, ada))
    findings = told(reconcile())
    assert findings == [
        ("login", "ada@x.org", "logins", False),
        ("missing", "ada@x.org", "enrolments", False),
    ]
    assert [found[3] for found in told(reconcile(Repair.LOGINS, Repair.ENROLMENTS))] == [True, True]
    assert active(peer, course, ada)
    assert PlatformLogin.objects.get(person=ada).needs_password
    assert reconcile() == []


def test_an_address_changed_there_is_followed_while_nobody_has_used_the_login(account, ada, peer):
    peer.site.change_email(peer_user(peer, ada), "ada.lovelace@x.org")
    assert told(reconcile()) == [("address", "ada@x.org", "addresses", False)]
    Person.objects.filter(pk=ada.pk).update(possessed_at=timezone.now())
    [finding] = reconcile(Repair.ADDRESSES)
    assert (finding.done, finding.note[:30]) == (False, "its owner uses the login here:")
    Person.objects.filter(pk=ada.pk).update(possessed_at=None)
    assert told(reconcile(Repair.ADDRESSES)) == [("address", "ada@x.org", "addresses", True)]
    assert Person.objects.get(pk=ada.pk).email_key == "ada.lovelace@x.org"
    assert reconcile() == []


def test_a_service_user_who_sees_nobody_destroys_nothing(account, ada, peer):
    for capability in ("moodle/user:viewdetails", "moodle/user:viewhiddendetails"):
        peer.site.remove_capability(capability)
    logins = list(PlatformLogin.objects.values())
    findings = [one for one in reconcile(*ALL) if one.kind == "login"]
    assert [(one.repair, one.done) for one in findings] == [("", False)] * 2
    assert list(PlatformLogin.objects.values()) == logins


@pytest.mark.parametrize("people", [2, 6])
def test_reading_a_course_is_the_same_few_calls(account, ada, peer, course, people):
    if people > 2:
        make_pool(account, people)
        batch = plan_list(account, course, *(f"p{number}@x.org" for number in range(people - 2)))
        jobs.run_due()
        start_apply(batch_id=batch.pk, actor=OPERATOR)
        jobs.run_due()
    peer.forget_calls()
    assert reconcile() == []
    assert len(peer.calls) == 3
