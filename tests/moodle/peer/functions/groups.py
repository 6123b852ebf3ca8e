"""Groups of a course and who is in them."""

from __future__ import annotations

from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import (
    bad_course_context,
    invalid_parameter,
    missing_record,
    moodle_exception,
    write_error,
)
from tests.moodle.peer.records import Group
from tests.moodle.peer.values import Fields, Many, may, need

MEMBERS = Many(Fields({"groupid": need("int"), "userid": need("int")}))


def told(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "courseid": group.course_id,
        "name": group.name,
        "description": group.description,
        "descriptionformat": 1,
        "enrolmentkey": group.enrolmentkey,
        "idnumber": group.idnumber,
    }


def check_group(visit: Visit, group_id: int) -> Group:
    """A group whose course the caller may manage."""
    group = visit.site.groups.get(group_id)
    if group is None:
        raise missing_record(query="SELECT * FROM {groups} WHERE id = ?", table="groups")
    visit.check_course_wrapped(group.course_id)
    visit.require("moodle/course:managegroups")
    return group


@function(
    "core_group_create_groups",
    items="groups",
    transactional=True,
    groups=Many(
        Fields(
            {
                "courseid": need("int"),
                "name": need("text"),
                "description": need("raw"),
                "descriptionformat": may("int"),
                "enrolmentkey": may("raw", ""),
                "idnumber": may("raw", ""),
            }
        )
    ),
)
def create_groups(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All or nothing; no index of the database keeps a name or an id number from being there twice."""
    made: list[Group] = []
    for item in arguments["groups"]:
        if not item["name"].strip():
            raise invalid_parameter("Invalid group name")
        there = [
            *visit.site.groups_of(item["courseid"]),
            *(g for g in made if g.course_id == item["courseid"]),
        ]
        if any(group.name == item["name"] for group in there):
            raise invalid_parameter("Group with the same name already exists in the course")
        if item["courseid"] not in visit.site.courses:
            raise bad_course_context(item["courseid"], "Context does not exist")
        visit.check_course_wrapped(item["courseid"])
        visit.require("moodle/course:managegroups")
        if item["idnumber"] and any(group.idnumber == item["idnumber"] for group in there):
            raise moodle_exception("idnumbertaken", "This ID number is already taken")
        made.append(
            Group(
                0, item["courseid"], item["name"], item["idnumber"], item["description"], item["enrolmentkey"]
            )
        )
    visit.all_or_nothing()
    for group in made:
        group.id = visit.site.next_id("group")
        visit.site.groups[group.id] = group
    return [told(group) for group in made]


@function("core_group_get_course_groups", courseid=need("int"))
def get_course_groups(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    if arguments["courseid"] not in visit.site.courses:
        raise missing_record(
            query="SELECT * FROM {context} WHERE contextlevel = ? AND instanceid = ?", table="context"
        )
    visit.check_course_wrapped(arguments["courseid"])
    visit.require("moodle/course:managegroups")
    groups = sorted(visit.site.groups_of(arguments["courseid"]), key=lambda group: group.name)
    return [told(group) for group in groups]


@function("core_group_get_group_members", items="groupids", groupids=Many(need("int")))
def get_group_members(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Suspended members are listed as well."""
    groups = [check_group(visit, group_id) for group_id in arguments["groupids"]]
    return [{"groupid": group.id, "userids": sorted(group.members)} for group in groups]


@function("core_group_add_group_members", items="members", transactional=True, members=MEMBERS)
def add_group_members(visit: Visit, arguments: dict[str, Any]) -> None:
    """All or nothing; who is a member already stays one, who is not enrolled cannot be one."""
    new: list[tuple[Group, int]] = []
    for item in arguments["members"]:
        group = check_group(visit, item["groupid"])
        if visit.site.user(item["userid"]) is None:
            raise missing_record("invaliduser", "SELECT * FROM {user} WHERE id = ?")
        if visit.site.enrolment(item["userid"], group.course_id) is None:
            raise invalid_parameter("Only enrolled users may be members of groups")
        if item["userid"] not in group.members:
            new.append((group, item["userid"]))
    visit.all_or_nothing()
    if any(user_id in group.members for group, user_id in new):
        # Somebody else's call has inserted the row meanwhile, and an index of the database holds it single.
        raise write_error()
    for group, user_id in new:
        group.members.add(user_id)


@function("core_group_delete_group_members", items="members", transactional=True, members=MEMBERS)
def delete_group_members(visit: Visit, arguments: dict[str, Any]) -> None:
    """All or nothing; who is no member already is where he should be."""
    for item in arguments["members"]:
        check_group(visit, item["groupid"])
        if visit.site.user(item["userid"]) is None:
            raise missing_record("invaliduser", "SELECT * FROM {user} WHERE id = ?")
    visit.all_or_nothing()
    for item in arguments["members"]:
        if item["groupid"] in visit.site.groups:
            visit.site.groups[item["groupid"]].members.discard(item["userid"])


@function("core_group_delete_groups", items="groupids", transactional=True, groupids=Many(need("int")))
def delete_groups(visit: Visit, arguments: dict[str, Any]) -> None:
    """Groups that are not there are passed over."""
    groups = [check_group(visit, number) for number in arguments["groupids"] if number in visit.site.groups]
    visit.all_or_nothing()
    for group in groups:
        visit.site.groups.pop(group.id, None)


@function(
    "core_group_update_groups",
    items="groups",
    transactional=True,
    groups=Many(
        Fields(
            {
                "id": need("int"),
                "name": need("text"),
                "description": may("raw"),
                "descriptionformat": may("int"),
                "enrolmentkey": may("raw"),
                "idnumber": may("raw"),
            }
        )
    ),
)
def update_groups(visit: Visit, arguments: dict[str, Any]) -> None:
    for item in arguments["groups"]:
        group = check_group(visit, item["id"])
        others = [other for other in visit.site.groups_of(group.course_id) if other.id != group.id]
        if any(other.name == item["name"] for other in others):
            raise invalid_parameter("A different group with the same name already exists in the course")
        if item.get("idnumber") and any(other.idnumber == item["idnumber"] for other in others):
            raise moodle_exception("idnumbertaken", "This ID number is already taken")
    visit.all_or_nothing()
    for item in arguments["groups"]:
        group = visit.site.groups[item["id"]]
        for name in ("name", "description", "enrolmentkey", "idnumber"):
            if name in item:
                setattr(group, name, item[name])
