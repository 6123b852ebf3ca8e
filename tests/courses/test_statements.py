"""The built-in platform takes a constant number of statements, whatever the number of items."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person
from courses.builtin.platform import BuiltinPlatform
from courses.models import Enrolment
from courses.platform import EnrolmentRow, GroupRow
from courses.selectors import my_courses, page_lines
from tests.courses.factories import make_course, make_enrolment

pytestmark = pytest.mark.django_db
platform = BuiltinPlatform()


def make_people(count: int) -> list[int]:
    people = Person.objects.bulk_create(
        Person(email=f"p{number}@example.org", email_key=f"p{number}@example.org") for number in range(count)
    )
    return [person.pk for person in people]


def inserts(rows: int, columns: int) -> int:
    """How many INSERTs Django makes of so many rows: SQLite gets at most 999 parameters in one."""
    return 1 if connection.vendor == "postgresql" else ceil(rows / (999 // columns))


def statements(operation, *args) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        operation(*args)
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def rows_for(course, people):
    now = timezone.now()
    return [EnrolmentRow(course.pk, pk, "student", now, now + timedelta(days=30)) for pk in people]


def test_500_enrolments_take_3_statements_new_or_known():
    course, people = make_course(), make_people(500)
    rows = rows_for(course, people)
    expected = 2 + inserts(500, 8)
    assert statements(platform.ensure_enrolments, rows) == expected
    assert statements(platform.ensure_enrolments, rows) == expected
    assert Enrolment.objects.count() == 500


@pytest.mark.parametrize("count", [1, 500])
def test_reading_and_ending_take_1_statement(count):
    course, people = make_course(pages=3), make_people(count)
    platform.ensure_enrolments(rows_for(course, people))
    pairs = [(course.pk, pk) for pk in people]
    assert statements(platform.ensure_logins, people) == 1
    assert statements(platform.active_enrolments, pairs) == 1
    assert statements(platform.opened, pairs) == 1
    assert statements(platform.progress, pairs) == 1
    assert statements(platform.enrolments, [course.pk]) == 2
    assert statements(platform.end_enrolments, pairs) == 1
    assert Enrolment.objects.filter(status="active").count() == 0


def test_500_pairs_over_50_courses_take_1_statement_each():
    courses, people = [make_course() for _ in range(50)], make_people(10)
    platform.ensure_enrolments([row for course in courses for row in rows_for(course, people)])
    pairs = [(course.pk, pk) for course in courses for pk in people]
    assert statements(platform.active_enrolments, pairs) == 1
    assert statements(platform.end_enrolments, pairs) == 1


def test_500_group_members_take_5_statements_at_first_and_3_again():
    course, people = make_course(), make_people(500)
    platform.ensure_enrolments(rows_for(course, people))
    rows = [GroupRow(course.pk, "B-0001", pk) for pk in people]
    members = inserts(500, 2)
    assert statements(platform.ensure_group_members, rows) == 4 + members
    assert statements(platform.ensure_group_members, rows) == 2 + members
    assert statements(platform.remove_group_members, rows) == 1


@pytest.mark.parametrize("count", [1, 40])
def test_my_courses_and_the_pages_of_one_take_1_query_each(count):
    person = make_enrolment(make_course(pages=count)).person
    courses = [make_course(pages=3) for _ in range(count)]
    for course in courses:
        make_enrolment(course, person)
    assert statements(my_courses, person.pk) == 1
    with CaptureQueriesContext(connection) as captured:
        assert len(page_lines(course_id=courses[0].pk, person_id=person.pk)) == 3
    assert len(captured) == 1
