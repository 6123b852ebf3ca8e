"""`checkplatform` says what is wrong with a Moodle site and what to change there, and changes nothing itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from courses.models import Course, CourseMaking, PlatformSite
from courses.moodle import checking
from courses.moodle.client import MoodleClient
from courses.moodle.copying import temporary_name
from courses.moodle.findings import Look
from courses.moodle.needs import FUNCTIONS, PROTOCOL
from courses.services import run_sync_courses
from tests.house.house import ROOT
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.site import use_peer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings, site: Site, moodle_peer: MoodlePeer) -> Site:
    """A sound site: every mapped role is in use, a hidden course is seen, a teacher knows his group."""
    use_peer(settings, moodle_peer)
    settings.MOODLE_ROLES = "student:5,teacher:4"
    open_course = site.add_course("SPOC", groupmode=1, groups=["G"])
    site.add_course("HIDDEN", visible=False)
    group = next(iter(site.groups.values()))
    site.enrol(site.add_user("ana"), open_course, 5, groups=[group])
    site.enrol(site.add_user("tom"), open_course, 4)
    run_sync_courses()
    moodle_peer.forget_calls()
    return site


def found(*levels: str) -> list[tuple[str, str, str]]:
    """Check, level and message of the findings of these levels; of all that matter without any."""
    wanted = levels or ("warning", "error")
    return [(one.check, one.level, one.message) for one in checking.check_site() if one.level in wanted]


def only(check: str) -> tuple[str, str]:
    """Level and message of the one finding that matters."""
    ((name, level, message),) = found()
    assert name == check
    return level, message


def test_a_sound_site_has_nothing_to_repair(capsys):
    call_command("checkplatform", "--json")
    document = json.loads(capsys.readouterr().out)
    assert [(one["check"], one["level"]) for one in document] == [
        ("answer", "ok"),
        ("functions", "ok"),
        ("service user", "ok"),
        ("courses", "ok"),
        ("manual enrolment", "ok"),
        ("participants", "ok"),
        ("roles", "ok"),
        ("roles", "ok"),
        ("groups", "ok"),
        ("rights", "info"),
    ]
    assert [one["message"] for one in document if one["check"] == "roles"] == [
        "The role 5 is “student”.",
        "The role 4 is “teacher”.",
    ]
    assert "moodle/user:create" in document[-1]["message"]
    assert document[-1]["remedy"].startswith("Site administration > ")


def test_it_only_reads(moodle_peer: MoodlePeer, site: Site):
    users, courses = dict(site.users), dict(site.courses)
    found()
    asked = {call.function for call in moodle_peer.calls}
    assert {name for name in asked if not FUNCTIONS[name].only_reads} == set()
    assert (site.users, site.courses) == (users, courses)
    look = Look(MoodleClient.__new__(MoodleClient))
    with pytest.raises(ValueError, match="core_user_create_users"):
        look.ask("core_user_create_users", users=[])


def test_what_is_wrong_is_printed_with_where_to_repair_it_and_ends_with_1(site: Site, capsys):
    site.remove_function("core_group_create_groups")
    with pytest.raises(CommandError) as error:
        call_command("checkplatform")
    assert (error.value.returncode, str(error.value)) == (1, "1 to be repaired.")
    out = capsys.readouterr().out
    assert (
        "ERROR    functions: The external service lacks core_group_create_groups (make the group of an order)."
        in out
    )
    assert "External services > Functions > Add functions." in out


# --- each thing that may be wrong -------------------------------------------------------------------------


def test_nobody_answers(moodle_peer: MoodlePeer):
    with moodle_peer.away(), translation.override("en"):
        level, message = only("answer")
    assert (level, "does not answer" in message) == ("error", True)
    assert not PlatformSite.objects.filter(failures__gt=0).exists()


def test_an_address_that_is_no_moodle(moodle_peer: MoodlePeer):
    moodle_peer.faults.add(None, "garbage_after")
    assert only("answer")[0] == "error"


def test_a_wrong_token(settings):
    settings.MOODLE_TOKEN = "0" * 32
    with translation.override("en"):
        level, message = only("token")
    assert (level, "token" in message, "0000" in message) == ("error", True, False)


def test_a_site_with_another_address_an_old_one_and_an_administrators_token(site: Site, monkeypatch):
    site.url = "https://moodle.example"
    site.service_user.site_admin = True
    monkeypatch.setattr(checking, "OLDEST", 2024042200)
    assert [(check, level) for check, level, _message in found()] == [
        ("answer", "warning"),
        ("version", "warning"),
        ("token", "warning"),
    ]


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"core_webservice_get_site_info"}))
def test_a_function_that_is_missing(site: Site, name: str):
    site.remove_function(name)
    messages = [(level, message) for check, level, message in found("error", "info") if check == "functions"]
    level = "info" if FUNCTIONS[name].is_optional else "error"
    assert messages == [(level, f"The external service lacks {name} ({FUNCTIONS[name].why}).")]


def test_oversight_needs_one_function_more(site: Site, settings):
    settings.MOODLE_OVERSIGHT_ROLE = "9"
    site.remove_function("core_role_assign_roles")
    assert only("functions")[0] == "error"


def test_a_policy_a_field_or_a_forced_password_stops_the_service_user(site: Site):
    site.set_policy()
    assert only("service user")[0] == "error"
    site.set_policy(on=False)
    site.require_profile_field()
    assert only("service user")[0] == "error"
    site.require_profile_field("")
    site.force_password_change(site.service_user)
    assert only("service user")[0] == "error"
    site.force_password_change(site.service_user, on=False)
    assert found() == []


@pytest.mark.parametrize(
    ("capability", "check"),
    [
        ("moodle/course:view", "participants"),
        ("moodle/course:viewparticipants", "participants"),
        ("moodle/course:enrolreview", "participants"),
        ("moodle/course:viewhiddencourses", "courses"),
        ("moodle/course:update", "courses"),
        ("moodle/course:managegroups", "groups"),
        ("moodle/site:accessallgroups", "groups"),
        ("moodle/user:viewdetails", "participants"),
        ("moodle/user:viewalldetails", "participants"),
        ("moodle/site:viewuseridentity", "participants"),
    ],
)
def test_a_right_that_is_missing_is_named(site: Site, capability: str, check: str):
    site.remove_capability(capability)
    findings = [one for one in checking.check_site() if one.level == "error"]
    assert check in {one.check for one in findings}
    assert any(capability in one.remedy or capability in one.message for one in findings)


def test_courses_without_manual_enrolment(site: Site):
    for number in range(12):
        site.add_course(f"C{number:02}", manual=False)
    level, message = only("manual enrolment")
    assert level == "warning"
    assert message.startswith(
        "Nobody can be put into C00, C01, C02, C03, C04, C05, C06, C07, C08, C09 and 2 more:"
    )
    for course in site.courses.values():
        course.manual = None
    assert only("manual enrolment")[0] == "error"


@pytest.mark.parametrize(
    ("roles", "levels"),
    [
        ("student:5,teacher:4", ["ok", "ok"]),
        ("student:4,teacher:5", ["error", "error"]),
        ("student:5,teacher:4,editingteacher:3", ["ok", "ok", "info"]),
        ("student:5,learner:4", ["ok", "warning"]),
        ("student:3,teacher:4", ["info", "ok"]),
        ("", ["error"]),
    ],
)
def test_roles_are_compared_where_a_course_shows_them(settings, roles: str, levels: list[str]):
    settings.MOODLE_ROLES = roles
    assert [str(one.level) for one in checking.check_site() if one.check == "roles"] == levels


def test_a_template_with_groups(site: Site):
    Course.objects.filter(shortname="SPOC").update(is_template=True)
    assert only("groups") == (
        "warning",
        "The template SPOC has groups, which would come along into every copy.",
    )


def test_a_copy_that_was_cut_off_is_reported_and_one_under_way_is_not(site: Site):
    making = CourseMaking.objects.create(key="line:1", state="called")
    site.add_course(temporary_name(making), visible=False)
    assert found() == []
    making.attempt = 2
    making.save()
    level, message = only("leftovers")
    assert (level, "was cut off half way" in message) == ("warning", True)


def test_on_the_built_in_platform_there_is_nothing_to_check(settings, capsys, moodle_peer: MoodlePeer):
    settings.COURSE_PLATFORM = "builtin"
    call_command("checkplatform", "--json")
    assert json.loads(capsys.readouterr().out) == []
    call_command("checkplatform")
    assert "nothing to check" in capsys.readouterr().out
    assert moodle_peer.calls == []


# --- the table ------------------------------------------------------------------------------------------


def test_every_function_that_is_called_is_in_the_table():
    called: set[str] = set()
    for path in (ROOT / "courses" / "moodle").glob("*.py"):
        if path.name != "needs.py":
            called |= set(
                re.findall(r'"((?:core|enrol|gradereport)_[a-z_]+)"', path.read_text(encoding="utf-8"))
            )
    assert called == set(FUNCTIONS)


def test_the_page_for_administrators_has_the_same_table():
    page = (ROOT / "docs" / "moodle.md").read_text(encoding="utf-8")
    rows: dict[str, Any] = dict(
        re.findall(r"^\| `((?:core|enrol)_[a-z_]+)` \| [^|]* \| ([^|]*) \|", page, re.MULTILINE)
    )
    assert rows.keys() == FUNCTIONS.keys()
    for name, need in FUNCTIONS.items():
        assert tuple(re.findall(r"`([^`]+)`", rows[name])) == need.capabilities
    assert f"`{PROTOCOL}`" in page
