"""What the service user needs on a Moodle site. `docs/moodle.md` shows the same table, and a test compares them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A function of the external service. `only_reads`: it may be called on a live site without a second thought."""

    why: str
    capabilities: tuple[str, ...] = ()
    only_reads: bool = False
    is_optional: bool = False


# Without the second nobody's user name is told; without the third no address, and then nobody is found by it.
LOOK_UP = (
    "moodle/user:viewdetails",
    "moodle/user:viewalldetails",
    "moodle/site:viewuseridentity",
    "moodle/user:viewhiddendetails",
    "moodle/course:useremail",
)

FUNCTIONS: dict[str, Need] = {
    "core_webservice_get_site_info": Need("which functions there are", only_reads=True),
    "core_user_get_users_by_field": Need(
        "find people by address",
        LOOK_UP,
        only_reads=True,
    ),
    "core_user_get_users": Need(
        "find people by address in another case",
        LOOK_UP,
        only_reads=True,
    ),
    "core_user_create_users": Need("make logins", ("moodle/user:create",)),
    "core_user_update_users": Need("set the password a participant has chosen", ("moodle/user:update",)),
    "enrol_manual_enrol_users": Need(
        "enrol and suspend",
        ("enrol/manual:enrol", "moodle/role:assign", "moodle/course:view", "moodle/course:viewhiddencourses"),
    ),
    "core_enrol_get_enrolled_users": Need(
        "who is in a course, active or not, and who has opened it",
        (
            "moodle/course:view",
            "moodle/course:viewparticipants",
            "moodle/course:enrolreview",
            "moodle/site:accessallgroups",
        ),
        only_reads=True,
    ),
    "core_enrol_get_users_courses": Need(
        "how far somebody is", ("moodle/course:viewparticipants",), only_reads=True
    ),
    "core_group_get_course_groups": Need("find groups", ("moodle/course:managegroups",), only_reads=True),
    "core_group_get_group_members": Need(
        "count the members of groups", ("moodle/course:managegroups",), only_reads=True
    ),
    "core_group_create_groups": Need("make the group of an order", ("moodle/course:managegroups",)),
    "core_group_add_group_members": Need("put people into it", ("moodle/course:managegroups",)),
    "core_group_delete_group_members": Need("take people out of it", ("moodle/course:managegroups",)),
    "core_role_unassign_roles": Need("take a role that was replaced by another", ("moodle/role:assign",)),
    "core_course_get_categories": Need(
        "the list of categories", ("moodle/category:viewhiddencategories",), only_reads=True
    ),
    "core_course_get_courses_by_field": Need(
        "the list of courses", ("moodle/course:viewhiddencourses", "moodle/course:update"), only_reads=True
    ),
    "core_course_duplicate_course": Need(
        "course spaces: copy the template",
        # Leaving people out is a setting of the copy: without the last two of backup it is locked, at whatever value.
        (
            "moodle/backup:backupcourse",
            "moodle/backup:configure",
            "moodle/backup:userinfo",
            "moodle/restore:restorecourse",
            "moodle/course:create",
        ),
    ),
    "core_course_create_courses": Need(
        "course spaces without a template", ("moodle/course:create", "moodle/course:visibility")
    ),
    "core_course_update_courses": Need(
        "course spaces: name, show, close, open again",
        (
            "moodle/course:update",
            "moodle/course:changefullname",
            "moodle/course:changeshortname",
            "moodle/course:changeidnumber",
            "moodle/course:visibility",
        ),
    ),
    "core_course_delete_courses": Need(
        "remove a copy that was cut off half way; without it such a copy stays, hidden",
        ("moodle/course:delete",),
        is_optional=True,
    ),
    "core_role_assign_roles": Need(
        "only with MOODLE_OVERSIGHT_ROLE: let managers see their people", ("moodle/role:assign",), is_optional=True
    ),
}  # fmt: skip

PROTOCOL = "webservice/rest:use"

_SHOWN = {name for need in FUNCTIONS.values() if need.only_reads for name in need.capabilities}

# What no call shows unless it changes something.
UNTRIED = tuple(sorted({name for need in FUNCTIONS.values() for name in need.capabilities} - _SHOWN))

OLDEST = 2023042400
"""Moodle 4.2: what older sites do was not measured."""
