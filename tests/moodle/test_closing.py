"""A course of a Moodle site is closed for everybody we put in, and opened again for exactly those."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course, Enrolment
from courses.moodle import closing
from courses.moodle.platform import MoodlePlatform
from courses.platform import OK, UNKNOWN, EnrolmentRow, Outcome, PlatformAway, Refusal, refused
from courses.services import run_sync_courses
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.records import Course as PeerCourse
from tests.moodle.site import peer_user, use_peer

pytestmark = pytest.mark.django_db

NOWHERE = 10**9
DAY = timedelta(days=1)


@dataclass
class Space:
    """A course with its owner, a learner for a time, and one who was suspended."""

    platform: MoodlePlatform
    site: Site
    there: PeerCourse
    course: Course
    owner: Person
    learner: Person
    outside: Person
    ends_at: datetime

    @property
    def people(self) -> tuple[Person, ...]:
        return self.owner, self.learner, self.outside

    def on_site(self) -> list[tuple[int, int, bool]]:
        """Start, end and suspension of each enrolment of ours, as Moodle has it."""
        rows = []
        for person in self.people:
            row = self.site.enrolments[peer_user_id(person), self.there.id]
            rows.append((row.timestart, row.timeend, row.suspended))
        return rows

    def let_in(self) -> list[bool]:
        return [not suspended for _start, _end, suspended in self.on_site()]

    def rows(self) -> list[tuple[str, str, datetime, datetime | None]]:
        return list(Enrolment.objects.order_by("pk").values_list("role", "status", "starts_at", "ends_at"))

    def close(self) -> Outcome:
        return self.platform.close_courses([self.course.pk])[0]

    def reopen(self) -> Outcome:
        return self.platform.reopen_courses([self.course.pk])[0]


def peer_user_id(person: Person) -> int:
    remote_id = person.platform_login.remote_id
    assert remote_id is not None
    return remote_id


@pytest.fixture
def space(settings, site: Site, moodle_peer: MoodlePeer) -> Space:
    platform = use_peer(settings, moodle_peer)
    there = site.add_course("SPACE")
    run_sync_courses()
    course = Course.objects.get(remote_id=there.id)
    people = [make_person() for _ in range(3)]
    platform.ensure_logins([person.pk for person in people])
    start = timezone.now().replace(microsecond=0) - DAY
    owner, learner, outside = people
    ends_at = start + 30 * DAY
    platform.ensure_enrolments(
        [
            EnrolmentRow(course.pk, owner.pk, "courseowner", start, None),
            EnrolmentRow(course.pk, learner.pk, "student", start, ends_at),
            EnrolmentRow(course.pk, outside.pk, "student", start, ends_at, suspended=True),
        ]
    )
    moodle_peer.forget_calls()
    return Space(platform, site, there, course, owner, learner, outside, ends_at)


def test_closed_is_hidden_and_suspended_with_the_known_dates_and_our_rows_stay(space: Space):
    before, rows = space.on_site(), space.rows()
    for _again in range(2):
        assert space.close() == OK
        assert space.there.visible is False
        assert [row[:2] for row in space.on_site()] == [row[:2] for row in before]
        assert space.let_in() == [False, False, False]
        assert space.rows() == rows
    closed = Course.objects.get(pk=space.course.pk)
    assert (closed.closed_at is not None, closed.visible) == (True, True)
    for _again in range(2):
        assert space.reopen() == OK
        assert (space.there.visible, space.on_site(), space.rows()) == (True, before, rows)
    assert Course.objects.get(pk=space.course.pk).closed_at is None


def test_who_has_no_row_of_ours_is_never_touched(space: Space, moodle_peer: MoodlePeer):
    teacher = space.site.add_user("teacher")
    space.site.enrol(teacher, space.there, 3, timestart=5, timeend=NOWHERE * 4)
    space.close()
    space.reopen()
    row = space.site.enrolments[teacher.id, space.there.id]
    assert (row.timestart, row.timeend, row.suspended) == (5, NOWHERE * 4, False)
    told = [call.params["enrolments"] for call in moodle_peer.calls_of("enrol_manual_enrol_users")]
    assert {item["userid"] for items in told for item in items.values()} == {
        str(peer_user_id(space.owner)),
        str(peer_user_id(space.learner)),
    }


def test_who_was_suspended_or_taken_out_in_moodle_stays_out(space: Space, moodle_peer: MoodlePeer):
    user = peer_user(moodle_peer, space.learner)
    space.site.suspend_enrolment(user, space.there)
    space.site.unenrol(peer_user(moodle_peer, space.owner), space.there)
    space.close()
    space.reopen()
    assert (user.id, space.there.id) in space.site.enrolments
    assert space.site.enrolments[user.id, space.there.id].suspended is True
    assert (peer_user_id(space.owner), space.there.id) not in space.site.enrolments


def test_without_manual_enrolment_nobody_is_taken_for_suspended(space: Space):
    rows = space.rows()
    space.site.set_manual(space.there, False)
    assert space.close() == OK
    assert (space.there.visible, space.rows()) == (False, rows)
    space.site.set_manual(space.there, True)
    assert (space.reopen(), space.let_in()) == (OK, [True, True, False])


def test_a_course_that_its_teacher_had_hidden_is_hidden_again(space: Space):
    space.site.hide(space.there)
    space.close()
    run_sync_courses()
    space.reopen()
    assert (space.there.visible, space.let_in()) == (False, [True, True, False])


def test_the_synchronisation_leaves_a_closed_course_closed(space: Space):
    space.close()
    run_sync_courses()
    course = Course.objects.get(pk=space.course.pk)
    assert (course.closed_at is not None, course.visible) == (True, True)
    space.reopen()
    assert space.there.visible is True


def test_who_is_enrolled_while_it_is_closed_gets_in_when_it_opens(space: Space):
    space.close()
    late = make_person()
    space.platform.ensure_logins([late.pk])
    start = timezone.now() - DAY
    assert space.platform.ensure_enrolments(
        [EnrolmentRow(space.course.pk, late.pk, "student", start, None)]
    ) == [OK]
    row = space.site.enrolments[peer_user_id(late), space.there.id]
    assert row.suspended is True
    space.reopen()
    assert row.suspended is False


def test_courses_that_are_not_there_are_refused(space: Space):
    local = Course.objects.create(shortname="LOCAL", fullname="Local", category=space.course.category)
    pks = [NOWHERE, local.pk, space.course.pk]
    gone = refused(Refusal.UNKNOWN_COURSE)
    assert space.platform.close_courses(pks) == [gone, gone, OK]
    assert space.platform.reopen_courses(pks) == [gone, gone, OK]
    space.site.delete_course(space.there)
    assert (space.close(), space.reopen()) == (gone, gone)
    local.refresh_from_db()
    assert local.closed_at is None


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("kind", ["refuse_connection", "bad_gateway_before", "bad_gateway_after"])
def test_whichever_call_is_cut_a_repetition_ends_right(space: Space, moodle_peer: MoodlePeer, number, kind):
    before = space.on_site()
    for operation, let_in in ((space.close, [False] * 3), (space.reopen, [True, True, False])):
        moodle_peer.forget_calls()
        moodle_peer.faults.add(number, kind)
        outcome = UNKNOWN
        for _attempt in range(4):
            try:
                outcome = operation()
            except PlatformAway:
                continue
            if outcome == OK:
                break
        moodle_peer.faults.clear()
        assert (outcome, space.let_in()) == (OK, let_in)
    assert (space.on_site(), space.there.visible) == (before, True)


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", range(1, 6))
@pytest.mark.parametrize("opening", [False, True])
def test_killed_between_any_two_steps_a_repetition_ends_right(space: Space, monkeypatch, step, opening):
    if opening:
        space.close()
    counted = 0

    def dying(original):
        def call(*args, **kwargs):
            nonlocal counted
            counted += 1
            if counted == step:
                raise Killed
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patched:
        for name in ("find_course", "_begin", "_show", "ids_of"):
            patched.setattr(closing, name, dying(getattr(closing, name)))
        patched.setattr(MoodlePlatform, "tell_again", dying(MoodlePlatform.tell_again))
        with contextlib.suppress(Killed):
            space.reopen() if opening else space.close()
    if opening:
        assert (space.reopen(), space.let_in(), space.there.visible) == (OK, [True, True, False], True)
    else:
        assert (space.close(), space.let_in(), space.there.visible) == (OK, [False] * 3, False)
        assert (space.reopen(), space.let_in(), space.there.visible) == (OK, [True, True, False], True)


def test_closing_that_was_interrupted_can_be_undone(space: Space, moodle_peer: MoodlePeer):
    """Somebody extends a space while it is being closed."""
    moodle_peer.faults.add("enrol_manual_enrol_users", "bad_gateway_after")
    assert space.close() == UNKNOWN
    assert (space.reopen(), space.let_in(), space.there.visible) == (OK, [True, True, False], True)
