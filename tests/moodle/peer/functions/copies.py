"""Copying a course, and merging one into another."""

from __future__ import annotations

import copy
from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import MoodleError, invalid_parameter, moodle_exception
from tests.moodle.peer.functions.courses import check_category
from tests.moodle.peer.records import Course, Enrolment, Group
from tests.moodle.peer.values import Fields, Many, may, need

COPY_OPTIONS = {
    "activities", "blocks", "filters", "users", "enrolments", "role_assignments", "comments", "userscompletion",
    "logs", "grade_histories",
}  # fmt: skip
OPTIONS = Many(Fields({"name": need("alphanumext"), "value": need("raw")}), required=False, default=[])


def read_options(visit: Visit, sent: list[dict[str, str]], allowed: set[str]) -> dict[str, bool]:
    """Options as they hold; any of them needs a capability of its own."""
    options = {"activities": True, "blocks": True, "filters": True, "users": True}
    for option in sent:
        name, value = option["name"], option["value"]
        if name not in allowed or value not in {"0", "1"}:
            raise moodle_exception("invalidextparam", f"Invalid external API parameter: {name}")
        if name == "enrolments":
            raise MoodleError(
                "base_plan_exception", "setting_by_name_not_found", "error/setting_by_name_not_found", name
            )
        if not visit.may("moodle/backup:configure"):
            raise setting_locked(name)
        options[name] = value == "1"
    # Copying people is the default; without the permission it is locked at no, and saying "no" is refused as well
    # (seen on 4.5.6).
    if "moodle/backup:userinfo" not in visit.site.capabilities:
        if any(option["name"] == "users" for option in sent):
            raise setting_locked("users")
        options["users"] = False
    return options


def setting_locked(name: str) -> MoodleError:
    return MoodleError(
        "base_setting_exception", "setting_locked_by_permission", "error/setting_locked_by_permission", name
    )


@function(
    "core_course_duplicate_course",
    courseid=need("int"),
    fullname=need("text"),
    shortname=need("text"),
    categoryid=need("int"),
    visible=may("int", 1),
    options=OPTIONS,
    transactional=True,
)
def duplicate_course(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """A live copy. Not transactional: the row of the course is there before its contents are.

    People come along unless `users=0`; groups always do, with names and id numbers; id number and enrolment
    settings never.
    """
    site = visit.site
    source = site.courses.get(arguments["courseid"])
    if source is None:
        raise moodle_exception("invalidcourseid", "You are trying to use an invalid course ID")
    visit.check_course(source.id)
    check_category(visit, arguments["categoryid"])
    for capability in ("moodle/backup:backupcourse", "moodle/restore:restorecourse", "moodle/course:create"):
        visit.require(capability)
    options = read_options(visit, arguments["options"], COPY_OPTIONS)
    holder = site.course_named(arguments["shortname"])
    if holder is not None:
        names = ", ".join(
            course.fullname for course in site.courses.values() if course.shortname == arguments["shortname"]
        )
        raise moodle_exception("shortnametaken", f"Short name is already used for another course ({names})")
    visit.pause()
    made = copy.copy(source)
    made.id, made.idnumber = site.next_id("course"), ""
    made.shortname, made.fullname = arguments["shortname"], arguments["fullname"]
    made.category_id, made.visible = arguments["categoryid"], bool(arguments["visible"])
    made.manual, made.timecreated, made.timemodified = True, site.clock, site.clock
    made.pages, made.complete_copy = source.pages[: len(source.pages) // 2], False
    site.courses[made.id] = made
    visit.maybe_die()
    made.pages, made.complete_copy = list(source.pages) if options["activities"] else [], True
    copy_groups(visit, source, made, with_members=options["users"])
    if options["users"]:
        copy_people(visit, source, made)
    return {"id": made.id, "shortname": made.shortname}


def copy_groups(visit: Visit, source: Course, made: Course, *, with_members: bool) -> None:
    for group in visit.site.groups_of(source.id):
        number = visit.site.next_id("group")
        members = set(group.members) if with_members else set()
        visit.site.groups[number] = Group(
            number, made.id, group.name, group.idnumber, group.description, members=members
        )


def copy_people(visit: Visit, source: Course, made: Course) -> None:
    site = visit.site
    for (user_id, course_id), row in list(site.enrolments.items()):
        if course_id == source.id:
            site.enrolments[user_id, made.id] = Enrolment(
                user_id, made.id, row.timestart, row.timeend, row.suspended, site.clock
            )
    site.role_assignments |= {
        type(row)(row.user_id, row.role_id, "course", made.id)
        for row in site.role_assignments
        if (row.level, row.instance_id) == ("course", source.id)
    }


@function(
    "core_course_import_course",
    importfrom=need("int"),
    importto=need("int"),
    deletecontent=may("int", 0),
    options=OPTIONS,
)
def import_course(visit: Visit, arguments: dict[str, Any]) -> None:
    """Merge the contents of a course into another; people stay where they are."""
    if arguments["deletecontent"] not in {0, 1}:
        raise moodle_exception("invalidextparam", "Invalid external API parameter: deletecontent")
    source, target = (visit.check_course(arguments[name]) for name in ("importfrom", "importto"))
    visit.require("moodle/backup:backuptargetimport")
    visit.require("moodle/restore:restoretargetimport")
    for option in arguments["options"]:
        if option["name"] not in {"activities", "blocks", "filters"}:
            raise invalid_parameter(f"Invalid option: {option['name']}")
    if arguments["deletecontent"]:
        target.pages.clear()
    target.pages.extend(source.pages)
