"""Courses for tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import Person
from common.audit import OPERATOR
from common.references import new_references
from courses.models import Course, CourseCategory, CourseSpace, Enrolment, Group, GroupMember, Page
from courses.services import make_backup
from tests.accounts.factories import make_account, make_person

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


def make_template(shortname: str = "MODEL", *, pages: int = 2, **fields: Any) -> Course:
    """A template with a backup without user data, as course spaces need it."""
    course = make_course(shortname, pages=pages, is_template=True, **fields)
    make_backup(course_id=course.pk, with_users=False, actor=OPERATOR)
    return course


def make_space(course: Course | None = None, **fields: Any) -> CourseSpace:
    """A course space since yesterday, for 364 days more; its owner is enrolled as such."""
    now = timezone.now()
    course = course or make_course(pages=2, is_space=True)
    values: dict[str, Any] = {
        "reference": new_references(1)[0],
        "line_key": uuid4(),
        "ordinal": 1,
        "item_code": "SPACE",
        "item_name": "Course space",
        "bill_number": "CMD-2027-000001",
        "starts_at": now - timedelta(days=1),
        "ends_at": now + timedelta(days=364),
        "renewable": True,
    }
    given = values | fields
    given.setdefault("account", None)
    account, owner = given.pop("account") or make_account(), given.pop("owner", None) or make_person()
    space = CourseSpace.objects.create(course=course, account=account, owner=owner, **given)
    make_enrolment(course, owner, role="courseowner", starts_at=space.starts_at)
    return space
