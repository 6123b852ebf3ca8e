"""Courses for tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import Person
from courses.models import Course, CourseCategory, Enrolment, Group, GroupMember, Page
from tests.accounts.factories import make_person

_numbers = count(1)


def make_category(name: str = "Trainings") -> CourseCategory:
    return CourseCategory.objects.get_or_create(name=name)[0]


def make_course(shortname: str = "", *, pages: int = 0, **fields: Any) -> Course:
    """A course that is open to unassigned seats, with so many pages named "Page 1"…"""
    number = next(_numbers)
    values: dict[str, Any] = {"shortname": shortname or f"C{number}", "fullname": f"Course {number}"}
    if "category" not in fields:
        values["category"] = make_category()
    course = Course.objects.create(**(values | fields))
    Page.objects.bulk_create(
        Page(course=course, position=position, title=f"Page {position}", body=f"Text {position}")
        for position in range(1, pages + 1)
    )
    return course


def make_enrolment(course: Course, person: Person | None = None, **fields: Any) -> Enrolment:
    """A participant of the course since yesterday, without an end, who has opened it; `opened_at=None`: not yet."""
    now = timezone.now()
    values = {"role": "student", "starts_at": now - timedelta(days=1), "opened_at": now}
    return Enrolment.objects.create(course=course, person=person or make_person(), **(values | fields))


def put_into_group(name: str, *enrolments: Enrolment) -> Group:
    """Put enrolled people of one course into the group of that name."""
    group = Group.objects.get_or_create(course=enrolments[0].course, name=name)[0]
    GroupMember.objects.bulk_create(GroupMember(group=group, person=row.person) for row in enrolments)
    return group
