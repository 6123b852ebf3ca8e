"""Course lists (DESIGN section 5): the same answers on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Course
from courses.selectors import course_matches, matching_any, matching_courses, names_match
from tests.courses.factories import make_course

pytestmark = pytest.mark.django_db

NAMES = ["SPOC-1", "SPOC-2", "spoc-3", "Excel", "A_b", "Axb", "A.b", "A?b", "A[x]b", "A\\b", "Été 2027", "x"]


@pytest.fixture(autouse=True)
def _courses():
    for name in NAMES:
        make_course(name)


def covered(courselist: str) -> list[str]:
    return sorted(matching_courses(courselist).values_list("shortname", flat=True))


@pytest.mark.parametrize(
    ("courselist", "names"),
    [
        ("", NAMES),
        ("   ", NAMES),
        ("*", NAMES),
        ("***", NAMES),
        ("SPOC-1", ["SPOC-1"]),
        ("spoc-1", []),
        ("SPOC-*", ["SPOC-1", "SPOC-2"]),
        ("spoc*", ["spoc-3"]),
        ("*-3", ["spoc-3"]),
        ("S*-*", ["SPOC-1", "SPOC-2"]),
        ("SPOC-1*", ["SPOC-1"]),
        (" SPOC-2 ,Excel,  ", ["Excel", "SPOC-2"]),
        (",", []),
        ("nothing", []),
        ("été*", []),
        ("Été*", ["Été 2027"]),
        # Nothing but * has a meaning of its own.
        ("A_*", ["A_b"]),
        ("A_b", ["A_b"]),
        ("A.*", ["A.b"]),
        ("A?*", ["A?b"]),
        ("A[x]*", ["A[x]b"]),
        ("A[*", ["A[x]b"]),
        ("[AE]*", []),
        ("A\\*", ["A\\b"]),
        ("(a|b)*", []),
        ("A%b", []),
        ("^*$", []),
        ("' OR 1=1 --*", []),
    ],
)
def test_a_list_covers_exactly_the_courses_it_names(courselist, names):
    assert covered(courselist) == sorted(names)
    assert sorted(name for name in NAMES if names_match(courselist, name)) == sorted(names)


def test_many_stars_and_many_names_are_answered_quickly_and_in_one_query(django_assert_num_queries):
    make_course("a" * 100)
    with django_assert_num_queries(1):
        assert covered("*a" * 40 + "*b") == []
    many = ", ".join(f"C-{number}" for number in range(3000)) + ", SPOC*"
    with django_assert_num_queries(1):
        assert covered(many) == ["SPOC-1", "SPOC-2"]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_space": True},
        {"is_template": True},
        {"is_support": True},
        {"not_for_seats": True},
        {"visible": False},
        {"closed_at": timezone.now()},
        {"ends_at": timezone.now() - timedelta(seconds=1)},
    ],
)
@pytest.mark.parametrize("courselist", ["", "*", "KEPT*", "KEPT-OUT", "KEPT-OUT,Excel"])
def test_naming_a_course_that_is_kept_out_does_not_open_it(fields, courselist):
    course = make_course("KEPT-OUT", **fields)
    assert "KEPT-OUT" not in covered(courselist)
    assert course_matches(courselist, course) is False
    assert course.is_open() is False


def test_the_end_of_a_course_is_exclusive():
    now = timezone.now()
    course = make_course("ENDS", ends_at=now)
    assert not course_matches("ENDS", course, now=now)
    assert course_matches("ENDS", course, now=now - timedelta(seconds=1))
    assert (course.is_open(now=now), course.is_open(now=now - timedelta(seconds=1))) == (False, True)


def test_a_list_is_evaluated_when_asked():
    assert covered("NEW-*") == []
    make_course("NEW-1")
    assert covered("NEW-*") == ["NEW-1"]
    Course.objects.filter(shortname="NEW-1").update(visible=False)
    assert covered("NEW-*") == []


def test_several_lists_cover_what_any_of_them_covers_in_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        courses = list(matching_any(["SPOC-1", "nothing", "Ex*"]))
    assert {course.shortname for course in courses} == {"SPOC-1", "Excel"}
    assert matching_any(["SPOC-1", ""]).count() == len(NAMES)
    assert matching_any([]).count() == 0
