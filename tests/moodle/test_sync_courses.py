"""Courses and categories of a Moodle site become rows of ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from courses.models import Course, CourseCategory
from courses.moodle.platform import MoodlePlatform
from courses.platform import PlatformAway, PlatformCourse, TemplateProblem
from courses.services import run_sync_courses
from tests.courses.factories import make_space
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.functions import courses as courses_of_peer
from tests.moodle.site import use_peer

pytestmark = pytest.mark.django_db

SUMMER = datetime(2027, 7, 1, tzinfo=UTC)


@pytest.fixture
def platform(settings, moodle_peer: MoodlePeer) -> MoodlePlatform:
    return use_peer(settings, moodle_peer)


def courses() -> dict[str, Course]:
    return {course.shortname: course for course in Course.objects.select_related("category")}


def test_everything_that_moodle_tells_of_a_course(platform, site: Site):
    category = site.add_category("Trainings", parent=1)
    there = site.add_course(
        "SPOC-1",
        "Reading",
        category,
        visible=False,
        groupmode=1,
        enddate=int(SUMMER.timestamp()),
        startdate=60,
    )
    site.add_course("B", groupmode=2, manual=False)
    site.add_course("C", manual=None)
    done = run_sync_courses()
    found = courses()
    assert (done.created, sorted(found)) == (3, ["B", "C", "SPOC-1"])  # the site's own course is none
    course = found["SPOC-1"]
    assert (course.remote_id, course.fullname, course.visible) == (there.id, "Reading", False)
    assert (course.groups_mode, course.takes_enrolments) == ("separate", True)
    assert (course.starts_at, course.ends_at) == (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), SUMMER)
    assert (course.category.name, course.category.number) == ("Trainings", category.id)
    assert course.category.parent == CourseCategory.objects.get(remote_id=1)
    assert (found["B"].groups_mode, found["B"].starts_at, found["B"].ends_at) == ("visible", None, None)
    assert [found[name].takes_enrolments for name in ("B", "C")] == [False, False]
    assert {finding.code for finding in done.findings} == {"no_enrolments"}


def test_two_calls_and_one_for_each_template(platform, site: Site, moodle_peer: MoodlePeer):
    for name in ("A", "B", "C"):
        site.add_course(name, groups=["G", "H"])
    run_sync_courses()
    Course.objects.filter(shortname="B").update(is_template=True)
    moodle_peer.forget_calls()
    run_sync_courses()
    assert [call.function for call in moodle_peer.calls] == [
        "core_course_get_categories",
        "core_course_get_courses_by_field",
        "core_group_get_course_groups",
    ]
    assert {name: course.groups_found for name, course in courses().items()} == {"A": 0, "B": 2, "C": 0}
    assert platform.template_problems(["A", "B", "X"]) == [
        (TemplateProblem.UNMARKED,),
        (TemplateProblem.HAS_GROUPS,),
        (TemplateProblem.UNKNOWN,),
    ]


def test_names_that_moodle_tells_as_html_are_read_as_they_are(platform, site: Site):
    site.add_course("R&amp;D", "Q &amp; A &lt;3")
    run_sync_courses()
    assert courses()["R&D"].fullname == "Q & A <3"


def test_renamed_moved_hidden_deleted_and_back(platform, site: Site):
    there, other = site.add_course("A"), site.add_course("B")
    run_sync_courses()
    pk = courses()["A"].pk
    site.rename_course(there, "B")
    site.rename_course(other, "A")
    site.hide(there)
    there.category_id = site.add_category("Moved").id
    run_sync_courses()
    moved = Course.objects.select_related("category").get(pk=pk)
    assert (moved.shortname, moved.visible, moved.category.name) == ("B", False, "Moved")
    site.delete_course(there)
    assert run_sync_courses().missing == 1
    site.courses[there.id] = there
    run_sync_courses()
    assert Course.objects.get(pk=pk).missing_since is None


def test_of_two_courses_with_one_short_name_the_older_keeps_it(platform, site: Site):
    older, younger = site.add_course("A"), site.add_course("A")
    done = run_sync_courses()
    assert [(finding.code, finding.remote_id) for finding in done.findings] == [("name_twice", younger.id)]
    assert courses()["A"].remote_id == older.id
    found = platform.courses(["A"])[0]
    assert found is not None
    assert found.remote_id == older.id


def test_what_we_are_making_is_no_course_yet(platform, site: Site):
    site.add_course("A")
    site.add_course("shopseats-0123456789abcdef-1", visible=False)
    site.add_course("MINE", idnumber="shopseats:0123456789abcdef0123456789abcdef")
    run_sync_courses()
    assert sorted(courses()) == ["A"]
    assert [course.shortname for course in platform.all_courses()] == ["A"]


def test_courses_are_looked_up_by_their_exact_names(platform, site: Site):
    there = site.add_course("A", "Alpha")
    run_sync_courses()
    assert platform.courses(["a", "A", "", "A", "X"]) == [
        None,
        found := PlatformCourse(
            shortname="A",
            fullname="Alpha",
            category="Category 1",
            visible=True,
            groups_mode="none",
            course_id=courses()["A"].pk,
            remote_id=there.id,
            category_id=1,
        ),
        None,
        found,
        None,
    ]


def test_category_numbers_are_those_of_moodle(platform, site: Site):
    category = site.add_category("Spaces")
    run_sync_courses()
    row = CourseCategory.objects.get(remote_id=category.id)
    CourseCategory.objects.create(pk=row.pk + 100, name="Ours")
    assert platform.categories([category.id, row.pk + 100, 10**9]) == ["Spaces", None, None]
    del site.categories[category.id]
    run_sync_courses()
    assert platform.categories([category.id]) == [None]


def test_a_service_user_who_sees_nothing_closes_nothing(platform, site: Site):
    site.add_course("A", visible=False)
    run_sync_courses()
    site.remove_capability("moodle/course:viewhiddencourses")
    with pytest.raises(PlatformAway, match="rights"):
        run_sync_courses()
    assert courses()["A"].missing_since is None


@pytest.mark.parametrize("kind", ["garbage_after", "bad_gateway_after", "maintenance", "truncated_after"])
def test_half_an_answer_changes_nothing(platform, site: Site, moodle_peer: MoodlePeer, kind):
    site.add_course("A")
    run_sync_courses()
    site.rename_course(next(one for one in site.courses.values() if one.shortname == "A"), "B")
    moodle_peer.faults.add("core_course_get_courses_by_field", kind)
    with pytest.raises(PlatformAway):
        run_sync_courses()
    assert sorted(courses()) == ["A"]
    run_sync_courses()
    assert sorted(courses()) == ["B"]


def test_a_course_is_opened_at_an_address_of_its_own(platform, site: Site):
    there = site.add_course("A")
    run_sync_courses()
    assert platform.course_urls([10**9, courses()["A"].pk]) == [
        "",
        f"{site.url}/course/view.php?id={there.id}",
    ]


def test_learners_enrolled_by_others_are_counted_against_the_places_that_were_sold(platform, site: Site):
    there = site.add_course("SPACE")
    run_sync_courses()
    space = make_space(courses()["SPACE"], max_participants=2)
    for name in ("ana", "bob", "cid"):
        site.enrol(site.add_user(name), there)
    site.enrol(site.add_user("teacher"), there, 3)
    site.enrol(site.add_user("gone"), there, suspended=True)
    done = run_sync_courses()
    assert [(finding.code, finding.remote_id) for finding in done.findings] == [("over_limit", there.id)]
    space.refresh_from_db()
    assert space.learners_found == 3
    site.unenrol(next(user for user in site.users.values() if user.username == "ana"), there)
    assert run_sync_courses().findings == []
    space.refresh_from_db()
    assert space.learners_found == 2


def test_a_database_that_ignores_case_finds_no_other_course(platform, site: Site, monkeypatch):
    """As MySQL does: Moodle then hands out a course with another short name than was asked for."""
    site.add_course("A")
    monkeypatch.setattr(courses_of_peer, "by_field", lambda site, field, value: list(site.courses.values()))
    assert [course and course.shortname for course in platform.courses(["a", "A"])] == [None, "A"]
