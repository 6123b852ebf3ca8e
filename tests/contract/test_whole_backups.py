"""What only a platform with backups can do: courses made from them, and brought back."""

from __future__ import annotations

import pytest

from courses.models import Course
from courses.platform import (
    OK,
    CourseRestore,
    GroupRow,
    ProgressState,
    Refusal,
    TemplateProblem,
    refused,
)
from tests.contract.sites import BuiltinSite
from tests.contract.test_whole_courses import active, copy_of, known, learner


@pytest.fixture
def site(request: pytest.FixtureRequest, db: None) -> BuiltinSite:
    return BuiltinSite(request)


@pytest.fixture
def template(site: BuiltinSite) -> Course:
    course = site.make_course("MODEL", pages=3)
    site.ready_for_copies(course)
    return course


def test_a_template_needs_a_backup_without_user_data(site, template):
    plain = site.make_course("PLAIN")
    bare = site.make_course("BARE")
    site.mark_as_template(bare)
    site.back_up(bare, with_users=True)
    site.back_up(plain)
    assert site.platform.template_problems(["PLAIN", "BARE"]) == [
        (TemplateProblem.UNMARKED,),
        (TemplateProblem.NO_BACKUP,),
    ]
    copies = [copy_of(site, bare, key="1"), copy_of(site, template, key="2")]
    outcomes = [copied.outcome for copied in site.platform.copy_courses(copies)]
    assert outcomes == [refused(Refusal.NO_BACKUP), OK]


def test_a_course_is_restored_from_the_newest_backup_without_user_data(site, template):
    site.rename_pages(template, "Newer")
    site.back_up(template)
    site.rename_pages(template, "Newer still, with people")
    site.back_up(template, with_users=True)
    site.rename_pages(template, "Not in any backup")
    (copied,) = site.platform.copy_courses([copy_of(site, template)])
    assert copied.outcome == OK
    assert site.pages(copied.course_id) == ["Newer"] * 3


def test_nobody_comes_along_and_no_group(site, template):
    (person,) = known(site, 1)
    site.platform.ensure_enrolments([learner(template.pk, person)])
    site.platform.ensure_group_members([GroupRow(template.pk, "G", person.pk)])
    site.back_up(template)
    (copied,) = site.platform.copy_courses([copy_of(site, template)])
    assert site.platform.enrolments([copied.course_id]) == [[]]


# --- bringing back -----------------------------------------------------------------------------------


def test_a_backup_brings_back_the_pages_and_leaves_people_alone(site):
    course = site.make_course("SPACE", pages=3)
    inside, later = known(site, 2)
    site.platform.ensure_enrolments([learner(course.pk, inside)])
    site.read(course, inside.pk, pages=2)
    backup = site.back_up(course, with_users=True)
    site.rename_pages(course, "Changed")
    site.platform.end_enrolments([(course.pk, inside.pk)])
    site.platform.ensure_enrolments([learner(course.pk, later)])
    for _again in range(2):
        assert site.platform.restore_courses([CourseRestore(backup.pk)]) == [OK]
        assert site.pages(course.pk) == ["Page 1", "Page 2", "Page 3"]
        assert active(site, course.pk, [inside, later]) == [False, True]
    # Pages that were still there kept the marks on them.
    assert site.platform.progress([(course.pk, inside.pk)])[0].done == 2


def test_people_come_along_when_asked_with_groups_and_marks(site):
    course = site.make_course("SPACE", pages=2)
    back, suspended, foreign, present = known(site, 4)
    site.platform.ensure_enrolments(
        [
            learner(course.pk, back, role="teacher"),
            learner(course.pk, suspended, suspended=True),
            learner(course.pk, foreign),
            learner(course.pk, present),
        ]
    )
    site.platform.ensure_group_members([GroupRow(course.pk, "G", back.pk)])
    site.visit(course, back.pk)
    site.read(course, back.pk, pages=2)
    backup = site.back_up(course, with_users=True)
    site.platform.remove_group_members([GroupRow(course.pk, "G", back.pk)])
    site.platform.end_enrolments([(course.pk, person.pk) for person in (back, foreign)])
    site.platform.ensure_enrolments([learner(course.pk, present, role="teacher")])
    wanted = CourseRestore(backup.pk, with_users=True, among=frozenset({back.pk, suspended.pk, present.pk}))
    assert site.platform.restore_courses([wanted]) == [OK]
    told = {one.person_id: (one.role, one.reason) for one in site.platform.enrolments([course.pk])[0]}
    assert told == {
        back.pk: ("teacher", ""),
        suspended.pk: ("student", "suspended"),
        foreign.pk: ("student", "suspended"),
        present.pk: ("teacher", ""),
    }
    (row,) = [one for one in site.platform.enrolments([course.pk])[0] if one.person_id == back.pk]
    assert row.groups == ("G",)
    assert site.platform.progress([(course.pk, back.pk)])[0].state is ProgressState.FINISHED
