"""Our rows of courses follow what a remote platform has (issue 4, item 3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.audit import OPERATOR
from common.models import AuditEntry, Job
from courses import platforms, tasks
from courses.builtin.platform import BuiltinPlatform
from courses.models import Course, CourseCategory
from courses.platform import PlatformAway, PlatformCategory, PlatformCourse
from courses.services import Synced, request_sync, run_sync_courses
from tests.courses.factories import make_category, make_course

pytestmark = pytest.mark.django_db

SUMMER = datetime(2027, 7, 1, tzinfo=UTC)


@dataclass
class Mirrored(BuiltinPlatform):
    """A remote platform that has these categories and courses."""

    is_remote = True
    categories_there: list[PlatformCategory] = field(default_factory=list)
    courses_there: list[PlatformCourse] = field(default_factory=list)
    is_away: bool = False

    def all_categories(self) -> list[PlatformCategory]:
        if self.is_away:
            raise PlatformAway("no route to host")
        return list(self.categories_there)

    def all_courses(self) -> list[PlatformCourse]:
        return list(self.courses_there)


@pytest.fixture
def far(monkeypatch, settings) -> Mirrored:
    platform = Mirrored()
    platform.categories_there = [PlatformCategory(3, None, "Trainings", 10_000)]
    monkeypatch.setitem(platforms.PLATFORMS, "mirrored", lambda: platform)
    platforms._platform.cache_clear()
    settings.COURSE_PLATFORM = "mirrored"
    return platform


def told(number: int, shortname: str, **fields: Any) -> PlatformCourse:
    values: dict[str, Any] = {
        "fullname": f"Course {number}",
        "category": "Trainings",
        "category_id": 3,
        "visible": True,
        "groups_mode": "none",
    }
    return PlatformCourse(shortname=shortname, remote_id=number, **values | fields)


def names() -> dict[int | None, str]:
    return dict(Course.objects.values_list("remote_id", "shortname"))


def codes(done: Synced) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.remote_id) for finding in done.findings]


def missing() -> set[int | None]:
    return set(Course.objects.filter(missing_since__isnull=False).values_list("remote_id", flat=True))


def test_a_new_course_has_a_row_with_everything_the_platform_tells(far):
    far.courses_there = [
        told(7, "SPOC-1", fullname="Reading", visible=False, groups_mode="separate", ends_at=SUMMER)
    ]
    done = run_sync_courses()
    course = Course.objects.select_related("category").get()
    assert done.course_ids == [course.pk]
    assert (done.created, done.changed, done.missing, done.findings) == (1, 0, 0, [])
    assert (course.remote_id, course.shortname, course.fullname) == (7, "SPOC-1", "Reading")
    assert (course.visible, course.groups_mode, course.starts_at, course.ends_at) == (
        False,
        "separate",
        None,
        SUMMER,
    )
    assert (course.category.name, course.category.remote_id, course.category.number) == ("Trainings", 3, 3)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.counts) == (
        "system",
        "courses.sync",
        {"created": 1, "changed": 0, "missing": 0},
    )


def test_what_is_as_it_was_writes_nothing(far):
    far.courses_there = [told(7, "A"), told(8, "B")]
    run_sync_courses()
    with CaptureQueriesContext(connection) as captured:
        done = run_sync_courses()
    assert (done.created, done.changed, done.missing) == (0, 0, 0)
    written = [query["sql"] for query in captured if '"courses_course' in query["sql"]]
    assert [sql for sql in written if not sql.startswith("SELECT")] == []
    assert AuditEntry.objects.count() == 1


def test_our_own_marks_are_never_touched(far):
    far.courses_there = [told(7, "A"), told(8, "B"), told(9, "C"), told(10, "D", visible=True)]
    run_sync_courses()
    Course.objects.filter(remote_id=7).update(is_template=True, summary="ours")
    Course.objects.filter(remote_id=8).update(is_support=True, not_for_seats=True)
    Course.objects.filter(remote_id=9).update(is_space=True, closed_at=SUMMER, copy_key="line:1")
    far.courses_there = [replace(one, fullname="Renamed", visible=False) for one in far.courses_there]
    assert run_sync_courses().changed == 4
    template, support, space, plain = Course.objects.order_by("remote_id")
    assert (template.is_template, template.summary, template.fullname) == (True, "ours", "Renamed")
    assert (support.is_support, support.not_for_seats) == (True, True)
    assert (space.is_space, space.closed_at, space.copy_key) == (True, SUMMER, "line:1")
    # What we closed is hidden there: whether it was visible before is what counts when it opens again.
    assert (space.visible, plain.visible) == (True, False)


def test_two_courses_that_change_their_names_over(far):
    far.courses_there = [told(7, "A"), told(8, "B"), told(9, "C")]
    run_sync_courses()
    pks = dict(Course.objects.values_list("remote_id", "pk"))
    far.courses_there = [told(7, "B"), told(8, "A"), told(9, "D"), told(10, "C")]
    done = run_sync_courses()
    assert names() == {7: "B", 8: "A", 9: "D", 10: "C"}
    assert {number: pk for number, pk in Course.objects.values_list("remote_id", "pk") if number != 10} == pks
    assert (done.created, done.changed) == (1, 3)


def test_of_two_courses_with_one_name_the_older_keeps_it(far):
    far.courses_there = [told(8, "A"), told(7, "A"), told(9, "B")]
    done = run_sync_courses()
    assert names() == {7: "A", 9: "B"}
    assert codes(done) == [("name_twice", 8)]
    # The one that had it first, as long as it is the older one there too, and again once it has a name of its own.
    far.courses_there = [told(8, "C"), told(7, "A"), told(9, "B")]
    assert codes(run_sync_courses()) == []
    assert names() == {7: "A", 8: "C", 9: "B"}


def test_a_course_that_takes_the_name_of_an_older_one_is_not_there_until_it_has_one(far):
    far.courses_there = [told(7, "A"), told(8, "B")]
    run_sync_courses()
    far.courses_there = [told(7, "B"), told(8, "B")]
    done = run_sync_courses()
    assert codes(done) == [("name_twice", 8), ("missing", 8)]
    assert (names()[7], missing()) == ("B", {8})


def test_a_course_that_is_gone_keeps_its_row_and_gives_up_its_name_only_when_another_has_it(far):
    far.courses_there = [told(7, "A"), told(8, "B"), told(9, "C")]
    run_sync_courses()
    far.courses_there = [told(9, "C")]
    done = run_sync_courses()
    assert (done.missing, codes(done)) == (2, [("missing", 7), ("missing", 8)])
    assert (names(), missing()) == ({7: "A", 8: "B", 9: "C"}, {7, 8})
    assert [course.is_open() for course in Course.objects.order_by("remote_id")] == [False, False, True]
    since = Course.objects.get(remote_id=7).missing_since
    far.courses_there = [told(9, "C"), told(10, "A")]
    done = run_sync_courses()
    assert (done.missing, done.findings) == (0, [])
    gone = Course.objects.get(remote_id=7)
    assert (names()[10], gone.shortname, gone.missing_since) == ("A", f"A ({gone.pk})", since)
    # Back again, under whatever name: it is itself.
    far.courses_there = [told(7, "A-2"), told(9, "C"), told(10, "A")]
    assert run_sync_courses().changed == 1
    back = Course.objects.get(remote_id=7)
    assert (back.pk, back.shortname, back.missing_since) == (gone.pk, "A-2", None)


def test_a_course_of_the_built_in_platform_is_not_there_and_gives_up_its_name(far):
    local = make_course("A")
    far.courses_there = [told(7, "A")]
    run_sync_courses()
    local.refresh_from_db()
    assert (local.shortname, local.missing_since is None) == (f"A ({local.pk})", False)
    assert Course.objects.get(remote_id=7).shortname == "A"


def test_a_course_that_is_made_while_we_ask_is_not_missing(far):
    far.courses_there = [told(7, "A")]
    run_sync_courses()
    category = CourseCategory.objects.get()

    class Busy(list[PlatformCourse]):
        def __iter__(self):
            make_course("MINE", remote_id=8, is_space=True, category=category)
            return super().__iter__()

    far.courses_there = Busy(far.courses_there)
    assert run_sync_courses().missing == 0
    assert missing() == set()


def test_a_platform_that_tells_of_no_course_hides_them_rather(far):
    far.courses_there = [told(7, "A")]
    run_sync_courses()
    far.courses_there = []
    with pytest.raises(PlatformAway, match="rights"):
        run_sync_courses()
    assert missing() == set()


@pytest.mark.parametrize(
    ("fields", "code", "has_row"),
    [
        ({"shortname": "A,B"}, "name_not_in_lists", True),
        ({"shortname": "S" * 256}, "name_too_long", False),
        ({"shortname": ""}, "no_name", False),
        ({"shortname": "A", "fullname": "F" * 255}, "fullname_cut", True),
        ({"shortname": "A", "takes_enrolments": False}, "no_enrolments", True),
    ],
)
def test_what_cannot_be_as_it_is_there_is_said(far, fields, code, has_row):
    far.courses_there = [replace(told(7, "A"), **fields), told(8, "Z")]
    assert codes(run_sync_courses()) == [(code, 7)]
    row = Course.objects.filter(remote_id=7).first()
    assert (row is not None) is has_row
    if row is not None:
        assert (row.shortname, row.fullname) == (
            fields["shortname"],
            fields.get("fullname", "Course 7")[:254],
        )
        assert row.is_open() is (code != "no_enrolments")


def test_groups_are_remembered_of_the_templates_that_were_asked(far):
    far.courses_there = [told(7, "A", groups_found=2), told(8, "B")]
    run_sync_courses()
    assert dict(Course.objects.values_list("remote_id", "groups_found")) == {7: 2, 8: 0}
    far.courses_there = [told(7, "A", groups_found=0), told(8, "B")]
    run_sync_courses()
    assert Course.objects.get(remote_id=7).groups_found == 0


# --- categories --------------------------------------------------------------------------------------


def test_categories_follow_with_parents_moves_and_names_that_are_there_twice(far):
    far.categories_there = [
        PlatformCategory(3, None, "Trainings", 10),
        PlatformCategory(4, 3, "Short ones", 20),
        PlatformCategory(5, None, "Short ones", 30),
        PlatformCategory(6, 5, "L" * 255, 40),
    ]
    run_sync_courses()

    def seen() -> dict[int | None, tuple[object, ...]]:
        rows = CourseCategory.objects.select_related("parent")
        return {
            row.remote_id: (
                row.name,
                row.parent and row.parent.remote_id,
                row.position,
                bool(row.missing_since),
            )
            for row in rows
        }

    assert seen() == {
        3: ("Trainings", None, 10, False),
        4: ("Short ones", 3, 20, False),
        5: ("Short ones", None, 30, False),
        6: ("L" * 200, 5, 40, False),
    }
    far.categories_there = [
        PlatformCategory(5, None, "Long ones", 5),
        PlatformCategory(4, 5, "Short ones", 20),
    ]
    far.courses_there = [told(7, "A", category_id=4)]
    run_sync_courses()
    assert seen()[3] == ("Trainings", None, 10, True)
    assert (seen()[4], seen()[5]) == (("Short ones", 5, 20, False), ("Long ones", None, 5, False))
    far.courses_there = [told(7, "A", category_id=5)]
    run_sync_courses()
    assert Course.objects.get().category.remote_id == 5


def test_a_category_that_only_its_courses_tell_of_has_a_row_too(far):
    far.courses_there = [told(7, "A", category_id=9, category="Hidden")]
    run_sync_courses()
    assert Course.objects.get().category.name == "Hidden"


# --- many ----------------------------------------------------------------------------------------------


def statements(captured: CaptureQueriesContext) -> int:
    """What is not an INSERT of the rows themselves: SQLite takes at most 999 parameters in one."""
    heads = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    return len([sql for sql in heads if not sql.startswith('INSERT INTO "courses_course" ')])


def test_1000_courses_take_as_many_statements_as_ten(far):
    counted = []
    for count in (10, 1000):
        Course.objects.all().delete()
        far.courses_there = [told(number, f"C{number}") for number in range(1, count + 1)]
        with CaptureQueriesContext(connection) as captured:
            run_sync_courses()
        counted.append(statements(captured))
        far.courses_there = [told(number, f"C{count + 1 - number}") for number in range(1, count + 1)]
        with CaptureQueriesContext(connection) as captured:
            assert run_sync_courses().changed == count
        counted.append(statements(captured))
    assert counted[0] >= counted[2]
    assert counted[1] == counted[3]
    assert Course.objects.get(remote_id=1).shortname == "C1000"


# --- who asks for it -----------------------------------------------------------------------------------


def test_the_command_prints_the_courses_with_what_is_to_be_known_of_them(far, capsys):
    far.courses_there = [told(7, "A"), told(8, "B", takes_enrolments=False), told(9, "A")]
    call_command("synccourses", "--json")
    document = {
        "fullname": "Course 7",
        "category": "Trainings",
        "category_id": 3,
        "open": True,
        "groups": "none",
    }
    assert json.loads(capsys.readouterr().out) == [
        {"shortname": "A"} | document,
        {"shortname": "B"}
        | document
        | {
            "fullname": "Course 8",
            "open": False,
            "problem": "It has no manual enrolment: nobody can be put into it.",
        },
        {
            "shortname": "A",
            "remote_id": 9,
            "problem": "Course 9 has the short name of course 7: rename one of them.",
        },
    ]


def test_the_command_says_when_the_platform_is_away_and_changes_nothing(far):
    far.is_away = True
    with pytest.raises(CommandError, match="no route to host") as error:
        call_command("synccourses")
    assert (error.value.returncode, Course.objects.count()) == (1, 0)


def test_it_runs_by_itself_and_an_absence_is_left_to_the_next_time(far, caplog):
    far.courses_there = [told(7, "A")]
    far.is_away = True
    tasks.sync()
    assert (Course.objects.count(), "no route to host" in caplog.text) == (0, True)
    far.is_away = False
    tasks.sync()
    assert Course.objects.count() == 1


def test_a_local_platform_has_nothing_to_fetch(capsys):
    category = make_category("Trainings")
    make_course("A", fullname="Alpha")
    tasks.sync()
    call_command("synccourses", "--json")
    assert json.loads(capsys.readouterr().out) == [
        {
            "shortname": "A",
            "fullname": "Alpha",
            "category": "Trainings",
            "category_id": category.pk,
            "open": True,
            "groups": "none",
        }
    ]
    assert AuditEntry.objects.count() == 0


def test_asked_for_it_is_a_job_that_waits_for_an_absent_platform(far, django_capture_on_commit_callbacks):
    far.courses_there = [told(7, "A")]
    far.is_away = True
    with django_capture_on_commit_callbacks(execute=True):
        job = request_sync(actor=OPERATOR)
    job.refresh_from_db()
    assert (job.state, job.last_error) == (Job.State.QUEUED, "no route to host")
    far.is_away = False
    with django_capture_on_commit_callbacks(execute=True):
        again = request_sync(actor=OPERATOR)
    again.refresh_from_db()
    assert (again.pk, again.state, Course.objects.count()) == (job.pk, Job.State.DONE, 1)
