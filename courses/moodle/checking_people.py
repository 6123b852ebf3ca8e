"""The part of looking a Moodle site over that is about people: who is told of, in which roles and groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from courses.models import Course, Enrolment, PlatformLogin
from courses.moodle.findings import DEFINE, NO_ANSWER, CheckFinding, Level, Look
from courses.moodle.mirror import Told
from courses.moodle.roles import role_ids

LOOKED_INTO = 25  # courses whose people are listed
PEOPLE = 200  # of each of them
SEPARATE_GROUPS = 1
NOT_FOUND = "Participants are not found when they are looked up: each would get a second login."
SEE_PEOPLE = (
    f"{DEFINE}: allow moodle/user:viewdetails, moodle/user:viewalldetails, moodle/site:viewuseridentity, "
    "moodle/user:viewhiddendetails and moodle/course:useremail; User policies > Show user identity: “Email address”."
)


def participants(look: Look) -> Iterator[CheckFinding]:
    for course in _worth_a_look(look.courses):
        try:
            look.people[int(course["id"])] = _people(
                look, course, userfields="id,roles", limitnumber=str(PEOPLE)
            )
        except NO_ANSWER as error:
            message = f"The people of {course['shortname']} are not told: {error}"
            remedy = f"{DEFINE}: allow moodle/course:view, moodle/course:viewhiddencourses and moodle/course:viewparticipants."
            yield CheckFinding("participants", Level.ERROR, message, remedy)
            return
    if not look.people:
        return
    some = next(iter(look.people))
    try:
        _people(look, {"id": some}, userfields="id", onlyactive="1")
    except NO_ANSWER as error:
        message = f"Who is active in a course is not told: {error}"
        yield CheckFinding(
            "participants", Level.ERROR, message, f"{DEFINE}: allow moodle/course:enrolreview."
        )
        return
    yield CheckFinding("participants", Level.OK, "Who is in a course, and whether he is active, is told.")
    yield from _others(look)


def _others(look: Look) -> Iterator[CheckFinding]:
    """Whoever may not look somebody up is told that there is nobody."""
    people = sorted({int(one["id"]) for found in look.people.values() for one in found})[:PEOPLE]
    if not people:
        return
    try:
        found = look.ask("core_user_get_users_by_field", field="id", values=people)
    except NO_ANSWER:
        found = []
    if len(found) < len(people):
        yield CheckFinding("participants", Level.ERROR, NOT_FOUND, SEE_PEOPLE)
    elif not all(one.get("email") for one in found):
        message = "The e-mail addresses of participants are not told: known people would not be recognised."
        yield CheckFinding("participants", Level.ERROR, message, SEE_PEOPLE)
    elif not all(one.get("username") for one in found):
        message = (
            "The user names of participants are not told: nobody who has a login could be put into a course."
        )
        yield CheckFinding("participants", Level.ERROR, message, SEE_PEOPLE)


def _worth_a_look(courses: Sequence[Told]) -> list[Told]:
    """Courses with people of ours first, then those with separate groups."""
    ours = set(Enrolment.objects.filter(waits=False).values_list("course__remote_id", flat=True).distinct())
    ranked = sorted(
        courses,
        key=lambda course: (
            int(course["id"]) not in ours,
            int(course.get("groupmode", 0)) != SEPARATE_GROUPS,
        ),
    )
    return ranked[:LOOKED_INTO]


def _people(look: Look, course: Told, **options: str) -> list[dict[str, Any]]:
    pairs = [{"name": name, "value": value} for name, value in options.items()]
    found: list[dict[str, Any]] = look.ask(
        "core_enrol_get_enrolled_users", options=pairs, courseid=int(course["id"])
    )
    return found


def roles(look: Look) -> Iterator[CheckFinding]:
    """No web service lists roles: a role is known by somebody who has it."""
    seen: dict[int, str] = {}
    for people in look.people.values():
        for one in people:
            seen |= {int(role["roleid"]): str(role["shortname"]) for role in one.get("roles", ())}
    ids = role_ids()
    for name, number in ids.items():
        if number not in seen:
            message = f"No participant has the role {number}: whether it is “{name}” cannot be told."
            remedy = f"{DEFINE}: the number is at the end of the address of the role's page (roleid=)."
            yield CheckFinding("roles", Level.INFO, message, remedy)
        elif seen[number] == name:
            yield CheckFinding("roles", Level.OK, f"The role {number} is “{name}”.")
        else:
            right = next((other for other, shortname in seen.items() if shortname == name), None)
            hint = f" “{name}” is {right}." if right else ""
            # A role of another name may be meant; one that is another of ours never is.
            level = Level.ERROR if right or seen[number] in ids else Level.WARNING
            message = f"The role {number} is called “{seen[number]}” in Moodle, not “{name}”.{hint}"
            yield CheckFinding("roles", level, message, "Correct MOODLE_ROLES.")
    if not ids:
        yield CheckFinding(
            "roles", Level.ERROR, "MOODLE_ROLES maps no role.", "Write student:5,teacher:4 to it."
        )


def groups(look: Look) -> Iterator[CheckFinding]:
    templates = dict(
        Course.objects.filter(is_template=True, remote_id__isnull=False).values_list("remote_id", "shortname")
    )
    asked = 0
    for course in look.courses:
        number = int(course["id"])
        unseen = int(course.get("groupmode", 0)) == SEPARATE_GROUPS and look.people.get(number) == []
        if not (number in templates or asked == 0 or unseen):
            continue
        asked += 1
        try:
            found = look.ask("core_group_get_course_groups", courseid=number)
            members = _members(look, found, number) if unseen else []
            known = look.ask("core_user_get_users_by_field", field="id", values=members) if members else []
        except NO_ANSWER as error:
            message = f"The groups of {course['shortname']} are not told: {error}"
            yield CheckFinding("groups", Level.ERROR, message, f"{DEFINE}: allow moodle/course:managegroups.")
            return
        if found and number in templates:
            message = (
                f"The template {course['shortname']} has groups, which would come along into every copy."
            )
            yield CheckFinding(
                "groups", Level.WARNING, message, "In the course: Participants > Groups, delete them."
            )
        if members and not known:
            yield CheckFinding("participants", Level.ERROR, NOT_FOUND, SEE_PEOPLE)
            return
        if members:
            message = (
                f"{course['shortname']} has separate groups, and its people are hidden from the service user."
            )
            yield CheckFinding(
                "groups", Level.ERROR, message, f"{DEFINE}: allow moodle/site:accessallgroups."
            )
            return
    if asked:
        yield CheckFinding("groups", Level.OK, "Groups and their people are told.")


def _members(look: Look, groups: Iterable[dict[str, Any]], course: int) -> list[int]:
    """Moodle's numbers of people who are in the course without being listed: in a group, or put there by us."""
    numbers = [int(group["id"]) for group in groups]
    told = look.ask("core_group_get_group_members", groupids=numbers) if numbers else []
    in_groups = {int(number) for group in told for number in group["userids"]}
    ours = PlatformLogin.objects.filter(
        remote_id__isnull=False,
        person__enrolments__course__remote_id=course,
        person__enrolments__waits=False,
    )
    return sorted(in_groups | {number for number in ours.values_list("remote_id", flat=True) if number})[
        :PEOPLE
    ]
