"""Giving and taking roles in a context."""

from __future__ import annotations

from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import invalid_parameter
from tests.moodle.peer.records import LEVELS, RoleAssignment
from tests.moodle.peer.values import Fields, Many, may, need

ITEM = Fields(
    {
        "roleid": need("int"),
        "userid": need("int"),
        "contextid": may("int"),
        "contextlevel": may("alpha"),
        "instanceid": may("int"),
    }
)


def assignment(visit: Visit, item: dict[str, Any]) -> RoleAssignment:
    """The row that an item means, after every check of the caller."""
    site = visit.site
    if item.get("contextid"):
        found = site.context(item["contextid"])
    elif item.get("contextlevel") in LEVELS and "instanceid" in item:
        found = item["contextlevel"], item["instanceid"]
    else:
        raise invalid_parameter("No valid contextid or contextlevel/instanceid provided")
    if found is None or not site.context_exists(*found):
        raise invalid_parameter("Context does not exist")
    level, instance = found
    if level == "course":
        visit.check_course(instance)
    visit.check_user()
    visit.require("moodle/role:assign")
    role = site.roles.get(item["roleid"])
    if role is None or role.id not in site.assignable or level not in role.levels:
        raise invalid_parameter(
            f"Can not assign roleid={item['roleid']} in contextid={site.context_id(*found)}"
        )
    if site.user(item["userid"]) is None:
        raise invalid_parameter("User ID does not exist or is deleted!")
    return RoleAssignment(item["userid"], role.id, level, 0 if level == "system" else instance)


@function("core_role_assign_roles", items="assignments", transactional=True, assignments=Many(ITEM))
def assign_roles(visit: Visit, arguments: dict[str, Any]) -> None:
    """All or nothing; twice is one row. In a course it makes nobody a participant."""
    rows = [assignment(visit, item) for item in arguments["assignments"]]
    visit.all_or_nothing()
    visit.site.role_assignments.update(rows)


@function("core_role_unassign_roles", items="unassignments", transactional=True, unassignments=Many(ITEM))
def unassign_roles(visit: Visit, arguments: dict[str, Any]) -> None:
    """All or nothing; an enrolment stays, even when its last role goes."""
    rows = [assignment(visit, item) for item in arguments["unassignments"]]
    visit.all_or_nothing()
    visit.site.role_assignments.difference_update(rows)
