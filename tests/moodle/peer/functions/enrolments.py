"""Manual enrolment: an upsert that forgets what is not sent."""

from __future__ import annotations

from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import (
    coding_error,
    invalid_parameter,
    missing_record,
    moodle_exception,
    write_error,
)
from tests.moodle.peer.records import Enrolment, RoleAssignment
from tests.moodle.peer.values import Fields, Many, may, need


@function(
    "enrol_manual_enrol_users",
    items="enrolments",
    transactional=True,
    enrolments=Many(
        Fields(
            {
                "roleid": need("int"),
                "userid": need("int"),
                "courseid": need("int"),
                "timestart": may("int", 0),
                "timeend": may("int", 0),
                "suspend": may("int", 0),
            }
        )
    ),
)
def enrol_users(visit: Visit, arguments: dict[str, Any]) -> None:
    """All or nothing. Dates and status are written whether sent or not; the role is added to those there are."""
    site = visit.site
    for item in arguments["enrolments"]:
        course = visit.check_course(item["courseid"])
        visit.require("enrol/manual:enrol")
        role = site.roles.get(item["roleid"])
        if role is None or role.id not in site.assignable or "course" not in role.levels:
            raise moodle_exception(
                "wsusercannotassign",
                f"You don't have the permission to assign this role ({item['roleid']}) to this user "
                f"({item['userid']}) in this course ({course.id}).",
            )
        if course.manual is not True:
            # The placeholder is Moodle's own slip.
            raise moodle_exception(
                "wsnoinstance",
                "Manual enrolment plugin instance doesn't exist or is disabled for the course "
                "(id = {$a->courseid})",
            )
        if site.user(item["userid"]) is None:
            raise coding_error("User ID does not exist or is deleted!")
    new = [
        pair
        for item in arguments["enrolments"]
        if (pair := (item["userid"], item["courseid"])) not in site.enrolments
    ]
    visit.all_or_nothing()
    for item in arguments["enrolments"]:
        if item["courseid"] not in site.courses:
            raise missing_record(query="SELECT * FROM {course} WHERE id = ?", table="course")
    if any(pair in site.enrolments for pair in new):
        # Somebody else's call has inserted the row meanwhile, and an index of the database holds it single.
        raise write_error()
    for item in arguments["enrolments"]:
        pair = item["userid"], item["courseid"]
        row = site.enrolments.setdefault(pair, Enrolment(*pair, timecreated=site.clock))
        row.timestart, row.timeend, row.suspended = item["timestart"], item["timeend"], bool(item["suspend"])
        site.role_assignments.add(RoleAssignment(pair[0], item["roleid"], "course", pair[1]))


@function(
    "enrol_manual_unenrol_users",
    items="enrolments",
    transactional=True,
    enrolments=Many(Fields({"userid": need("int"), "courseid": need("int"), "roleid": may("int")})),
)
def unenrol_users(visit: Visit, arguments: dict[str, Any]) -> None:
    """Works with a disabled instance too; who is not enrolled already is where he should be."""
    for item in arguments["enrolments"]:
        course = visit.must_find_course(item["courseid"])
        visit.check_course(course.id)
        visit.require("enrol/manual:unenrol")
        if course.manual is None:
            raise moodle_exception("wsnoinstance", "Manual enrolment plugin instance doesn't exist")
        if item["userid"] not in visit.site.users:
            raise invalid_parameter(f"User id not exist: {item['userid']}")
    visit.all_or_nothing()
    for item in arguments["enrolments"]:
        visit.site.remove_enrolment(item["userid"], item["courseid"])
