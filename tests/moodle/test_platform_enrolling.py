"""Enrolments on a Moodle. The traps, each with a test that fails when it is ignored:

- the call is an upsert that forgets what is not sent: dates and status at every call;
- a long request is cut without a word: at most 900 variables, the required key last, and counted afterwards;
- another role is added to the old one, and writes its dates over those of the first;
- un-enrolling loses groups, grades and the last visit: suspended instead;
- one bad item refuses the list, mostly without a reason.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course, Enrolment, PlatformLogin
from courses.platform import OK, UNKNOWN, EnrolmentRow, GroupRow, PlatformAway, Refusal, refused
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.calls import FUNCTIONS
from tests.moodle.site import OWNER_ROLE, mirror, peer_course, peer_user, use_peer

ENROL = "enrol_manual_enrol_users"
LIST = "core_enrol_get_enrolled_users"
START = datetime(2026, 9, 1, 8, 0, 0, 250_000, tzinfo=UTC)
END = datetime(2027, 8, 31, 22, 0, 0, 250_000, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def platform(settings, moodle_peer, db):
    return use_peer(settings, moodle_peer)


@pytest.fixture
def course(platform, moodle_peer) -> Course:
    return mirror(moodle_peer.site.add_course("SPOC-1"))


@pytest.fixture
def person(platform) -> Person:
    return known(platform)[0]


def known(platform, count: int = 1) -> list[Person]:
    people = [make_person() for _ in range(count)]
    assert platform.ensure_logins([person.pk for person in people]) == [OK] * count
    return people


def row(course: Course, person: Person, **fields) -> EnrolmentRow:
    return replace(EnrolmentRow(course.pk, person.pk, "student", START, END), **fields)


def there(peer: MoodlePeer, course: Course, person: Person) -> tuple[int, int, bool] | None:
    """timestart, timeend and suspended on the site."""
    found = peer.site.enrolment(peer_user(peer, person).id, course.remote_id or 0)
    return None if found is None else (found.timestart, found.timeend, found.suspended)


def roles(peer: MoodlePeer, course: Course, person: Person) -> set[str]:
    return peer.site.roles_of(peer_user(peer, person), peer_course(peer, course))


SECONDS = (1_788_249_600, 1_819_749_601)  # of START, and of END which is never shortened


def test_the_whole_row_goes_out_in_whole_seconds_and_is_kept_by_us(platform, moodle_peer, course, person):
    assert platform.ensure_enrolments([row(course, person)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, False)
    kept = Enrolment.objects.get()
    assert (kept.role, kept.status, kept.starts_at, kept.ends_at, kept.waits) == (
        "student",
        "active",
        START,
        END,
        False,
    )


def test_every_call_sends_the_dates_so_that_none_is_forgotten(platform, moodle_peer, course, person):
    for fields, expected in (
        ({}, (*SECONDS, False)),
        ({"suspended": True}, (*SECONDS, True)),
        ({"role": "teacher"}, (*SECONDS, False)),
        ({"ends_at": None}, (SECONDS[0], 0, False)),
    ):
        assert platform.ensure_enrolments([row(course, person, **fields)]) == [OK]
        assert there(moodle_peer, course, person) == expected
    platform.ensure_enrolments([row(course, person)])
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, True)


def test_a_hundred_people_are_one_call_and_a_count(platform, moodle_peer, course):
    people = known(platform, 100)
    moodle_peer.forget_calls()
    assert platform.ensure_enrolments([row(course, person) for person in people]) == [OK] * 100
    assert [call.function for call in moodle_peer.calls] == [ENROL, LIST]


def test_a_list_that_php_would_cut_is_sent_in_parts_with_the_required_key_last(platform, moodle_peer, course):
    people = known(platform, 300)
    moodle_peer.site.max_input_vars = 900
    assert platform.ensure_enrolments([row(course, person) for person in people]) == [OK] * 300
    assert {there(moodle_peer, course, person) for person in people} == {(*SECONDS, False)}
    for call in moodle_peer.calls_of(ENROL):
        assert call.variables <= 900
        assert [key for key in call.keys if key.startswith("enrolments[0]")][-1] == "enrolments[0][courseid]"
        assert call.keys[-1] == "wstoken"


def test_who_was_left_out_in_silence_is_counted_and_told_again(
    platform, moodle_peer, course, person, monkeypatch
):
    second = known(platform)[0]
    whole = FUNCTIONS[ENROL]
    cuts: list[dict[str, int]] = []

    def cut(visit, arguments):
        if not cuts:
            cuts.append(arguments["enrolments"].pop())
        return whole.run(visit, arguments)

    monkeypatch.setitem(FUNCTIONS, ENROL, replace(whole, run=cut))
    assert platform.ensure_enrolments([row(course, person), row(course, second)]) == [OK, OK]
    assert len(cuts) == 1
    assert there(moodle_peer, course, second) == there(moodle_peer, course, person) == (*SECONDS, False)


def test_who_is_never_in_the_list_is_unknown_and_not_recorded(
    platform, moodle_peer, course, person, monkeypatch
):
    second = known(platform)[0]
    whole, left_out = FUNCTIONS[ENROL], peer_user(moodle_peer, second).id

    def cut(visit, arguments):
        kept = [one for one in arguments["enrolments"] if one["userid"] != left_out]
        return whole.run(visit, {"enrolments": kept})

    monkeypatch.setitem(FUNCTIONS, ENROL, replace(whole, run=cut))
    assert platform.ensure_enrolments([row(course, person), row(course, second)]) == [OK, UNKNOWN]
    assert [kept.person_id for kept in Enrolment.objects.filter(waits=False)] == [person.pk]


# --- roles -----------------------------------------------------------------------------------------


def test_another_role_replaces_the_one_we_gave_and_no_other(platform, moodle_peer, course, person):
    platform.ensure_enrolments([row(course, person)])
    user, remote = peer_user(moodle_peer, person), peer_course(moodle_peer, course)
    moodle_peer.site.enrol(user, remote, OWNER_ROLE, timestart=SECONDS[0], timeend=SECONDS[1])
    assert platform.ensure_enrolments([row(course, person, role="teacher")]) == [OK]
    assert roles(moodle_peer, course, person) == {"teacher", "courseowner"}
    assert there(moodle_peer, course, person) == (*SECONDS, False)
    assert Enrolment.objects.get().role == "teacher"


def test_a_role_that_could_not_be_taken_is_taken_at_the_next_attempt(platform, moodle_peer, course, person):
    platform.ensure_enrolments([row(course, person)])
    moodle_peer.faults.add("core_role_unassign_roles", "bad_gateway_before")
    assert platform.ensure_enrolments([row(course, person, role="teacher")]) == [UNKNOWN]
    assert Enrolment.objects.get().role == "student"
    assert platform.ensure_enrolments([row(course, person, role="teacher")]) == [OK]
    assert roles(moodle_peer, course, person) == {"teacher"}


def test_a_role_that_is_not_mapped_or_may_not_be_given_is_refused(
    platform, moodle_peer, course, person, settings
):
    settings.MOODLE_ROLES = "student:5,teacher:4,manager:1"
    other = known(platform)[0]
    wanted = [
        row(course, person, role="courseowner"),
        row(course, other),
        row(course, person, role="manager"),
    ]
    assert [role.name for role in platform.roles()] == ["student", "teacher", "manager"]
    expected = [refused(Refusal.UNKNOWN_ROLE), OK, refused(Refusal.UNKNOWN_ROLE)]
    assert platform.ensure_enrolments(wanted) == expected
    assert there(moodle_peer, course, person) is None
    assert [kept.person_id for kept in Enrolment.objects.all()] == [other.pk]


# --- suspending ------------------------------------------------------------------------------------


def test_who_is_suspended_keeps_group_grade_role_and_last_visit(platform, moodle_peer, course, person):
    platform.ensure_enrolments([row(course, person)])
    platform.ensure_group_members([GroupRow(course.pk, "G", person.pk)])
    user, remote = peer_user(moodle_peer, person), peer_course(moodle_peer, course)
    moodle_peer.site.visit(user, remote)
    moodle_peer.site.grade(user, remote, 55)
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, True)
    assert moodle_peer.site.group_names_of(user, remote) == {"G"}
    assert moodle_peer.site.grades[user.id, remote.id] == 55
    assert moodle_peer.site.last_access[user.id, remote.id] > 0
    assert roles(moodle_peer, course, person) == {"student"}
    assert Enrolment.objects.get().status == "suspended"
    assert not any("unenrol" in call.function for call in moodle_peer.calls)


def test_who_was_taken_out_by_a_teacher_is_not_put_back_to_be_suspended(
    platform, moodle_peer, course, person
):
    platform.ensure_enrolments([row(course, person)])
    moodle_peer.site.unenrol(peer_user(moodle_peer, person), peer_course(moodle_peer, course))
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert there(moodle_peer, course, person) is None
    assert Enrolment.objects.get().status == "suspended"


def test_who_was_enrolled_by_others_is_suspended_in_his_own_role(platform, moodle_peer, course, person):
    user, remote = peer_user(moodle_peer, person), peer_course(moodle_peer, course)
    moodle_peer.site.enrol(user, remote, 4)
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert there(moodle_peer, course, person) == (0, 0, True)
    assert roles(moodle_peer, course, person) == {"teacher"}
    assert not Enrolment.objects.exists()
    moodle_peer.forget_calls()
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert moodle_peer.calls_of(ENROL) == []


def test_in_a_closed_course_moodle_is_told_suspended_and_our_row_keeps_what_was_asked(
    platform, moodle_peer, course, person
):
    Course.objects.filter(pk=course.pk).update(closed_at=timezone.now())
    assert platform.ensure_enrolments([row(course, person)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, True)
    kept = Enrolment.objects.get()
    assert kept.status == "active"
    assert platform.tell_again([kept], suspended=False) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, False)
    assert platform.tell_again([kept], suspended=True) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, True)
    assert Enrolment.objects.get().status == "active"


# --- refusals --------------------------------------------------------------------------------------


def test_bad_items_in_a_long_list_are_found_and_the_others_happen(platform, moodle_peer, course):
    people = known(platform, 20)
    closed = mirror(moodle_peer.site.add_course("NO-MANUAL", manual=None))
    gone = moodle_peer.site.add_course("GONE")
    lost = mirror(gone)
    moodle_peer.site.delete_course(gone)
    rows = [row(course, person) for person in people]
    rows[3] = row(closed, people[3])
    rows[11] = row(lost, people[11])
    expected = [OK] * 20
    expected[3] = refused(Refusal.NO_ENROLMENTS)
    expected[11] = refused(Refusal.UNKNOWN_COURSE)
    assert platform.ensure_enrolments(rows) == expected
    assert Enrolment.objects.count() == 18
    assert there(moodle_peer, closed, people[3]) is None


def test_a_course_without_manual_enrolment_costs_one_call_however_long_the_list(platform, moodle_peer):
    closed = mirror(moodle_peer.site.add_course("NO-MANUAL", manual=False))
    people = known(platform, 60)
    outcomes = platform.ensure_enrolments([row(closed, person) for person in people])
    assert set(outcomes) == {refused(Refusal.NO_ENROLMENTS)}
    assert len(moodle_peer.calls_of(ENROL)) == 1


def test_a_course_that_is_known_to_be_gone_is_not_asked_about(platform, moodle_peer, course, person):
    platform.ensure_enrolments([row(course, person)])
    Course.objects.filter(pk=course.pk).update(missing_since=timezone.now())
    moodle_peer.forget_calls()
    assert platform.ensure_enrolments([row(course, person)]) == [refused(Refusal.UNKNOWN_COURSE)]
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert moodle_peer.calls == []


def test_a_login_that_was_deleted_there_is_made_anew(platform, moodle_peer, course, person):
    other = known(platform)[0]
    first = peer_user(moodle_peer, person)
    platform.set_password(person.pk, "An0ther-one")
    moodle_peer.site.delete_user(first)
    assert platform.ensure_enrolments([row(course, person), row(course, other)]) == [OK, OK]
    assert peer_user(moodle_peer, person).id != first.id
    assert there(moodle_peer, course, person) == (*SECONDS, False)
    assert PlatformLogin.objects.get(person=person).needs_password


# --- no answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset_after", "bad_gateway_before", "bad_gateway_after", "killed_midway"])
def test_without_an_answer_nothing_is_recorded_and_a_repeat_ends_right(
    platform, moodle_peer, course, person, kind
):
    moodle_peer.faults.add(ENROL, kind)
    assert platform.ensure_enrolments([row(course, person)]) == [UNKNOWN]
    assert list(Enrolment.objects.values_list("status", "waits")) == [("suspended", True)]
    assert platform.ensure_enrolments([row(course, person)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, False)
    moodle_peer.faults.add(ENROL, kind)
    assert platform.end_enrolments([(course.pk, person.pk)]) == [UNKNOWN]
    assert Enrolment.objects.get().status == "active"
    assert platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert there(moodle_peer, course, person) == (*SECONDS, True)


def test_a_count_that_cannot_be_read_leaves_the_row_to_the_next_attempt(
    platform, moodle_peer, course, person
):
    moodle_peer.faults.add(LIST, "maintenance")
    with pytest.raises(PlatformAway):
        platform.ensure_enrolments([row(course, person)])
    assert list(Enrolment.objects.values_list("status", "waits")) == [("suspended", True)]
    assert platform.ensure_enrolments([row(course, person)]) == [OK]
