"""What shows when somebody is at work in a course, on every platform where a test can be that somebody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Person
from courses.models import Course
from courses.platform import OK, ProgressState
from tests.contract.sites import AT_HAND, SiteAtHand
from tests.contract.test_port import DAY, enrol
from tests.contract.test_port import known as one_known
from tests.contract.test_whole_courses import copy_of


@pytest.fixture(params=sorted(AT_HAND))
def site(request: pytest.FixtureRequest, db: None) -> SiteAtHand:
    return AT_HAND[request.param](request)


@pytest.fixture
def course(site: SiteAtHand) -> Course:
    return site.make_course("SPOC-1", pages=4)


@pytest.fixture
def person(site: SiteAtHand) -> Person:
    return one_known(site)


@pytest.fixture
def template(site: SiteAtHand) -> Course:
    course = site.make_course("MODEL", pages=3)
    site.ready_for_copies(course)
    return course


# --- participants ----------------------------------------------------------------------------------


def test_opened_of_an_earlier_enrolment_does_not_count_for_the_next(site, course, person):
    now = timezone.now()
    enrol(site, course, person, starts_at=now - 20 * DAY, ends_at=now - DAY)
    site.visit(course, person.pk, now=now - 10 * DAY)
    enrol(site, course, person, starts_at=now - timedelta(hours=1), ends_at=None)
    assert site.platform.opened([(course.pk, person.pk)]) == [None]
    site.visit(course, person.pk)
    assert site.platform.opened([(course.pk, person.pk)]) != [None]


def test_progress_goes_from_not_started_to_finished(site, course, person):
    now = timezone.now()
    enrol(site, course, person, starts_at=now - DAY, ends_at=None)
    pair = (course.pk, person.pk)
    assert site.platform.progress([pair])[0].state is ProgressState.NOT_STARTED
    site.visit(course, person.pk)
    assert site.platform.progress([pair])[0].state is ProgressState.UNDER_WAY
    site.read(course, person.pk, pages=2)
    (half,) = site.platform.progress([pair])
    assert (half.state, half.done * 2) == (ProgressState.UNDER_WAY, half.total)
    site.read(course, person.pk, pages=4)
    (whole,) = site.platform.progress([pair])
    assert (whole.state, whole.done) == (ProgressState.FINISHED, whole.total)


# --- owners of courses -------------------------------------------------------------------------------


def test_a_course_has_the_content_of_its_template(site, template):
    (copied,) = site.platform.copy_courses([copy_of(site, template)])
    assert copied.outcome == OK
    assert site.pages(copied.course_id) == ["Page 1", "Page 2", "Page 3"]


def test_without_a_template_the_course_is_empty(site):
    (copied,) = site.platform.copy_courses([copy_of(site, None)])
    assert copied.outcome == OK
    assert site.pages(copied.course_id) == []


def test_the_same_key_again_is_the_same_course_untouched(site, template):
    wanted = copy_of(site, template)
    first = site.platform.copy_courses([wanted])
    course = Course.objects.get(pk=first[0].course_id)
    site.rename_pages(course, "Written by its owner")
    assert site.platform.copy_courses([wanted]) == first
    assert site.platform.copy_courses([replace(wanted, shortname="OTHER", template_id=None)]) == first
    assert site.pages(course.pk) == ["Written by its owner"] * 3
    assert site.platform.courses(["OTHER"]) == [None]
