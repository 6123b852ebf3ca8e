"""Looks a Moodle site over, for who sets it up: what is right, what is not, and what to change there.

Only reads, with calls that change nothing wherever they end, so that it is safe on a live site. It asks the site itself,
whatever is known of it, and tells nobody what came of it: no circuit opens or closes.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from common.http import outbound
from courses.models import Course, CourseMaking
from courses.moodle.checking_people import groups, participants, roles
from courses.moodle.client import MoodleClient
from courses.moodle.copying import temporary_name
from courses.moodle.errors import MoodleMisconfigured
from courses.moodle.findings import (
    DEFINE,
    NAMED,
    NO_ANSWER,
    SERVICE,
    CheckFinding,
    Level,
    Look,
    is_temporary,
    named,
)
from courses.moodle.mirror import MANUAL, SITE_COURSE
from courses.moodle.needs import FUNCTIONS, OLDEST, UNTRIED


def check_site() -> list[CheckFinding]:
    """Everything there is to say of the site that the settings name."""
    client = MoodleClient(settings.MOODLE_URL, settings.MOODLE_TOKEN, settings.MOODLE_TIMEOUT, outbound())
    return list(_findings(Look(client)))


def _findings(look: Look) -> Iterator[CheckFinding]:
    yield from _answer(look)
    if not look.info:
        return
    yield from _functions(look)
    user = list(_service_user(look))
    yield from user
    if any(finding.level is Level.ERROR for finding in user):
        return  # every further call would say the same
    yield from _courses(look)
    yield from _methods(look)
    yield from participants(look)
    yield from roles(look)
    yield from groups(look)
    yield from _leftovers(look)
    yield from _untried()


# --- the site and its service user ------------------------------------------------------------------


def _answer(look: Look) -> Iterator[CheckFinding]:
    try:
        look.info = look.ask("core_webservice_get_site_info")
    except MoodleMisconfigured as error:
        remedy = (
            "Site administration > Server > Web services > Manage tokens, and the overview page above it."
        )
        yield CheckFinding("token", Level.ERROR, str(error), remedy)
        return
    except NO_ANSWER as error:
        remedy = (
            "Compare MOODLE_URL with the site's own address. In Moodle: Site administration > General > Advanced features, "
            "“Enable web services”; Site administration > Server > Web services > Manage protocols, REST."
        )
        yield CheckFinding("answer", Level.ERROR, str(error), remedy)
        return
    release, url = look.info.get("release", "?"), str(look.info.get("siteurl", ""))
    yield CheckFinding(
        "answer", Level.OK, f"Moodle {release} answers the service user “{look.info.get('username')}”."
    )
    if url.rstrip("/") != settings.MOODLE_URL:
        yield CheckFinding(
            "answer", Level.WARNING, f"The site calls itself {url}.", "Write this address to MOODLE_URL."
        )
    if int(float(look.info.get("version", 0))) < OLDEST:
        message = "This Moodle is older than 4.2, the oldest one that was tried."
        yield CheckFinding("version", Level.WARNING, message, "Update Moodle.")
    if look.info.get("userissiteadmin"):
        message = "The service user is a site administrator: the token opens everything."
        remedy = f"Give it a user of its own with a role of its own ({DEFINE})."
        yield CheckFinding("token", Level.WARNING, message, remedy)


def _functions(look: Look) -> Iterator[CheckFinding]:
    offered = {str(one["name"]) for one in look.info.get("functions", ())}
    missing = [name for name in FUNCTIONS if name not in offered]
    wanted = [name for name in missing if not FUNCTIONS[name].is_optional or _is_wanted(name)]
    for name in missing:
        level = Level.ERROR if name in wanted else Level.INFO
        message = f"The external service lacks {name} ({FUNCTIONS[name].why})."
        yield CheckFinding("functions", level, message, f"{SERVICE} > Functions > Add functions.")
    if not wanted:
        yield CheckFinding("functions", Level.OK, "The external service has every function that is needed.")


def _is_wanted(name: str) -> bool:
    return name == "core_role_assign_roles" and bool(settings.MOODLE_OVERSIGHT_ROLE)


def _service_user(look: Look) -> Iterator[CheckFinding]:
    """A policy, a required profile field or a forced password stop every call but the site info."""
    number = int(look.info["userid"])
    try:
        found = look.ask("core_user_get_users_by_field", field="id", values=[number])
    except NO_ANSWER as error:
        remedy = (
            "Sign in as the service user once and do what Moodle asks. Policy: Site administration > Users > Privacy and "
            "policies; required fields: Site administration > Users > Accounts > User profile fields."
        )
        yield CheckFinding("service user", Level.ERROR, str(error), remedy)
        return
    if not found:
        message = "The service user may not look people up: nobody would be found."
        yield CheckFinding("service user", Level.ERROR, message, f"{DEFINE}: allow moodle/user:viewdetails.")
        return
    message = "The service user can act: no site policy, profile field or forced password stands in the way."
    yield CheckFinding("service user", Level.OK, message)


# --- courses ----------------------------------------------------------------------------------------


def _courses(look: Look) -> Iterator[CheckFinding]:
    try:
        told = look.ask("core_course_get_courses_by_field")["courses"]
        categories = look.ask("core_course_get_categories")
    except NO_ANSWER as error:
        yield CheckFinding("courses", Level.ERROR, str(error), f"{DEFINE}: allow moodle/course:view.")
        return
    look.courses = [course for course in told if int(course["id"]) != SITE_COURSE]
    if not look.courses:
        message = "No course is told of: there is none, or the service user may see none."
        remedy = f"{DEFINE}: allow moodle/course:view and moodle/course:viewhiddencourses, in the context “System”."
        yield CheckFinding("courses", Level.ERROR, message, remedy)
        return
    yield CheckFinding(
        "courses", Level.OK, f"{len(look.courses)} courses in {len(categories)} categories are told of."
    )
    yield from _hidden_courses(look)
    short = [course for course in look.courses if "groupmode" not in course]
    if short:
        message = f"Of {named(short)} neither dates nor group mode nor visibility are told."
        yield CheckFinding("courses", Level.ERROR, message, f"{DEFINE}: allow moodle/course:update.")


def _hidden_courses(look: Look) -> Iterator[CheckFinding]:
    seen = {int(course["id"]) for course in look.courses}
    rows = Course.objects.filter(remote_id__isnull=False, visible=False, missing_since=None)
    lost = [row.shortname for row in rows if row.remote_id not in seen]
    remedy = f"{DEFINE}: allow moodle/course:viewhiddencourses, in the context “System”."
    if lost:
        message = f"Hidden courses are no longer seen: {', '.join(lost[:NAMED])}."
        yield CheckFinding("courses", Level.ERROR, message, remedy)
    elif all(int(course.get("visible", 1)) for course in look.courses):
        message = "No hidden course is seen: whether the service user would see one cannot be told."
        yield CheckFinding("courses", Level.INFO, message, remedy)


def _methods(look: Look) -> Iterator[CheckFinding]:
    """Courses that can be sold need manual enrolment."""
    kept_out = set(
        Course.objects.filter(remote_id__isnull=False, is_template=True).values_list("remote_id", flat=True)
    )
    sellable = [
        course for course in look.courses if int(course["id"]) not in kept_out and not is_temporary(course)
    ]
    without = [course for course in sellable if MANUAL not in course.get("enrollmentmethods", ())]
    if without:
        message = (
            f"Nobody can be put into {named(without)}: manual enrolment is missing or switched off there."
        )
        remedy = (
            "In the course: Participants > Enrolment methods, add “Manual enrolments”. For all: Site administration > "
            "Plugins > Enrolments > Manage enrol plugins."
        )
        level = Level.ERROR if len(without) == len(sellable) else Level.WARNING
        yield CheckFinding("manual enrolment", level, message, remedy)
    elif sellable:
        yield CheckFinding("manual enrolment", Level.OK, "Every course has manual enrolment.")


# --- what we left behind, and what cannot be known ------------------------------------------------------


def _leftovers(look: Look) -> Iterator[CheckFinding]:
    expected = {
        temporary_name(making) for making in CourseMaking.objects.exclude(state=CourseMaking.State.DONE)
    }
    for course in look.courses:
        if is_temporary(course) and course["shortname"] not in expected:
            message = f"Course {course['id']} ({course['shortname']}) is a copy that was cut off half way."
            yield CheckFinding(
                "leftovers", Level.WARNING, message, "Delete the course in Moodle: nothing is in it."
            )


def _untried() -> Iterator[CheckFinding]:
    message = (
        "Cannot be tried without changing something: whether the role has "
        + ", ".join(UNTRIED)
        + ", and may assign the "
        "roles of MOODLE_ROLES."
    )
    remedy = f"{DEFINE}; “Allow role assignments” is a tab of the same page. Then give one seat to yourself and take it back."
    yield CheckFinding("rights", Level.INFO, message, remedy)
