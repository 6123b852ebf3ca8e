"""Reading who is in a course and how far he is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import coding_error, invalid_parameter, moodle_exception
from tests.moodle.peer.functions.lookups import user_details
from tests.moodle.peer.records import Course, Enrolment, Progress, User
from tests.moodle.peer.values import Fields, Many, Value, need

SEPARATE_GROUPS = 1
# What may be asked for; of these the answer's description lets through only `SHOWN`.
USER_FIELDS = {
    "id", "username", "fullname", "firstname", "lastname", "email", "address", "phone1", "phone2", "department",
    "institution", "interests", "firstaccess", "lastaccess", "auth", "confirmed", "idnumber", "lang", "theme",
    "timezone", "mailformat", "description", "descriptionformat", "city", "country", "profileimageurlsmall",
    "profileimageurl", "customfields", "groups", "roles", "preferences", "enrolledcourses", "suspended",
    "lastcourseaccess",
}  # fmt: skip
SHOWN = USER_FIELDS - {"auth", "confirmed", "lang", "theme", "timezone", "mailformat", "suspended"}
OPTIONS = Many(Fields({"name": need("alphanumext"), "value": need("raw")}), required=False, default=[])


@function("core_enrol_get_enrolled_users", courseid=need("int"), options=OPTIONS)
def get_enrolled_users(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Whoever is enrolled, whatever the status, unless an option says otherwise; unknown options are ignored."""
    course = visit.must_find_course(arguments["courseid"])
    options = {option["name"]: option["value"] for option in arguments["options"]}
    visit.check_course_wrapped(course.id)
    visit.require("moodle/course:viewparticipants")
    only_active, only_suspended = is_set(options, "onlyactive"), is_set(options, "onlysuspended")
    if only_active or only_suspended:
        visit.require("moodle/course:enrolreview")
    if only_active and only_suspended:
        raise coding_error("Both onlyactive and onlysuspended are set")
    fields = [name.strip() for name in options.get("userfields", "").split(",") if name.strip()]
    for name in fields:
        if name not in USER_FIELDS:
            raise moodle_exception("invaliduserfield", f"Invalid user field: {name}")
    group_ids = viewable_groups(visit, course, number(options, "groupid"))
    enrolments = [row for (_, course_id), row in visit.site.enrolments.items() if course_id == course.id]
    if group_ids is not None:
        members = {user_id for group_id in group_ids for user_id in visit.site.groups[group_id].members}
        enrolments = [row for row in enrolments if row.user_id in members]
    if only_active or only_suspended:
        enrolments = [row for row in enrolments if visit.site.is_active(row) is only_active]
    users = sorted(
        (visit.site.users[row.user_id] for row in enrolments), key=lambda user: sort_key(options, user)
    )
    if options.get("sortdirection", "ASC").upper() == "DESC":
        users.reverse()
    first, most = number(options, "limitfrom"), number(options, "limitnumber")
    users = users[first : first + most] if most else users[first:]
    columns = read_columns(visit, course, fields)
    found = (participant(visit, course, user, columns) for user in users)
    return [details for details in found if details is not None]


def is_set(options: dict[str, str], name: str) -> bool:
    return options.get(name, "0") not in {"", "0"}


def number(options: dict[str, str], name: str) -> int:
    return int(options.get(name, "0") or 0)


def sort_key(options: dict[str, str], user: User) -> Any:
    by = options.get("sortby", "id")
    if by not in {"id", "firstname", "lastname", "siteorder"}:
        raise invalid_parameter(f"Invalid value for sortby parameter (value: {by})")
    return (user.lastname, user.firstname, user.id) if by == "siteorder" else (getattr(user, by), user.id)


def viewable_groups(visit: Visit, course: Course, group_id: int) -> set[int] | None:
    """The groups that limit the answer, or none when nothing does."""
    mine = {group.id for group in visit.site.groups_of(course.id) if visit.user.id in group.members}
    if group_id:
        if group_id not in mine:
            visit.require("moodle/site:accessallgroups")
        return {group_id} & set(visit.site.groups)
    if course.groupmode == SEPARATE_GROUPS and not visit.may("moodle/site:accessallgroups"):
        return mine
    return None


@dataclass
class Columns:
    """What the rows of one course are made of, by user, read once for all of them."""

    wanted: set[str]
    groups: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    roles: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    courses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


def read_columns(visit: Visit, course: Course, fields: list[str]) -> Columns:
    site = visit.site
    columns = Columns(({*fields, "id", "fullname"} if fields else USER_FIELDS) & SHOWN)
    if "groups" in columns.wanted and visit.may("moodle/site:accessallgroups"):
        for group in site.groups_of(course.id):
            row = {
                "id": group.id,
                "name": group.name,
                "description": group.description,
                "descriptionformat": 1,
            }
            for user_id in group.members:
                columns.groups.setdefault(user_id, []).append(row)
    if "roles" in columns.wanted:
        for given in sorted(site.role_assignments, key=lambda row: site.roles[row.role_id].sortorder):
            if (given.level, given.instance_id) == ("course", course.id):
                role = site.roles[given.role_id]
                row = {"roleid": role.id, "name": "", "shortname": role.shortname, "sortorder": 0}
                columns.roles.setdefault(given.user_id, []).append(row)
    if "enrolledcourses" in columns.wanted:
        for (user_id, course_id), enrolment in site.enrolments.items():
            other = site.courses[course_id]
            if other.visible and site.is_active(enrolment):
                row = {"id": other.id, "fullname": other.fullname, "shortname": other.shortname}
                columns.courses.setdefault(user_id, []).append(row)
    return columns


def participant(visit: Visit, course: Course, user: User, columns: Columns) -> dict[str, Any] | None:
    """One row; id and full name always, the groups only when there are any."""
    details = user_details(visit, user)
    if details is None:
        return None
    details["lastcourseaccess"] = visit.site.last_access.get((user.id, course.id), 0)
    if user.id in columns.groups:
        details["groups"] = columns.groups[user.id]
    details["roles"] = columns.roles.get(user.id, [])
    details["enrolledcourses"] = columns.courses.get(user.id, [])
    return {name: value for name, value in details.items() if name in columns.wanted}


@function(
    "core_enrol_get_users_courses",
    userid=need("int"),
    returnusercount=Value("bool", required=False, default=True),
)
def get_users_courses(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The visible courses where one user is active now; none for a user who does not exist."""
    visit.check_user()
    site, user_id = visit.site, arguments["userid"]
    if site.user(user_id) is None:
        return []
    answer = []
    for course in site.active_courses(user_id):
        if user_id != visit.user.id and not visit.may("moodle/course:viewparticipants"):
            continue
        done = site.progress.get((user_id, course.id), Progress())
        row: dict[str, Any] = {
            "id": course.id,
            "shortname": course.shortname,
            "fullname": course.fullname,
            "displayname": course.fullname,
        }
        if arguments["returnusercount"]:
            row["enrolledusercount"] = sum(course_id == course.id for _, course_id in site.enrolments)
        answer.append(
            row
            | {
                "idnumber": course.idnumber,
                "visible": int(course.visible),
                "summary": "",
                "summaryformat": 1,
                "format": course.format,
                "showgrades": True,
                "lang": "",
                "enablecompletion": course.completion,
                "completionhascriteria": course.completion,
                "completionusertracked": course.completion,
                "category": course.category_id,
                "progress": done.percent if course.completion else None,
                "completed": done.completed if course.completion else None,
                "startdate": course.startdate,
                "enddate": course.enddate,
                "marker": 0,
                "lastaccess": site.last_access.get((user_id, course.id)),
                "isfavourite": False,
                "hidden": False,
                "overviewfiles": [],
                "showactivitydates": True,
                "showcompletionconditions": True,
            }
        )
    return answer


@function("core_enrol_get_course_enrolment_methods", courseid=need("int"))
def get_course_enrolment_methods(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Never lists manual enrolment, enabled or not."""
    visit.must_find_course(arguments["courseid"])
    visit.check_user()
    return []


@function("core_completion_get_course_completion_status", courseid=need("int"), userid=need("int"))
def get_course_completion_status(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    site = visit.site
    course = visit.must_find_course(arguments["courseid"])
    visit.check_course(course.id)
    enrolment: Enrolment | None = site.enrolment(arguments["userid"], course.id)
    if not visit.may("report/completion:view"):
        raise moodle_exception("cannotviewreport", "You can not view this report")
    if not course.completion:
        raise moodle_exception("nocriteriaset", "No completion criteria set for this course")
    if enrolment is None or not site.is_active(enrolment):
        raise moodle_exception("usernotenroled", "User is not enrolled")
    done = site.progress.get((arguments["userid"], course.id), Progress())
    return {
        "completionstatus": {"completed": done.completed, "aggregation": 1, "completions": []},
        "warnings": [],
    }
