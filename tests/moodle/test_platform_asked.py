"""Who may be enrolled by a call of ours that was never answered is not taken for somebody who was there before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from courses.models import Enrolment
from courses.platform import OK, UNKNOWN, EnrolmentRow, Refusal, refused
from courses.selectors import my_courses
from tests.accounts.factories import make_person
from tests.moodle.site import mirror, peer_course, peer_user, use_peer

pytestmark = pytest.mark.django_db
START = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)
ENROL = "enrol_manual_enrol_users"


@pytest.fixture
def platform(moodle_peer, settings):
    return use_peer(settings, moodle_peer)


@pytest.fixture
def asked(platform, moodle_peer) -> EnrolmentRow:
    """Somebody with a login there, and the enrolment that is asked for."""
    course, person = mirror(moodle_peer.site.add_course("C1")), make_person()
    assert platform.ensure_logins([person.pk]) == [OK]
    now = timezone.now()
    return EnrolmentRow(course.pk, person.pk, "student", now - timedelta(hours=1), now + timedelta(days=9))


def test_an_unanswered_call_that_was_carried_out_is_ours(platform, moodle_peer, asked):
    pair = (asked.course_id, asked.person_id)
    moodle_peer.faults.add(ENROL, "reset_after")
    assert platform.ensure_enrolments([asked]) == [UNKNOWN]

    assert platform.active_enrolments([pair]) == [None]
    assert not Enrolment.objects.told().exists()
    assert my_courses(asked.person_id) == []
    assert platform.ensure_enrolments([asked]) == [OK]

    assert len(my_courses(asked.person_id)) == 1
    assert platform.active_enrolments([pair])[0].dates_known
    kept = Enrolment.objects.get()
    assert (kept.status, kept.waits, kept.starts_at) == ("active", False, asked.starts_at)


def test_of_somebody_who_was_there_before_only_the_dates_are_unknown(platform, moodle_peer, asked):
    course, user = Enrolment(course_id=asked.course_id).course, peer_user(moodle_peer, asked.person_id)
    moodle_peer.site.enrol(user, peer_course(moodle_peer, course))
    [found] = platform.active_enrolments([(asked.course_id, asked.person_id)])
    assert (found.role, found.dates_known) == ("student", False)
    assert not Enrolment.objects.exists()


def test_what_is_refused_leaves_no_row(platform, moodle_peer, asked):
    course = Enrolment(course_id=asked.course_id).course
    moodle_peer.site.set_manual(peer_course(moodle_peer, course), None)
    assert platform.ensure_enrolments([asked]) == [refused(Refusal.NO_ENROLMENTS)]
    assert not Enrolment.objects.exists()


def test_a_row_that_was_there_keeps_its_role_and_dates_until_the_new_ones_are_confirmed(
    platform, moodle_peer, asked
):
    over = Enrolment.objects.create(
        course_id=asked.course_id,
        person_id=asked.person_id,
        role="teacher",
        status="suspended",
        starts_at=START,
    )
    moodle_peer.faults.add(ENROL, "bad_gateway_after")
    assert platform.ensure_enrolments([asked]) == [UNKNOWN]
    over.refresh_from_db()
    assert (over.role, over.status, over.waits, over.starts_at) == ("teacher", "suspended", True, START)
    assert platform.active_enrolments([(asked.course_id, asked.person_id)]) == [None]

    assert platform.ensure_enrolments([asked]) == [OK]
    over.refresh_from_db()
    assert (over.role, over.status, over.waits, over.starts_at) == (
        "student",
        "active",
        False,
        asked.starts_at,
    )
    assert moodle_peer.site.roles_of(
        peer_user(moodle_peer, asked.person_id), peer_course(moodle_peer, over.course)
    ) == {"student"}


def test_a_row_that_was_there_stays_when_the_new_one_is_refused(platform, moodle_peer, asked):
    over = Enrolment.objects.create(
        course_id=asked.course_id,
        person_id=asked.person_id,
        role="student",
        status="suspended",
        starts_at=START,
    )
    moodle_peer.site.set_manual(peer_course(moodle_peer, over.course), None)
    assert platform.ensure_enrolments([asked]) == [refused(Refusal.NO_ENROLMENTS)]
    over.refresh_from_db()
    assert (over.status, over.waits, over.starts_at) == ("suspended", False, START)


def test_who_is_let_in_by_our_record_stays_so_while_something_else_is_asked(platform, moodle_peer, asked):
    assert platform.ensure_enrolments([asked]) == [OK]
    later = EnrolmentRow(*[asked.course_id, asked.person_id, "student", asked.starts_at, None])
    moodle_peer.faults.add(ENROL, "reset_after")
    assert platform.ensure_enrolments([later]) == [UNKNOWN]
    [found] = platform.active_enrolments([(asked.course_id, asked.person_id)])
    assert found.ends_at == asked.ends_at
