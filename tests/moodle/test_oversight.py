"""Who answers for somebody may see him on the site: a role in his context, where one was made for it."""

from __future__ import annotations

import pytest

from accounts.models import Person
from courses.moodle import whole
from courses.moodle.platform import MoodlePlatform
from courses.platform import OK, UNKNOWN, Oversight, Refusal, refused
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.site import peer_user, use_peer

pytestmark = pytest.mark.django_db

MENTOR = "9"
ASSIGN = "core_role_assign_roles"


@pytest.fixture
def platform(settings, moodle_peer: MoodlePeer) -> MoodlePlatform:
    settings.MOODLE_OVERSIGHT_ROLE = MENTOR
    return use_peer(settings, moodle_peer)


def known(platform: MoodlePlatform, count: int) -> list[Person]:
    people = [make_person() for _ in range(count)]
    platform.ensure_logins([person.pk for person in people])
    return people


def seen_by(site: Site) -> set[tuple[int, int, int]]:
    """(who sees, whom, by which role)"""
    return {
        (one.user_id, one.instance_id, one.role_id) for one in site.role_assignments if one.level == "user"
    }


def test_the_role_is_given_once_and_who_oversees_gets_a_login(platform, site, moodle_peer):
    first, second = known(platform, 2)
    manager = make_person(email="manager@a.example")
    rows = [Oversight(manager.pk, first.pk), Oversight(manager.pk, second.pk)]
    for _again in range(2):
        assert platform.oversee(rows) == [OK, OK]
        boss = peer_user(moodle_peer, manager)
        assert boss.email == "manager@a.example"
        assert seen_by(site) == {(boss.id, peer_user(moodle_peer, one).id, 9) for one in (first, second)}
    assert [len(call.params["assignments"]) for call in moodle_peer.calls_of(ASSIGN)] == [2, 2]
    assert site.mails == []


def test_without_the_setting_nobody_is_asked(platform, settings, moodle_peer):
    settings.MOODLE_OVERSIGHT_ROLE = ""
    moodle_peer.forget_calls()
    assert platform.oversee([Oversight(1, 2)]) == [OK]
    settings.MOODLE_OVERSIGHT_ROLE = MENTOR
    assert platform.oversee([]) == []
    assert moodle_peer.calls == []


def test_what_is_refused_leaves_the_others(platform, site, moodle_peer, monkeypatch):
    monkeypatch.setattr(whole, "OVERSIGHTS_AT_ONCE", 3)
    manager, *people = known(platform, 5)
    gone = peer_user(moodle_peer, people[1])
    site.delete_user(gone)
    rows = [Oversight(manager.pk, one.pk) for one in people] + [Oversight(manager.pk, 10**9)]
    no = refused(Refusal.UNKNOWN_ROLE)
    assert platform.oversee(rows) == [OK, no, OK, OK, refused(Refusal.UNKNOWN_PERSON)]
    assert len(seen_by(site)) == 3


def test_a_role_that_is_not_for_people_is_refused(platform, site, settings):
    settings.MOODLE_OVERSIGHT_ROLE = "5"
    manager, person = known(platform, 2)
    assert platform.oversee([Oversight(manager.pk, person.pk)]) == [refused(Refusal.UNKNOWN_ROLE)]
    assert seen_by(site) == set()


def test_a_lost_answer_is_unknown_and_a_repetition_ends_right(platform, site, moodle_peer):
    manager, person = known(platform, 2)
    moodle_peer.faults.add(ASSIGN, "bad_gateway_after")
    assert platform.oversee([Oversight(manager.pk, person.pk)]) == [UNKNOWN]
    assert platform.oversee([Oversight(manager.pk, person.pk)]) == [OK]
    assert len(seen_by(site)) == 1
