"""What counts as the first time in a course."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Course
from courses.services import open_course
from tests.courses.factories import make_course, make_enrolment

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


def opened(enrolment, **options) -> bool:
    return open_course(person_id=enrolment.person_id, course_id=enrolment.course_id, now=NOW, **options)


def test_only_the_first_time_counts():
    enrolment = make_enrolment(make_course(), opened_at=None)
    assert (opened(enrolment), opened(enrolment)) == (True, False)
    enrolment.refresh_from_db()
    assert enrolment.opened_at == NOW


def test_an_opening_before_the_enrolment_or_before_the_seat_is_void():
    course = make_course()
    renewed = make_enrolment(course, starts_at=NOW - DAY, opened_at=NOW - 2 * DAY)
    assert not renewed.was_opened
    assert opened(renewed)
    given_later = make_enrolment(course, starts_at=NOW - 9 * DAY, opened_at=NOW - 5 * DAY)
    assert not opened(given_later)
    assert opened(given_later, since=NOW - DAY)
    given_later.refresh_from_db()
    assert given_later.opened_at == NOW


@pytest.mark.parametrize(
    "fields",
    [{"status": "suspended"}, {"ends_at": NOW}, {"starts_at": NOW + timedelta(seconds=1)}],
)
def test_who_is_not_let_in_opens_nothing(fields):
    enrolment = make_enrolment(make_course(), opened_at=None, **fields)
    assert not opened(enrolment)
    enrolment.refresh_from_db()
    assert enrolment.opened_at is None


@pytest.mark.parametrize("fields", [{"visible": False}, {"closed_at": NOW}])
def test_a_hidden_or_closed_course_is_not_opened(fields):
    enrolment = make_enrolment(make_course(), opened_at=None)
    Course.objects.update(**fields)
    assert not opened(enrolment)


def test_once_opened_a_view_costs_one_query_and_a_stranger_too(django_assert_num_queries):
    enrolment = make_enrolment(make_course())
    with django_assert_num_queries(1):
        opened(enrolment)
    with django_assert_num_queries(1):
        assert not open_course(person_id=10**9, course_id=enrolment.course_id)
