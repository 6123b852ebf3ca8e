"""Whole courses, on every platform: copied from templates, closed and reopened, brought back, and their places."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course
from courses.platform import (
    OK,
    CourseCopy,
    CourseRestore,
    EnrolmentRow,
    Refusal,
    TemplateProblem,
    refused,
)
from tests.accounts.factories import make_person
from tests.contract.sites import Site
from tests.courses.factories import make_space

NOWHERE = 10**9
DAY = timedelta(days=1)


@pytest.fixture
def template(site: Site) -> Course:
    course = site.make_course("MODEL", pages=3)
    site.ready_for_copies(course)
    return course


def copy_of(site: Site, template: Course | None, **fields: Any) -> CourseCopy:
    values: dict[str, Any] = {"key": "line:1", "shortname": "MINE", "fullname": "My course"}
    if "category_id" not in fields:
        values["category_id"] = site.make_category("Trainings")
    return CourseCopy(**values | {"template_id": template and template.pk} | fields)


def known(site: Site, count: int) -> list[Person]:
    people = [make_person() for _ in range(count)]
    site.platform.ensure_logins([person.pk for person in people])
    return people


def learner(course_id: int, person: Person, **fields: Any) -> EnrolmentRow:
    now = timezone.now()
    values: dict[str, Any] = {"role": "student", "starts_at": now - DAY, "ends_at": None}
    return EnrolmentRow(course_id, person.pk, **values | fields)


def active(site: Site, course_id: int, people: list[Person]) -> list[bool]:
    told = site.platform.active_enrolments([(course_id, person.pk) for person in people])
    return [one is not None for one in told]


def test_empty_lists_are_answered_by_empty_lists(site):
    platform = site.platform
    for operation in (
        platform.categories,
        platform.template_problems,
        platform.copy_courses,
        platform.close_courses,
        platform.reopen_courses,
        platform.restore_courses,
    ):
        assert operation([]) == []


def test_categories_are_known_by_their_numbers(site):
    number = site.make_category("Spaces")
    assert site.platform.categories([NOWHERE, number]) == [None, "Spaces"]


# --- templates ---------------------------------------------------------------------------------------


def test_it_says_why_no_course_can_be_made_from_a_template(site, template):
    site.make_course("PLAIN")
    unmarked = site.platform.template_problems(["PLAIN"])[0]
    assert TemplateProblem.UNMARKED in unmarked
    assert site.platform.template_problems(["MODEL", "model", "PLAIN", "NOTHING"]) == [
        (),
        (TemplateProblem.UNKNOWN,),
        unmarked,
        (TemplateProblem.UNKNOWN,),
    ]


# --- copying -----------------------------------------------------------------------------------------


def test_nobody_comes_along(site):
    template = site.make_course("MODEL", pages=3)
    (person,) = known(site, 1)
    site.platform.ensure_enrolments([learner(template.pk, person)])
    site.ready_for_copies(template)
    (copied,) = site.platform.copy_courses([copy_of(site, template)])
    assert copied.outcome == OK
    assert site.platform.enrolments([copied.course_id]) == [[]]


def test_the_course_has_the_names_and_category_asked_for_and_no_seat_covers_it(site, template):
    number = site.make_category("Spaces")
    (copied,) = site.platform.copy_courses([copy_of(site, template, category_id=number)])
    (told,) = site.platform.courses(["MINE"])
    assert (told.course_id, told.fullname, told.category, told.visible) == (
        copied.course_id,
        "My course",
        "Spaces",
        True,
    )
    course = Course.objects.get(pk=copied.course_id)
    assert (course.is_space, course.is_template, course.is_open()) == (True, False, False)


def test_bad_copies_are_refused_each_for_its_reason_and_the_others_happen(site, template):
    copies = [
        copy_of(site, template, key="1"),
        copy_of(site, template, key="2"),  # the same short name once more
        copy_of(site, template, key="3", shortname="MODEL"),
        copy_of(site, template, key="4", shortname="A", category_id=NOWHERE),
        copy_of(site, template, key="5", shortname="B", template_id=NOWHERE),
        copy_of(site, template, key="7", shortname="a,b"),
        copy_of(site, None, key="8", shortname="D"),
    ]
    outcomes = [copied.outcome for copied in site.platform.copy_courses(copies)]
    assert outcomes == [
        OK,
        refused(Refusal.NAME_TAKEN),
        refused(Refusal.NAME_TAKEN),
        refused(Refusal.UNKNOWN_CATEGORY),
        refused(Refusal.UNKNOWN_TEMPLATE),
        refused(Refusal.BAD_NAME),
        OK,
    ]
    assert [copied.course_id for copied in site.platform.copy_courses(copies)].count(None) == 5
    names = {course.shortname for course in site.platform.all_courses()}
    assert names - site.found_there == {"MODEL", "MINE", "D"}


# --- closing -----------------------------------------------------------------------------------------


def test_into_a_closed_course_nobody_gets_and_no_enrolment_changes(site):
    course = site.make_course("SPACE")
    owner, inside, outside = known(site, 3)
    site.platform.ensure_enrolments(
        [
            learner(course.pk, owner, role="courseowner"),
            learner(course.pk, inside),
            learner(course.pk, outside, suspended=True),
        ]
    )

    def told() -> dict[str, str]:
        return {one.email: one.reason for one in site.platform.enrolments([course.pk])[0]}

    before = told()
    assert before == {owner.email: "", inside.email: "", outside.email: "suspended"}
    rows = [active(site, course.pk, [owner, inside, outside])]
    for _again in range(2):
        assert site.platform.close_courses([course.pk, NOWHERE]) == [OK, refused(Refusal.UNKNOWN_COURSE)]
        assert told() == {
            owner.email: "course closed",
            inside.email: "course closed",
            outside.email: "suspended",
        }
    assert [active(site, course.pk, [owner, inside, outside])] == rows
    for _again in range(2):
        assert site.platform.reopen_courses([NOWHERE, course.pk]) == [refused(Refusal.UNKNOWN_COURSE), OK]
        assert told() == before


def test_an_unknown_backup_is_refused(site):
    assert site.platform.restore_courses([CourseRestore(NOWHERE)]) == [refused(Refusal.UNKNOWN_BACKUP)]


# --- places ------------------------------------------------------------------------------------------


def test_no_learner_more_than_the_space_may_have_and_others_do_not_count(site):
    space = make_space(site.make_course("SPACE"), max_participants=2)
    course_id = space.course_id
    first, second, third, tutor = known(site, 4)
    rows = [
        learner(course_id, first),
        learner(course_id, tutor, role="teacher"),
        learner(course_id, second),
        learner(course_id, third),
    ]
    for _again in range(2):
        assert site.platform.ensure_enrolments(rows) == [OK, OK, OK, refused(Refusal.FULL)]
        assert active(site, course_id, [first, second, third, tutor]) == [True, True, False, True]


def test_a_place_is_free_again_when_its_learner_is_suspended_or_over(site):
    space = make_space(site.make_course("SPACE"), max_participants=1)
    course_id = space.course_id
    first, second, third = known(site, 3)
    now = timezone.now()
    assert site.platform.ensure_enrolments([learner(course_id, first, suspended=True)]) == [OK]
    assert site.platform.ensure_enrolments([learner(course_id, second)]) == [OK]
    assert site.platform.ensure_enrolments([learner(course_id, first)]) == [refused(Refusal.FULL)]
    assert active(site, course_id, [first]) == [False]
    site.platform.end_enrolments([(course_id, second.pk)])
    over = learner(course_id, third, ends_at=now - timedelta(hours=1))
    assert site.platform.ensure_enrolments([over, learner(course_id, first)]) == [OK, OK]
    # Who becomes a tutor leaves the place to the next one of the same list.
    rows = [learner(course_id, first, role="teacher"), learner(course_id, second)]
    assert site.platform.ensure_enrolments(rows) == [OK, OK]


def test_a_space_without_a_limit_takes_everybody(site):
    space = make_space(site.make_course("SPACE"), max_participants=None)
    people = known(site, 30)
    rows = [learner(space.course_id, person) for person in people]
    assert site.platform.ensure_enrolments(rows) == [OK] * 30
