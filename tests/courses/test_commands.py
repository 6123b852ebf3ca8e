"""The commands on courses (DESIGN section 9)."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from common.models import AuditEntry
from courses.checks import check_platform
from courses.models import Course, CourseCategory
from courses.platforms import PLATFORMS, get_platform
from tests.accounts.factories import make_person
from tests.courses.factories import make_course, make_enrolment, put_into_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    def command(*arguments: str):
        call_command(*arguments, "--json")
        return json.loads(capsys.readouterr().out)

    return command


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command(*arguments, "--json")
    assert error.value.returncode == 2
    return str(error.value)


def test_setcourse_makes_a_course_and_its_category(run):
    document = run(
        "setcourse", "SPOC-1", "--fullname", "Lire", "--category", "Ateliers", "--groups", "separate"
    )
    category = CourseCategory.objects.get()
    assert document == {
        "shortname": "SPOC-1",
        "fullname": "Lire",
        "category": "Ateliers",
        "category_id": category.pk,
        "open": True,
        "groups": "separate",
    }
    assert Course.objects.get().is_template is False
    assert AuditEntry.objects.get().verb == "course.set"


def test_setcourse_again_changes_the_course_and_keeps_what_was_not_said(run):
    first = run("setcourse", "SPOC-1", "--fullname", "Lire", "--category", "Ateliers", "--groups", "separate")
    second = run("setcourse", "SPOC-1", "--fullname", "Relire", "--hidden")
    assert second == first | {"fullname": "Relire", "open": False}
    assert run("setcourse", "SPOC-1", "--fullname", "Relire")["open"] is True
    assert (Course.objects.count(), CourseCategory.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("flag", "field"),
    [("--template", "is_template"), ("--support", "is_support"), ("--not-for-seats", "not_for_seats")],
)
def test_setcourse_keeps_special_courses_away_from_seats(run, flag, field):
    assert run("setcourse", "T", "--fullname", "Template", flag)["open"] is False
    assert getattr(Course.objects.get(), field) is True


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["A,B", "--fullname", "x"], "shortname: "),
        (["A*", "--fullname", "x"], "shortname: "),
        (["A%B", "--fullname", "x"], "shortname: "),
        (["A/B", "--fullname", "x"], "shortname: "),
        ([" A", "--fullname", "x"], "shortname: "),
        (["..", "--fullname", "x"], "shortname: "),
        (["A\nB", "--fullname", "x"], "shortname: "),
        (["", "--fullname", "x"], "shortname: "),
        (["A" * 256, "--fullname", "x"], "shortname: "),
        (["A", "--fullname", ""], "fullname: "),
        (["A", "--fullname", "x" * 255], "fullname: "),
        (["A", "--fullname", "x", "--category", "c" * 201], "category: "),
    ],
)
def test_setcourse_names_the_argument_it_refuses_and_changes_nothing(arguments, key):
    assert refused("setcourse", *arguments).startswith(key)
    assert (Course.objects.count(), CourseCategory.objects.count(), AuditEntry.objects.count()) == (0, 0, 0)


def test_synccourses_prints_the_courses_known(run):
    make_course("B", fullname="Second")
    make_course("A", fullname="First", is_template=True)
    assert [(each["shortname"], each["open"]) for each in run("synccourses")] == [("A", False), ("B", True)]


def test_listenrolments_tells_what_the_platform_tells(run):
    course = make_course("SPOC-1")
    first = make_enrolment(course, make_person(email="b@example.org"), role="teacher")
    second = make_enrolment(course, make_person(email="a@example.org"), status="suspended")
    put_into_group("B-0001", first, second)
    put_into_group("A-0001", first)
    documents = run("listenrolments", "SPOC-1")
    assert [{**each, "starts": None} for each in documents] == [
        {
            "email": "a@example.org",
            "role": "student",
            "status": "suspended",
            "reason": "suspended",
            "starts": None,
            "ends": None,
            "groups": ["B-0001"],
        },
        {
            "email": "b@example.org",
            "role": "teacher",
            "status": "active",
            "reason": "",
            "starts": None,
            "ends": None,
            "groups": ["A-0001", "B-0001"],
        },
    ]
    assert datetime.fromisoformat(documents[1]["starts"]) == first.starts_at


def test_listenrolments_of_a_closed_course_says_so(run):
    course = make_course("SPOC-1")
    enrolment = make_enrolment(course)
    Course.objects.update(closed_at=enrolment.opened_at)
    assert [(each["status"], each["reason"]) for each in run("listenrolments", "SPOC-1")] == [
        ("suspended", "course closed")
    ]


@pytest.mark.parametrize("name", ["spoc-1", "nothing", "", "SPOC*"])
def test_listenrolments_refuses_a_course_that_is_not_there(name):
    make_course("SPOC-1")
    assert refused("listenrolments", name).startswith("course: ")


def test_without_json_the_commands_speak_to_people(capsys):
    call_command("setcourse", "SPOC-1", "--fullname", "Lire")
    make_enrolment(Course.objects.get(), make_person(email="a@example.org"))
    call_command("listenrolments", "SPOC-1")
    call_command("synccourses")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("SPOC-1: Lire (category")
    assert lines[1:] == ["a@example.org  student  active", "SPOC-1: Lire"]


# --- which platform --------------------------------------------------------------------------------------


def test_the_platform_is_the_one_the_setting_names(settings):
    assert (get_platform().name, get_platform().is_remote) == ("builtin", False)
    assert check_platform(None) == []


def test_an_unknown_platform_is_refused_at_start(settings):
    settings.COURSE_PLATFORM = "mudle"
    (error,) = check_platform(None)
    assert error.id == "courses.E001"
    assert "mudle" in str(error.msg)
    with pytest.raises(ImproperlyConfigured):
        get_platform()


def test_a_remote_platform_needs_a_broker(settings, monkeypatch):
    class Remote:
        is_remote = True
        keeps_passwords = False

    monkeypatch.setitem(PLATFORMS, "far", Remote)
    settings.COURSE_PLATFORM = "far"
    settings.CELERY_TASK_ALWAYS_EAGER = True
    assert [error.id for error in check_platform(None)] == ["courses.E002"]
    settings.CELERY_TASK_ALWAYS_EAGER = False
    assert check_platform(None) == []
