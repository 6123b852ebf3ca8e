"""Whom a person of a course sees there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import GroupMode
from courses.selectors import group_names, named, visible_people
from tests.courses.factories import make_course, make_enrolment, put_into_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_sessions():
    """A course with two groups of different customers, their tutors, the teacher, and somebody without a group."""
    course = make_course(groups_mode=GroupMode.SEPARATE)
    people = {
        name: make_enrolment(course, role=role)
        for name, role in {
            "anne": "student",
            "alain": "student",
            "tutor_a": "teacher",
            "bea": "student",
            "tutor_b": "teacher",
            "both": "teacher",
            "alone": "student",
            "teacher": "editingteacher",
            "owner": "courseowner",
        }.items()
    }
    put_into_group("A-0001", *(people[name] for name in ("anne", "alain", "tutor_a", "both")))
    put_into_group("B-0001", *(people[name] for name in ("bea", "tutor_b", "both")))
    return people


def seen(people, viewer, **options):
    by_id = {enrolment.pk: name for name, enrolment in people.items()}
    return {by_id[row.pk] for row in visible_people(people[viewer], **options)}


A = {"anne", "alain", "tutor_a", "both"}
B = {"bea", "tutor_b", "both"}
ALL = A | B | {"alone", "teacher", "owner"}


@pytest.mark.parametrize(
    ("viewer", "others"),
    [
        ("anne", A),
        ("tutor_a", A),
        ("bea", B),
        ("tutor_b", B),
        ("both", A | B),
        ("alone", {"alone"}),
        ("teacher", ALL),
        ("owner", ALL),
    ],
)
def test_with_separate_groups_only_people_of_one_s_groups_are_seen_tutors_included(
    two_sessions, viewer, others
):
    assert seen(two_sessions, viewer) == others


@pytest.mark.parametrize("mode", [GroupMode.NONE, GroupMode.VISIBLE])
def test_without_separate_groups_sessions_do_see_each_other(two_sessions, mode):
    two_sessions["anne"].course.groups_mode = mode
    assert seen(two_sessions, "anne") == ALL
    assert seen(two_sessions, "anne", my_groups_only=True) == A


def test_the_names_of_groups_one_is_not_in_are_not_told_where_groups_are_separate(two_sessions):
    anne, both, teacher = (two_sessions[name] for name in ("anne", "both", "teacher"))
    assert group_names(anne, [both.person_id]) == {both.person_id: ["A-0001"]}
    assert group_names(teacher, [both.person_id]) == {both.person_id: ["A-0001", "B-0001"]}


def test_groups_of_the_same_name_in_another_course_do_not_join_people(two_sessions):
    other = make_course(groups_mode=GroupMode.SEPARATE)
    anne = two_sessions["anne"]
    here = make_enrolment(other, anne.person)
    stranger = make_enrolment(other)
    put_into_group("A-0001", stranger)
    assert [row.pk for row in visible_people(here)] == [here.pk]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "suspended"},
        {"ends_at": timezone.now()},
        {"starts_at": timezone.now() + timedelta(days=1)},
    ],
)
def test_people_whose_access_does_not_hold_are_not_shown(two_sessions, change):
    type(two_sessions["alain"]).objects.filter(pk=two_sessions["alain"].pk).update(**change)
    assert seen(two_sessions, "anne") == A - {"alain"}


def test_nobody_is_named_before_he_has_opened_the_course_himself(two_sessions):
    now = timezone.now()
    enrolments = type(two_sessions["alain"]).objects
    enrolments.filter(pk=two_sessions["alain"].pk).update(opened_at=None)
    enrolments.filter(pk=two_sessions["both"].pk).update(opened_at=now - timedelta(days=9))
    enrolments.filter(pk=two_sessions["anne"].pk).update(opened_at=None)
    anne = two_sessions["anne"]
    people = visible_people(anne)
    assert {row.pk for row in named(people, viewer=anne)} == {anne.pk, two_sessions["tutor_a"].pk}
    assert people.count() == 4


@pytest.mark.parametrize("count", [1, 200])
def test_people_are_read_in_one_query_whatever_their_number(count, django_assert_num_queries):
    course = make_course(groups_mode=GroupMode.SEPARATE)
    enrolments = [make_enrolment(course) for _ in range(count)]
    put_into_group("A", *enrolments)
    with django_assert_num_queries(1):
        assert len([row.person.name for row in visible_people(enrolments[0])]) == count
