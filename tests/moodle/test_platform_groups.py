"""Groups on a Moodle: two may have one name, made at the same moment; nobody says why a member is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course, Group, GroupMember
from courses.platform import OK, UNKNOWN, EnrolmentRow, GroupRow, Refusal, refused
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.calls import FUNCTIONS
from tests.moodle.site import mirror, peer_course, peer_user, use_peer

MAKE, ADD = "core_group_create_groups", "core_group_add_group_members"
GROUPS, MEMBERS = "core_group_get_course_groups", "core_group_get_group_members"


@pytest.fixture
def platform(settings, moodle_peer, db):
    return use_peer(settings, moodle_peer)


@pytest.fixture
def course(platform, moodle_peer) -> Course:
    return mirror(moodle_peer.site.add_course("SPOC-1"))


def enrolled(platform, course: Course, count: int = 1) -> list[Person]:
    people = [make_person() for _ in range(count)]
    platform.ensure_logins([person.pk for person in people])
    start = timezone.now() - timedelta(days=1)
    rows = [EnrolmentRow(course.pk, person.pk, "student", start, None) for person in people]
    assert platform.ensure_enrolments(rows) == [OK] * count
    return people


def in_group(course: Course, people: list[Person], name: str = "B-0001") -> list[GroupRow]:
    return [GroupRow(course.pk, name, person.pk) for person in people]


def groups(peer: MoodlePeer, course: Course, person: Person) -> set[str]:
    return peer.site.group_names_of(peer_user(peer, person), peer_course(peer, course))


def test_a_hundred_people_in_a_new_group_take_four_calls_and_two_when_it_is_known(
    platform, moodle_peer, course
):
    rows = in_group(course, enrolled(platform, course, 100))
    moodle_peer.forget_calls()
    assert platform.ensure_group_members(rows) == [OK] * 100
    assert [call.function for call in moodle_peer.calls] == [GROUPS, MAKE, ADD, MEMBERS]
    moodle_peer.forget_calls()
    assert platform.ensure_group_members(rows) == [OK] * 100
    assert [call.function for call in moodle_peer.calls] == [ADD, MEMBERS]
    assert GroupMember.objects.count() == 100


def test_a_group_that_is_there_is_used_and_of_two_the_first(platform, moodle_peer, course):
    remote = peer_course(moodle_peer, course)
    first = moodle_peer.site.add_group(remote, "B-0001")
    second = moodle_peer.site.add_group(remote, "B-0001")
    other = moodle_peer.site.add_group(remote, "b-0001")
    (person,) = enrolled(platform, course)
    assert platform.ensure_group_members(in_group(course, [person])) == [OK]
    assert [len(group.members) for group in (first, second, other)] == [1, 0, 0]
    assert Group.objects.get().remote_id == first.id


def test_a_group_that_somebody_makes_at_the_same_moment_is_found(platform, moodle_peer, course, monkeypatch):
    (person,) = enrolled(platform, course)
    whole, remote = FUNCTIONS[MAKE], peer_course(moodle_peer, course)

    def make(visit, arguments):
        moodle_peer.site.add_group(remote, "B-0001")
        return whole.run(visit, arguments)

    monkeypatch.setitem(FUNCTIONS, MAKE, replace(whole, run=make))
    assert platform.ensure_group_members(in_group(course, [person])) == [OK]
    assert len(moodle_peer.site.groups) == 1
    assert groups(moodle_peer, course, person) == {"B-0001"}


@pytest.mark.parametrize("kind", ["reset_after", "bad_gateway_after"])
def test_a_group_made_without_an_answer_is_not_made_again(platform, moodle_peer, course, kind):
    (person,) = enrolled(platform, course)
    moodle_peer.faults.add(MAKE, kind)
    assert platform.ensure_group_members(in_group(course, [person])) == [OK]
    assert len(moodle_peer.site.groups) == 1


def test_a_group_that_was_not_made_is_unknown_and_made_at_the_next_attempt(platform, moodle_peer, course):
    (person,) = enrolled(platform, course)
    moodle_peer.faults.add(MAKE, "bad_gateway_before")
    assert platform.ensure_group_members(in_group(course, [person])) == [UNKNOWN]
    assert not GroupMember.objects.exists()
    assert platform.ensure_group_members(in_group(course, [person])) == [OK]
    assert groups(moodle_peer, course, person) == {"B-0001"}


def test_a_group_that_was_deleted_there_is_made_anew(platform, moodle_peer, course):
    people = enrolled(platform, course, 2)
    platform.ensure_group_members(in_group(course, people[:1]))
    (group,) = moodle_peer.site.groups.values()
    del moodle_peer.site.groups[group.id]
    assert platform.ensure_group_members(in_group(course, people)) == [OK, OK]
    (anew,) = moodle_peer.site.groups.values()
    assert len(anew.members) == 2
    assert Group.objects.get().remote_id == anew.id


def test_who_is_not_enrolled_is_found_among_many(platform, moodle_peer, course):
    people = enrolled(platform, course, 9)
    gone = people[4]
    moodle_peer.site.unenrol(peer_user(moodle_peer, gone), peer_course(moodle_peer, course))
    outcomes = platform.ensure_group_members(in_group(course, people))
    assert outcomes == [OK] * 4 + [refused(Refusal.NOT_ENROLLED)] + [OK] * 4
    assert set(GroupMember.objects.values_list("person_id", flat=True)) == {
        person.pk for person in people if person != gone
    }


def test_members_left_out_in_silence_are_counted_and_added_again(platform, moodle_peer, course, monkeypatch):
    people = enrolled(platform, course, 3)
    whole = FUNCTIONS[ADD]
    cuts: list[dict[str, int]] = []

    def cut(visit, arguments):
        if not cuts:
            cuts.append(arguments["members"].pop())
        return whole.run(visit, arguments)

    monkeypatch.setitem(FUNCTIONS, ADD, replace(whole, run=cut))
    assert platform.ensure_group_members(in_group(course, people)) == [OK] * 3
    assert len(cuts) == 1
    assert [groups(moodle_peer, course, person) for person in people] == [{"B-0001"}] * 3


def test_who_leaves_a_group_leaves_it_there_and_here(platform, moodle_peer, course):
    people = enrolled(platform, course, 2)
    platform.ensure_group_members(in_group(course, people))
    moodle_peer.faults.add("core_group_delete_group_members", "reset_after")
    assert platform.remove_group_members(in_group(course, people[:1])) == [UNKNOWN]
    assert GroupMember.objects.count() == 2
    assert platform.remove_group_members(in_group(course, people[:1])) == [OK]
    assert [groups(moodle_peer, course, person) for person in people] == [set(), {"B-0001"}]
    assert GroupMember.objects.get().person_id == people[1].pk


def test_to_leave_a_group_that_is_gone_is_done(platform, moodle_peer, course):
    people = enrolled(platform, course, 2)
    platform.ensure_group_members(in_group(course, people))
    moodle_peer.site.groups.clear()
    assert platform.remove_group_members(in_group(course, people)) == [OK, OK]
    assert not GroupMember.objects.exists()


def test_the_mode_of_groups_is_never_written(platform, moodle_peer, course):
    peer_course(moodle_peer, course).groupmode = 1
    platform.ensure_group_members(in_group(course, enrolled(platform, course)))
    assert peer_course(moodle_peer, course).groupmode == 1
    assert moodle_peer.calls_of("core_course_update_courses") == []
