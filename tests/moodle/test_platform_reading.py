"""What a Moodle tells of people in courses. The traps, each with a test that fails when it is ignored:

- no call returns dates, nor why somebody is not active: our rows know what we gave;
- one call for the status shows everybody as not active in a hidden course: asked otherwise;
- Moodle rounds its clock to 100 seconds when it says who is active;
- a long list comes whole or not at all: read in pages;
- a site policy hits the service user while the site info stays green: the check looks a user up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from accounts.models import Person
from courses.models import Course, Enrolment
from courses.moodle import participants
from courses.moodle.platform import MoodlePlatform
from courses.platform import (
    OK,
    ActiveEnrolment,
    EnrolmentRow,
    KnownEnd,
    PlatformAway,
    ProgressState,
    Stranger,
)
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, peer_course, peer_user, use_peer

LIST = "core_enrol_get_enrolled_users"
BY_FIELD = "core_user_get_users_by_field"
DAY = timedelta(days=1)


@pytest.fixture
def platform(settings, moodle_peer, db):
    return use_peer(settings, moodle_peer)


@pytest.fixture
def course(platform, moodle_peer) -> Course:
    return mirror(moodle_peer.site.add_course("SPOC-1"))


def known(platform, count: int = 1) -> list[Person]:
    people = [make_person() for _ in range(count)]
    assert platform.ensure_logins([person.pk for person in people]) == [OK] * count
    return people


def enrol(platform, course: Course, person: Person, **fields) -> EnrolmentRow:
    now = timezone.now()
    values: dict[str, Any] = {"role": "student", "starts_at": now - DAY, "ends_at": now + DAY}
    wanted = EnrolmentRow(course.pk, person.pk, **(values | fields))
    assert platform.ensure_enrolments([wanted]) == [OK]
    return wanted


def active(platform: MoodlePlatform, course: Course, person: Person) -> ActiveEnrolment | None:
    return platform.active_enrolments([(course.pk, person.pk)])[0]


def by_hand(peer: MoodlePeer, course: Course, person: Person, role: int = 5, **fields) -> None:
    """A teacher of the site enrols the person."""
    peer.site.enrol(peer_user(peer, person), peer_course(peer, course), role, **fields)


# --- active ----------------------------------------------------------------------------------------


def test_the_dates_are_those_of_our_row(platform, moodle_peer, course):
    (person,) = known(platform)
    row = enrol(platform, course, person)
    assert active(platform, course, person) == ActiveEnrolment(
        course.pk, person.pk, "student", row.starts_at, row.ends_at
    )


def test_who_was_enrolled_by_somebody_else_is_active_with_unknown_dates(platform, moodle_peer, course):
    person, tutor, manager = known(platform, 3)
    by_hand(moodle_peer, course, person, timeend=2_000_000_000)
    by_hand(moodle_peer, course, tutor, 4)
    by_hand(moodle_peer, course, manager, 1)
    pairs = [(course.pk, one.pk) for one in (person, tutor, manager)]
    assert platform.active_enrolments(pairs) == [
        ActiveEnrolment(course.pk, one.pk, role, None, None, dates_known=False)
        for one, role in ((person, "student"), (tutor, "teacher"), (manager, "manager"))
    ]


def test_what_others_changed_on_the_site_counts(platform, moodle_peer, course):
    person, other, gone = known(platform, 3)
    for one in (person, gone):
        enrol(platform, course, one)
    enrol(platform, course, other, suspended=True)
    site, remote = moodle_peer.site, peer_course(moodle_peer, course)
    site.suspend_enrolment(peer_user(moodle_peer, person), remote)
    site.suspend_enrolment(peer_user(moodle_peer, other), remote, suspended=False)
    site.unenrol(peer_user(moodle_peer, gone), remote)
    told = platform.active_enrolments([(course.pk, one.pk) for one in (person, other, gone)])
    assert told == [
        None,
        ActiveEnrolment(course.pk, other.pk, "student", None, None, dates_known=False),
        None,
    ]


def test_in_a_hidden_course_they_are_active(platform, moodle_peer, course):
    mine, other = known(platform, 2)
    enrol(platform, course, mine)
    by_hand(moodle_peer, course, other)
    moodle_peer.site.hide(peer_course(moodle_peer, course))
    assert active(platform, course, mine) is not None
    assert active(platform, course, other) is not None


def test_a_start_that_lies_ahead_counts_and_so_does_one_that_moodle_has_not_noticed(
    platform, moodle_peer, course
):
    later, just_now, gone = known(platform, 3)
    moodle_peer.site.now = lambda: timezone.now().timestamp() - 50
    enrol(platform, course, later, starts_at=timezone.now() + DAY, ends_at=None)
    enrol(platform, course, just_now, starts_at=timezone.now())
    enrol(platform, course, gone, starts_at=timezone.now() + DAY, ends_at=None)
    moodle_peer.site.unenrol(peer_user(moodle_peer, gone), peer_course(moodle_peer, course))
    told = platform.active_enrolments([(course.pk, one.pk) for one in (later, just_now, gone)])
    assert [one is not None for one in told] == [True, True, False]


def test_an_end_that_moodle_has_not_noticed_yet_is_over(platform, moodle_peer, course):
    (person,) = known(platform)
    enrol(platform, course, person, ends_at=timezone.now() - timedelta(seconds=10))
    moodle_peer.site.now = lambda: timezone.now().timestamp() - 50
    assert active(platform, course, person) is None


def test_who_was_given_more_time_on_the_site_is_active_with_unknown_dates(platform, moodle_peer, course):
    (person,) = known(platform)
    enrol(platform, course, person, starts_at=timezone.now() - 9 * DAY, ends_at=timezone.now() - DAY)
    by_hand(moodle_peer, course, person)
    assert active(platform, course, person) == ActiveEnrolment(
        course.pk, person.pk, "student", None, None, dates_known=False
    )


def test_in_a_course_that_we_closed_our_rows_tell_and_nobody_is_asked(platform, moodle_peer, course):
    person, suspended = known(platform, 2)
    enrol(platform, course, person)
    enrol(platform, course, suspended, suspended=True)
    Course.objects.update(closed_at=timezone.now())
    moodle_peer.forget_calls()
    told = platform.active_enrolments([(course.pk, one.pk) for one in (person, suspended)])
    assert [one is not None for one in told] == [True, False]
    assert moodle_peer.calls == []


def test_people_whose_login_was_not_ensured_are_looked_up_and_nothing_is_written(
    platform, moodle_peer, course
):
    user = moodle_peer.site.add_user("ana", "Ana@Example.org")
    moodle_peer.site.enrol(user, peer_course(moodle_peer, course))
    ana, nobody = make_person(email="Ana@Example.org"), make_person()
    told = platform.active_enrolments([(course.pk, ana.pk), (course.pk, nobody.pk)])
    assert told == [ActiveEnrolment(course.pk, ana.pk, "student", None, None, dates_known=False), None]
    assert not hasattr(ana, "platform_login")
    assert [call.function for call in moodle_peer.calls_of(BY_FIELD)] == [BY_FIELD]


def test_a_hundred_people_of_one_course_take_one_call(platform, moodle_peer, course):
    people = known(platform, 100)
    for person in people[:2]:
        enrol(platform, course, person)
    moodle_peer.forget_calls()
    told = platform.active_enrolments([(course.pk, person.pk) for person in people])
    assert sum(one is not None for one in told) == 2
    assert [call.function for call in moodle_peer.calls] == [LIST]


def test_a_long_list_is_read_in_pages_to_its_end(platform, moodle_peer, course, monkeypatch):
    monkeypatch.setattr(participants, "PAGE", 10)
    people = known(platform, 30)
    for person in people:
        by_hand(moodle_peer, course, person)
    told = platform.active_enrolments([(course.pk, person.pk) for person in people])
    assert all(told)
    first = [call for call in moodle_peer.calls_of(LIST) if "roles" not in str(call.params)]
    assert len(first) == 4


def test_a_course_that_cannot_be_read_is_no_empty_course(platform, moodle_peer, course):
    (person,) = known(platform)
    enrol(platform, course, person)
    moodle_peer.site.hide(peer_course(moodle_peer, course))
    moodle_peer.site.remove_capability("moodle/course:viewhiddencourses")
    with pytest.raises(PlatformAway):
        active(platform, course, person)
    moodle_peer.site.delete_course(peer_course(moodle_peer, course))
    with pytest.raises(PlatformAway):
        platform.enrolments([course.pk])
    Course.objects.update(missing_since=timezone.now())
    assert active(platform, course, person) is None
    assert platform.enrolments([course.pk]) == [[]]


def test_an_answer_that_is_lost_means_that_nothing_is_known(platform, moodle_peer, course):
    (person,) = known(platform)
    moodle_peer.faults.add(LIST, "garbage_after")
    with pytest.raises(PlatformAway):
        active(platform, course, person)


# --- ends and strangers ----------------------------------------------------------------------------


def test_ends_are_those_of_our_rows_and_nobody_is_asked(platform, moodle_peer, course):
    person, other = known(platform, 2)
    row = enrol(platform, course, person)
    by_hand(moodle_peer, course, other)
    moodle_peer.forget_calls()
    told = platform.known_ends([(course.pk, person.pk), (course.pk, other.pk)])
    assert told == [KnownEnd(row.ends_at), None]
    assert moodle_peer.calls == []


def test_strangers_are_found_as_typed_and_in_lower_case(platform, moodle_peer, course):
    site, remote = moodle_peer.site, peer_course(moodle_peer, course)
    site.add_user("ana", "ana@example.org")
    site.enrol(site.add_user("bob", "Bob@Example.org"), remote)
    site.enrol(site.add_user("eva", "eva@example.org"), remote, suspended=True)
    emails = ["ANA@example.org", "Bob@Example.org", "eva@example.org", "zoe@example.org", "né@example.org"]
    assert platform.strangers(course.pk, emails) == [
        Stranger(is_enrolled=False),
        Stranger(is_enrolled=True),
        Stranger(is_enrolled=False),
        None,
        None,
    ]
    assert platform.strangers(course.pk, []) == []


# --- everybody -------------------------------------------------------------------------------------


def test_everybody_is_told_with_what_moodle_knows_and_what_we_know(platform, moodle_peer, course):
    mine, ended, stopped = known(platform, 3)
    row = enrol(platform, course, mine, role="teacher")
    over = enrol(platform, course, ended, starts_at=timezone.now() - 9 * DAY, ends_at=timezone.now() - DAY)
    enrol(platform, course, stopped)
    site, remote = moodle_peer.site, peer_course(moodle_peer, course)
    site.suspend_enrolment(peer_user(moodle_peer, stopped), remote)
    group = site.add_group(remote, "Theirs")
    site.enrol(site.add_user("zoe", "Zoe@elsewhere.example"), remote, 3, groups=[group])
    site.enrol(site.add_user("yann", "yann@elsewhere.example"), remote, suspended=True)
    told = platform.enrolments([course.pk])[0]
    assert [(one.email, one.person_id, one.role, one.status, one.reason) for one in told] == [
        (mine.email, mine.pk, "teacher", "active", ""),
        (ended.email, ended.pk, "student", "suspended", "ended"),
        (stopped.email, stopped.pk, "student", "suspended", "suspended"),
        ("yann@elsewhere.example", None, "student", "suspended", "suspended"),
        ("Zoe@elsewhere.example", None, "editingteacher", "active", ""),
    ]
    assert [(one.starts_at, one.ends_at) for one in told[:2]] == [
        (row.starts_at, row.ends_at),
        (over.starts_at, over.ends_at),
    ]
    assert (told[4].starts_at, told[4].ends_at, told[4].groups) == (None, None, ("Theirs",))


def test_in_a_closed_course_everybody_is_kept_out_and_earlier_suspensions_show(platform, moodle_peer, course):
    person, suspended, other = known(platform, 3)
    enrol(platform, course, person)
    enrol(platform, course, suspended, suspended=True)
    by_hand(moodle_peer, course, other)
    Course.objects.update(closed_at=timezone.now())
    platform.tell_again(list(Enrolment.objects.filter(status="active")), suspended=True)
    told = {one.person_id: (one.status, one.reason) for one in platform.enrolments([course.pk])[0]}
    assert told == {
        person.pk: ("suspended", "course closed"),
        suspended.pk: ("suspended", "suspended"),
        other.pk: ("suspended", "course closed"),
    }


# --- what they did ---------------------------------------------------------------------------------


def visit(peer: MoodlePeer, course: Course, person: Person, at: datetime | None = None) -> None:
    instant = at.timestamp() if at else None
    peer.site.visit(peer_user(peer, person), peer_course(peer, course), instant)


def test_opened_is_one_call_per_course(platform, moodle_peer, course):
    people = known(platform, 20)
    for person in people:
        enrol(platform, course, person)
    visit(moodle_peer, course, people[3])
    visit(moodle_peer, course, people[4], timezone.now() - 2 * DAY)
    moodle_peer.forget_calls()
    told = platform.opened([(course.pk, person.pk) for person in people])
    assert [place for place, instant in enumerate(told) if instant] == [3]
    assert len(moodle_peer.calls) == 1


def test_a_visit_in_the_second_of_the_start_counts(platform, moodle_peer, course):
    (person,) = known(platform)
    start = timezone.now().replace(microsecond=900_000)
    enrol(platform, course, person, starts_at=start)
    visit(moodle_peer, course, person, start)
    assert platform.opened([(course.pk, person.pk)]) == [start.replace(microsecond=0)]


def test_progress_without_completion_is_told_by_the_visit(platform, moodle_peer):
    course = mirror(moodle_peer.site.add_course("NO-COMPLETION", completion=False))
    person, other = known(platform, 2)
    enrol(platform, course, person)
    enrol(platform, course, other)
    visit(moodle_peer, course, person)
    told = platform.progress([(course.pk, person.pk), (course.pk, other.pk)])
    assert [one.state for one in told] == [ProgressState.UNDER_WAY, ProgressState.NOT_STARTED]


# --- the check -------------------------------------------------------------------------------------


def test_the_check_passes_on_a_site_that_lets_us_in(platform, moodle_peer):
    platform.check()
    assert [call.function for call in moodle_peer.calls] == ["core_webservice_get_site_info", BY_FIELD]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda peer: peer.site.set_policy(), "policy"),
        (lambda peer: peer.site.require_profile_field(), "profile"),
        (lambda peer: peer.site.force_password_change(peer.site.service_user), "password"),
        (lambda peer: peer.site.remove_function(BY_FIELD), BY_FIELD),
        (lambda peer: peer.site.maintenance(True), "maintenance"),
    ],
)
def test_the_check_says_what_is_wrong_where_the_site_info_stays_green(platform, moodle_peer, break_it, words):
    break_it(moodle_peer)
    with translation.override("en"), pytest.raises(PlatformAway, match=words):
        platform.check()


def test_the_user_names_of_others_must_be_visible(platform, moodle_peer):
    moodle_peer.site.add_user("ana", "ana@example.org")
    moodle_peer.site.remove_capability("moodle/user:viewalldetails")
    with pytest.raises(PlatformAway, match="moodle/user:viewalldetails"):
        platform.ensure_logins([make_person(email="ana@example.org").pk])
