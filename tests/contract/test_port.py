"""What every course platform keeps to, whichever it is (DESIGN section 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course
from courses.platform import (
    OK,
    CourseProgress,
    EnrolmentReason,
    EnrolmentRow,
    EnrolmentStatus,
    GroupRow,
    KnownEnd,
    ProgressState,
    Refusal,
    refused,
)
from tests.accounts.factories import make_person
from tests.contract.sites import Site

NOBODY = 10**9
NOWHERE = 10**9
NOW = datetime(2027, 5, 19, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def course(site: Site) -> Course:
    return site.make_course("SPOC-1", pages=4)


@pytest.fixture
def person(site: Site) -> Person:
    return known(site)


def known(site: Site) -> Person:
    """Somebody with a login on the platform."""
    person = make_person()
    assert site.platform.ensure_logins([person.pk]) == [OK]
    return person


def row(course: Course, person: Person, **fields) -> EnrolmentRow:
    values: dict[str, Any] = {"role": "student", "starts_at": NOW - DAY, "ends_at": NOW + 30 * DAY}
    return EnrolmentRow(course.pk, person.pk, **(values | fields))


def enrol(site: Site, course: Course, person: Person, **fields) -> EnrolmentRow:
    wanted = row(course, person, **fields)
    assert site.platform.ensure_enrolments([wanted]) == [OK]
    return wanted


def told(site: Site, course: Course, *, now: datetime = NOW) -> dict[str, tuple[str, str]]:
    return {
        each.email: (each.status, each.reason) for each in site.platform.enrolments([course.pk], now=now)[0]
    }


# --- what it says of itself ----------------------------------------------------------------------


def test_it_offers_at_least_a_learner_and_a_tutor_and_a_way_of_enrolment(site):
    names = {role.name: role for role in site.platform.roles()}
    assert names["student"].learns
    assert not names["teacher"].learns
    assert site.platform.enrol_methods() != []
    assert isinstance(site.platform.is_remote, bool)


def test_courses_are_found_by_their_exact_short_name(site, course):
    found = site.platform.courses(["nothing", "SPOC-1", "spoc-1", "SPOC-"])
    assert [each and each.course_id for each in found] == [None, course.pk, None, None]


def test_all_courses_are_listed_hidden_ones_included(site, course):
    site.hide_course(site.make_course("HIDDEN"))
    listed = {each.shortname: each.visible for each in site.platform.all_courses()}
    assert {name: listed[name] for name in listed.keys() - site.found_there} == {
        "SPOC-1": True,
        "HIDDEN": False,
    }


def test_an_empty_list_is_answered_by_an_empty_list(site):
    platform = site.platform
    for operation in (
        platform.courses,
        platform.ensure_logins,
        platform.active_enrolments,
        platform.enrolments,
        platform.ensure_enrolments,
        platform.end_enrolments,
        platform.ensure_group_members,
        platform.remove_group_members,
        platform.opened,
        platform.progress,
    ):
        assert operation([]) == []


# --- logins ----------------------------------------------------------------------------------------


def test_logins_are_ensured_for_people_we_know_however_often(site):
    first, second = make_person(), make_person(email="Mixed.Case@Example.org")
    wanted = [first.pk, NOBODY, second.pk]
    expected = [OK, refused(Refusal.UNKNOWN_PERSON), OK]
    assert site.platform.ensure_logins(wanted) == expected
    assert site.platform.ensure_logins(wanted) == expected


# --- enrolments ------------------------------------------------------------------------------------


def test_an_enrolment_is_kept_with_its_role_and_dates(site, course, person):
    wanted = enrol(site, course, person, role="teacher")
    (active,) = site.platform.active_enrolments([(course.pk, person.pk)], now=NOW)
    assert active is not None
    assert (active.course_id, active.person_id, active.role) == (course.pk, person.pk, "teacher")
    assert (active.starts_at, active.ends_at, active.dates_known) == (wanted.starts_at, wanted.ends_at, True)


def test_enrolling_again_changes_nothing(site, course, person):
    wanted = enrol(site, course, person)
    before = site.platform.enrolments([course.pk], now=NOW)
    assert site.platform.ensure_enrolments([wanted]) == [OK]
    assert site.platform.enrolments([course.pk], now=NOW) == before
    assert len(before[0]) == 1


def test_enrolling_again_makes_the_row_be_exactly_the_new_one(site, course, person):
    enrol(site, course, person, suspended=True)
    enrol(site, course, person, role="teacher", starts_at=NOW, ends_at=None)
    (only,) = site.platform.enrolments([course.pk], now=NOW)[0]
    assert (only.role, only.starts_at, only.ends_at) == ("teacher", NOW, None)
    assert (only.status, only.reason) == (EnrolmentStatus.ACTIVE, EnrolmentReason.NONE)


def test_of_two_rows_for_one_person_in_one_call_the_later_holds(site, course, person):
    first, second = row(course, person), row(course, person, ends_at=NOW + 60 * DAY)
    assert site.platform.ensure_enrolments([first, second]) == [OK, OK]
    (active,) = site.platform.active_enrolments([(course.pk, person.pk)], now=NOW)
    assert active is not None
    assert active.ends_at == NOW + 60 * DAY


def test_bad_items_are_refused_each_for_its_reason_and_the_others_happen(site, course, person):
    other = known(site)
    good = row(course, person)
    rows = [
        good,
        replace(good, course_id=NOWHERE),
        replace(good, person_id=NOBODY),
        row(course, other, role="emperor"),
        row(course, other, ends_at=NOW - DAY),
        row(course, other, ends_at=NOW - 2 * DAY),
    ]
    assert site.platform.ensure_enrolments(rows) == [
        OK,
        refused(Refusal.UNKNOWN_COURSE),
        refused(Refusal.UNKNOWN_PERSON),
        refused(Refusal.UNKNOWN_ROLE),
        refused(Refusal.BAD_DATES),
        refused(Refusal.BAD_DATES),
    ]
    assert told(site, course) == {person.email: ("active", "")}


def test_a_list_longer_than_any_batch_is_done_whole(site, course):
    many = site.longer_than_batches
    people = [make_person() for _ in range(many)]
    assert set(site.platform.ensure_logins([person.pk for person in people])) == {OK}
    assert site.platform.ensure_enrolments([row(course, person) for person in people]) == [OK] * many
    active = site.platform.active_enrolments([(course.pk, person.pk) for person in people], now=NOW)
    assert [each.person_id for each in active if each] == [person.pk for person in people]
    assert all(each and each.ends_at == NOW + 30 * DAY for each in active)


@pytest.mark.parametrize(
    ("fields", "active"),
    [
        ({}, True),
        ({"ends_at": None}, True),
        ({"starts_at": NOW + DAY}, True),  # a future start counts
        ({"ends_at": NOW + timedelta(seconds=1)}, True),
        ({"ends_at": NOW}, False),  # the end itself is outside
        ({"suspended": True}, False),
    ],
)
def test_active_is_unsuspended_with_an_end_that_has_not_passed(site, course, person, fields, active):
    enrol(site, course, person, **fields)
    answers = site.platform.active_enrolments([(course.pk, person.pk), (course.pk, NOBODY)], now=NOW)
    assert [answer is not None for answer in answers] == [active, False]


def test_the_end_of_any_enrolment_is_told_or_nothing_at_all(site, course, person):
    """A platform may not know; what it tells must be right, for suspended and ended enrolments too."""
    unlimited, stranger = known(site), known(site)
    ended = enrol(site, course, person, suspended=True, ends_at=NOW - timedelta(hours=1))
    enrol(site, course, unlimited, ends_at=None)

    ends = site.platform.known_ends(
        [(course.pk, person.pk), (course.pk, stranger.pk), (course.pk, unlimited.pk)]
    )

    assert ends[0] in (None, KnownEnd(ended.ends_at))
    assert ends[1] is None
    assert ends[2] in (None, KnownEnd(None))


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, ("active", "")),
        ({"starts_at": NOW + DAY}, ("active", "not started")),
        ({"starts_at": NOW}, ("active", "")),
        ({"ends_at": NOW}, ("suspended", "ended")),
        ({"suspended": True, "ends_at": NOW}, ("suspended", "suspended")),
    ],
)
def test_it_tells_the_status_and_the_reason_of_each_enrolment(site, course, person, fields, state):
    enrol(site, course, person, **fields)
    assert told(site, course) == {person.email: state}


def test_in_a_hidden_course_enrolments_hold_but_nobody_enters(site, course, person):
    enrol(site, course, person)
    site.hide_course(course)
    assert told(site, course) == {person.email: ("active", "course hidden")}


def test_people_are_told_course_by_course_sorted_by_address(site, course):
    other, empty = site.make_course("OTHER"), site.make_course("EMPTY")
    zoe, adam = make_person(email="zoe@example.org"), make_person(email="Adam@example.org")
    site.platform.ensure_logins([zoe.pk, adam.pk])
    for person in (zoe, adam):
        enrol(site, course, person)
    enrol(site, other, zoe)
    lists = site.platform.enrolments([empty.pk, course.pk, other.pk], now=NOW)
    assert [[each.email for each in people] for people in lists] == [
        [],
        ["Adam@example.org", "zoe@example.org"],
        ["zoe@example.org"],
    ]


def test_ending_suspends_exactly_the_pairs_named_and_keeps_everything_else(site, course, person):
    other_course, other_person = site.make_course("OTHER"), known(site)
    for each_course in (course, other_course):
        for each_person in (person, other_person):
            enrol(site, each_course, each_person)
    site.platform.ensure_group_members([GroupRow(course.pk, "G", person.pk)])
    pairs = [(course.pk, person.pk), (other_course.pk, other_person.pk)]
    assert site.platform.end_enrolments(pairs) == [OK, OK]
    assert site.platform.end_enrolments(pairs) == [OK, OK]
    assert told(site, course) == {
        person.email: ("suspended", "suspended"),
        other_person.email: ("active", ""),
    }
    assert told(site, other_course) == {
        person.email: ("active", ""),
        other_person.email: ("suspended", "suspended"),
    }
    (kept,) = [each for each in site.platform.enrolments([course.pk])[0] if each.person_id == person.pk]
    assert (kept.starts_at, kept.ends_at, kept.groups) == (NOW - DAY, NOW + 30 * DAY, ("G",))


def test_ending_what_is_not_there_is_already_the_end_state(site, course, person):
    assert site.platform.end_enrolments([(course.pk, person.pk)]) == [OK]
    assert told(site, course) == {}


# --- groups ----------------------------------------------------------------------------------------


def test_groups_are_made_and_filled_once_however_often(site, course, person):
    other = site.make_course("OTHER")
    enrol(site, course, person)
    enrol(site, other, person)
    rows = [
        GroupRow(course.pk, "B-0001", person.pk),
        GroupRow(course.pk, "B-0002", person.pk),
        GroupRow(other.pk, "B-0001", person.pk),
        GroupRow(course.pk, "B-0001", person.pk),
    ]
    assert site.platform.ensure_group_members(rows) == [OK] * 4
    assert site.platform.ensure_group_members(rows) == [OK] * 4
    lists = site.platform.enrolments([course.pk, other.pk])
    assert [people[0].groups for people in lists] == [("B-0001", "B-0002"), ("B-0001",)]


def test_only_enrolled_people_enter_a_group_suspended_ones_too(site, course, person):
    stranger = known(site)
    enrol(site, course, person, suspended=True)
    rows = [
        GroupRow(course.pk, "G", person.pk),
        GroupRow(course.pk, "G", stranger.pk),
        GroupRow(course.pk, "", person.pk),
        GroupRow(course.pk, "x" * 201, person.pk),
        GroupRow(NOWHERE, "G", person.pk),
    ]
    assert site.platform.ensure_group_members(rows) == [
        OK,
        refused(Refusal.NOT_ENROLLED),
        refused(Refusal.BAD_GROUP),
        refused(Refusal.BAD_GROUP),
        refused(Refusal.NOT_ENROLLED),
    ]
    (only,) = site.platform.enrolments([course.pk])[0]
    assert only.groups == ("G",)


def test_people_leave_exactly_the_groups_named(site, course, person):
    other = known(site)
    for each in (person, other):
        enrol(site, course, each)
    members = [GroupRow(course.pk, name, each.pk) for name in ("A", "B") for each in (person, other)]
    site.platform.ensure_group_members(members)
    leaving = [GroupRow(course.pk, "A", person.pk), GroupRow(course.pk, "B", other.pk)]
    assert site.platform.remove_group_members(leaving) == [OK, OK]
    assert (
        site.platform.remove_group_members([*leaving, GroupRow(course.pk, "no group", person.pk)]) == [OK] * 3
    )
    groups = {each.person_id: each.groups for each in site.platform.enrolments([course.pk])[0]}
    assert groups == {person.pk: ("B",), other.pk: ("A",)}


# --- what people did ---------------------------------------------------------------------------------


def test_opened_is_told_for_who_was_in_the_course_since_the_enrolment_starts(site, course, person):
    now = timezone.now()
    other = known(site)
    for each in (person, other):
        enrol(site, course, each, starts_at=now - DAY, ends_at=None)
    site.visit(course, person.pk)
    visited, not_visited, stranger = site.platform.opened(
        [(course.pk, person.pk), (course.pk, other.pk), (course.pk, NOBODY)]
    )
    assert visited is not None
    # Some platforms tell whole seconds.
    assert now.replace(microsecond=0) <= visited <= timezone.now()
    assert (not_visited, stranger) == (None, None)


def test_nobody_enrolled_has_done_nothing(site, course, person):
    nothing = CourseProgress(ProgressState.NOT_STARTED, 0, 0)
    assert site.platform.progress([(course.pk, person.pk), (NOWHERE, NOBODY)]) == [nothing, nothing]
