"""Courses and categories: reading, making, changing, deleting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.moodle.peer.calls import Visit, function, warning
from tests.moodle.peer.errors import (
    MoodleError,
    invalid_parameter,
    missing_record,
    moodle_exception,
)
from tests.moodle.peer.records import Category, Course
from tests.moodle.peer.site import Site
from tests.moodle.peer.state import SITE_COURSE
from tests.moodle.peer.values import Fields, Many, Value, clean_int, may, need

SETTABLE: dict[str, Value] = {
    "idnumber": may("raw"),
    "summary": may("raw"),
    "summaryformat": may("int"),
    "format": may("plugin"),
    "showgrades": may("int"),
    "newsitems": may("int"),
    "startdate": may("int"),
    "enddate": may("int"),
    "numsections": may("int"),
    "maxbytes": may("int"),
    "showreports": may("int"),
    "visible": may("int"),
    "groupmode": may("int"),
    "groupmodeforce": may("int"),
    "defaultgroupingid": may("int"),
    "enablecompletion": may("int"),
    "completionnotify": may("int"),
    "lang": may("safedir"),
}
COPIED_NAMES = (
    "fullname",
    "shortname",
    "idnumber",
    "startdate",
    "enddate",
    "groupmode",
    "groupmodeforce",
    "format",
)


# --- reading -----------------------------------------------------------------------------------------


def methods(course: Course) -> list[str]:
    return ["manual"] if course.manual is True else []


def course_details(visit: Visit, course: Course) -> dict[str, Any]:
    """A course as by_field tells it: the public part, and the rest for those who may update it."""
    category = visit.site.categories.get(course.category_id)
    context_id = visit.site.context_id("course", course.id)
    details: dict[str, Any] = {
        "id": course.id,
        "fullname": course.fullname,
        "displayname": course.fullname,
        "shortname": course.shortname,
        "courseimage": f"{visit.site.url}/pluginfile.php/{context_id}/course/generated/course.svg",
        "categoryid": course.category_id,
        "categoryname": category.name if category else "",
        "sortorder": 10000 + course.id,
        "summary": "",
        "summaryformat": 1,
        "summaryfiles": [],
        "overviewfiles": [],
        "showactivitydates": True,
        "showcompletionconditions": True,
        "contacts": [],
        "enrollmentmethods": methods(course),
    }
    if not visit.may("moodle/course:update"):
        return details
    return details | {
        "idnumber": course.idnumber,
        "format": course.format,
        "showgrades": 1,
        "newsitems": 5,
        "startdate": course.startdate,
        "enddate": course.enddate,
        "maxbytes": 0,
        "showreports": 0,
        "visible": int(course.visible),
        "groupmode": course.groupmode,
        "groupmodeforce": course.groupmodeforce,
        "defaultgroupingid": 0,
        "enablecompletion": int(course.completion),
        "completionnotify": 0,
        "lang": "",
        "theme": "",
        "marker": 0,
        "legacyfiles": 0,
        "calendartype": "",
        "timecreated": course.timecreated,
        "timemodified": course.timemodified,
        "requested": 0,
        "cacherev": 1,
        "filters": [],
        "courseformatoptions": [{"name": "hiddensections", "value": 1}],
    }


@function(
    "core_course_get_courses_by_field",
    field=Value("alpha", required=False, default=""),
    value=Value("raw", required=False, default=""),
)
def get_courses_by_field(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Courses the caller may see. A hidden one without the capability looks as if it did not exist."""
    visit.check_user()
    field, value = arguments["field"], arguments["value"]
    courses = by_field(visit.site, field, value)
    seen = [course for course in courses if course.visible or visit.may("moodle/course:viewhiddencourses")]
    return {"courses": [course_details(visit, course) for course in seen], "warnings": []}


def by_field(site: Site, field: str, value: str) -> Iterable[Course]:
    courses = sorted(site.courses.values(), key=lambda course: course.id)
    if not field:
        return courses
    if field in {"id", "ids"}:
        wanted = {int(clean_int(part)) for part in value.split(",")}
        return [course for course in courses if course.id in wanted]
    if field in {"shortname", "idnumber"}:
        return [course for course in courses if value and getattr(course, field) == value]
    if field == "category":
        return [course for course in courses if str(course.category_id) == value]
    raise invalid_parameter(f"Invalid field name: {field}")


@function(
    "core_course_get_courses",
    options=Fields({"ids": Many(need("int"), required=False)}, required=False, default={}),
)
def get_courses(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All courses, the site's own included, or those of the ids; ids of no course are left out."""
    ids = arguments["options"].get("ids")
    site = visit.site
    courses = [
        course for course in sorted(site.courses.values(), key=lambda course: course.id)
        if ids is None or course.id in ids
    ]  # fmt: skip
    answer = []
    for course in courses:
        visit.check_course_wrapped(course.id)
        if course.id != SITE_COURSE:
            visit.require("moodle/course:view")
        row = course_details(visit, course)
        # The list tells less than the search by field, and names the category otherwise.
        for name in ("enrollmentmethods", "categoryname", "sortorder", "contacts", "courseimage", "filters", "overviewfiles",
                     "summaryfiles"):  # fmt: skip
            row.pop(name, None)
        answer.append(row | {"categorysortorder": 10000 + course.id, "numsections": 4})
    return answer


CRITERIA = Many(Fields({"key": need("alpha"), "value": need("raw")}), required=False, default=[])


@function(
    "core_course_get_categories",
    criteria=CRITERIA,
    addsubcategories=Value("bool", required=False, default=True),
)
def get_categories(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Categories that meet all criteria: id, ids, name, parent or idnumber; those below them too unless refused."""
    visit.check_user()
    found = list(visit.site.categories.values())
    for criterion in arguments["criteria"]:
        found = [category for category in found if meets(category, criterion["key"], criterion["value"])]
    if arguments["criteria"] and arguments["addsubcategories"]:
        ids = {category.id for category in found}
        for category in sorted(visit.site.categories.values(), key=lambda row: row.id):
            if category.parent in ids and category.id not in ids:
                found.append(category)
                ids.add(category.id)
    return [
        {
            "id": category.id,
            "name": category.name,
            "idnumber": category.idnumber,
            "description": "",
            "descriptionformat": 1,
            "parent": category.parent,
            "sortorder": 10000 * category.id,
            "coursecount": sum(row.category_id == category.id for row in visit.site.courses.values()),
            "visible": int(category.visible),
            "visibleold": int(category.visible),
            "timemodified": 0,
            "depth": 1,
            "path": f"/{category.id}",
            "theme": "",
        }
        for category in found
        if category.visible or visit.may("moodle/category:viewhiddencategories")
    ]


def meets(category: Category, key: str, value: str) -> bool:
    if key == "ids":
        return category.id in {int(clean_int(part)) for part in value.split(",")}
    if key in {"id", "name", "parent", "idnumber"}:
        return str(getattr(category, key)) == value
    raise moodle_exception("criteriaerror", "Missing permissions to search on a criterion.")


# --- writing -----------------------------------------------------------------------------------------


def check_names(site: Site, item: dict[str, Any], *, except_id: int = 0) -> None:
    """What Moodle asks before it inserts or updates: no index of the database backs it."""
    holder = site.course_named(item["shortname"]) if "shortname" in item else None
    if holder is not None and holder.id != except_id:
        raise moodle_exception(
            "shortnametaken", f"Short name is already used for another course ({holder.fullname})"
        )
    holder = site.course_with_idnumber(item.get("idnumber", ""), except_id=except_id)
    if holder is not None:
        raise moodle_exception(
            "courseidnumbertaken", f"ID number is already used for another course ({holder.fullname})"
        )


def check_category(visit: Visit, category_id: int) -> None:
    if category_id not in visit.site.categories:
        raise moodle_exception(
            "errorcatcontextnotvalid",
            f"You cannot execute functions in the category context (category id:{category_id}).",
        )
    visit.check_user()


@function(
    "core_course_create_courses",
    items="courses",
    transactional=True,
    courses=Many(
        Fields({"fullname": need("text"), "shortname": need("text"), "categoryid": need("int"), **SETTABLE})
    ),
)
def create_courses(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All or nothing; each with an enabled instance of manual enrolment, as the site sets up by default."""
    site = visit.site
    made: list[Course] = []
    for item in arguments["courses"]:
        check_category(visit, item["categoryid"])
        visit.require("moodle/course:create")
        if item.get("enddate") and item["enddate"] < item.get("startdate", 0):
            raise moodle_exception(
                "enddatebeforestartdate", "The course end date must be after the start date."
            )
        check_names(site, item)
        for course in made:
            if course.shortname == item["shortname"]:
                raise moodle_exception("shortnametaken", f"Short name is already used ({course.fullname})")
        course = Course(0, item["shortname"], item["fullname"], item["categoryid"], timecreated=site.clock)
        apply(course, item)
        made.append(course)
    visit.all_or_nothing()
    for course in made:
        course.id = site.next_id("course")
        site.courses[course.id] = course
    return [{"id": course.id, "shortname": course.shortname} for course in made]


def apply(course: Course, item: dict[str, Any]) -> None:
    for name in COPIED_NAMES:
        if name in item:
            setattr(course, name, item[name])
    if "visible" in item:
        course.visible = bool(item["visible"])
    if "enablecompletion" in item:
        course.completion = bool(item["enablecompletion"])
    if "categoryid" in item:
        course.category_id = item["categoryid"]


@function(
    "core_course_update_courses",
    items="courses",
    courses=Many(
        Fields(
            {
                "id": need("int"),
                "fullname": may("text"),
                "shortname": may("text"),
                "categoryid": may("int"),
                **SETTABLE,
            }
        )
    ),
)
def update_courses(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Each course for itself; what fails becomes a warning."""
    visit.check_user()
    warnings = []
    for item in visit.one_by_one(arguments["courses"]):
        try:
            update_course(visit, item)
        except MoodleError as error:
            warnings.append(warning("course", item["id"], error.errorcode, error.message))
    return {"warnings": warnings}


CAPABILITY_OF = {
    "shortname": "moodle/course:changeshortname",
    "fullname": "moodle/course:changefullname",
    "idnumber": "moodle/course:changeidnumber",
    "categoryid": "moodle/course:changecategory",
    "visible": "moodle/course:visibility",
}


def update_course(visit: Visit, item: dict[str, Any]) -> None:
    course = visit.site.courses.get(item["id"])
    if course is None:
        raise missing_record()
    visit.check_course(course.id)
    visit.require("moodle/course:update")
    for name, capability in CAPABILITY_OF.items():
        if name in item:
            visit.require(capability)
    if "categoryid" in item:
        check_category(visit, item["categoryid"])
    check_names(visit.site, item, except_id=course.id)
    starts, ends = item.get("startdate", course.startdate), item.get("enddate", course.enddate)
    if ends and not starts:
        raise moodle_exception("nostartdatenoenddate", "A course without start date can have no end date.")
    if ends and ends < starts:
        raise moodle_exception("enddatebeforestartdate", "The course end date must be after the start date.")
    apply(course, item)
    course.timemodified = visit.site.clock


@function("core_course_delete_courses", items="courseids", courseids=Many(need("int")))
def delete_courses(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Each course for itself; an unknown one becomes a warning."""
    visit.check_user()
    warnings = []
    for course_id in visit.one_by_one(arguments["courseids"]):
        if course_id not in visit.site.courses or course_id == SITE_COURSE:
            warnings.append(
                warning("course", course_id, "unknowncourseidnumber", f"Unknown course ID {course_id}")
            )
        elif not visit.may("moodle/course:delete"):
            warnings.append(warning("course", course_id, "cannotdeletecourse", "You do not have the permission to delete this course"))  # fmt: skip
        else:
            visit.site.remove_course(course_id)
    return {"warnings": warnings}
