"""The peer's enrolments: an upsert that forgets, and what its readers tell."""

from __future__ import annotations

import pytest

ENROL, UNENROL = "enrol_manual_enrol_users", "enrol_manual_unenrol_users"
ENROLLED, COURSES_OF = "core_enrol_get_enrolled_users", "core_enrol_get_users_courses"
NOW = 1_000_000
STUDENT, TEACHER = 5, 4


@pytest.fixture
def course(site):
    site.now = lambda: float(NOW)
    return site.add_course("C1", pages=["Page"])


@pytest.fixture
def user(site):
    return site.add_user("one")


def row(user, course, role=STUDENT, **dates):
    return {"roleid": role, "userid": user.id, "courseid": course.id} | dates


def options(**wanted):
    return [{"name": name, "value": value} for name, value in wanted.items()]


def ids(rows):
    return [found["id"] for found in rows]


# --- writing -----------------------------------------------------------------------------------------


def test_enrolling_again_without_dates_forgets_them_and_the_suspension(raw, site, course, user):
    dates = {"timestart": NOW - 10, "timeend": NOW + 10}
    assert raw.send(ENROL, {"enrolments": [row(user, course, **dates, suspend=1)]}).body == b"null"
    kept = site.enrolment(user.id, course.id)
    assert (kept.timestart, kept.timeend, kept.suspended) == (NOW - 10, NOW + 10, True)
    assert raw.call(ENROL, enrolments=[row(user, course, **dates, suspend=0)]) is None
    assert (kept.timeend, kept.suspended) == (NOW + 10, False)
    raw.call(ENROL, enrolments=[row(user, course, suspend=1)])
    raw.call(ENROL, enrolments=[row(user, course)])
    assert (kept.timestart, kept.timeend, kept.suspended) == (0, 0, False)
    assert len(site.enrolments) == 1


def test_a_second_role_is_added_and_overwrites_the_dates(raw, site, course, user):
    raw.call(ENROL, enrolments=[row(user, course, timestart=1, timeend=NOW + 99)])
    raw.call(ENROL, enrolments=[row(user, course, TEACHER)])
    assert site.roles_of(user, course) == {"student", "teacher"}
    assert site.enrolment(user.id, course.id).timeend == 0


@pytest.mark.parametrize(
    ("change", "exception", "code"),
    [
        ({"roleid": 999}, "moodle_exception", "wsusercannotassign"),
        ({"roleid": 1}, "moodle_exception", "wsusercannotassign"),
        ({"userid": 999}, "coding_exception", "codingerror"),
        ({"courseid": 999}, "invalid_parameter_exception", "invalidparameter"),
    ],
)
def test_one_bad_item_and_nobody_is_enrolled(raw, site, course, user, change, exception, code):
    answer = raw.call(ENROL, enrolments=[row(user, course), row(user, course) | change])
    assert (answer["exception"], answer["errorcode"]) == (exception, code)
    assert site.enrolments == {}
    assert site.role_assignments == set()


def test_without_an_enabled_instance_nobody_is_enrolled_but_everybody_can_be_unenrolled(
    raw, site, course, user
):
    site.enrol(user, course)
    other = site.add_user("two")
    site.set_manual(course, False)
    answer = raw.call(ENROL, enrolments=[row(other, course)])
    assert answer["errorcode"] == "wsnoinstance"
    assert "{$a->courseid}" in answer["message"]
    assert raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=1)) == []
    assert raw.call(UNENROL, enrolments=[{"userid": user.id, "courseid": course.id}]) is None
    assert site.enrolments == {}


def test_ended_and_hidden_courses_take_people_in(raw, site, user):
    hidden = site.add_course("C2", visible=False, startdate=1, enddate=2)
    assert raw.call(ENROL, enrolments=[row(user, hidden)]) is None
    site.remove_capability("moodle/course:viewhiddencourses")
    assert raw.code(ENROL, enrolments=[row(user, hidden)]) == "requireloginerror"
    assert raw.code(ENROLLED, courseid=hidden.id) == "errorcoursecontextnotvalid"
    assert raw.code("core_course_get_courses", options={"ids": [hidden.id]}) == "errorcoursecontextnotvalid"


def test_unenrolling_loses_group_role_last_access_and_grade_but_not_completion(raw, site, course, user):
    group = site.add_group(course, "G")
    site.enrol(user, course, TEACHER)
    site.enrol(user, course, groups=[group])
    site.visit(user, course)
    site.complete(user, course)
    site.grade(user, course, 55)
    item = {"userid": user.id, "courseid": course.id, "roleid": STUDENT}
    assert raw.call(UNENROL, enrolments=[item]) is None
    assert (site.enrolments, group.members, site.roles_of(user, course)) == ({}, set(), set())
    assert (site.last_access, site.grades) == ({}, {})
    raw.call(ENROL, enrolments=[row(user, course)])
    (told,) = raw.call(COURSES_OF, userid=user.id, returnusercount=0)
    assert (told["progress"], told["completed"], told["lastaccess"]) == (100, True, None)
    assert raw.call(UNENROL, enrolments=[item]) is None
    assert raw.call(UNENROL, enrolments=[item]) is None
    assert raw.code(UNENROL, enrolments=[item | {"userid": 999}]) == "invalidparameter"


def test_suspending_keeps_everything(raw, site, course, user):
    group = site.add_group(course, "G")
    site.enrol(user, course, groups=[group])
    site.visit(user, course)
    site.grade(user, course, 55)
    raw.call(ENROL, enrolments=[row(user, course, suspend=1)])
    assert site.group_names_of(user, course) == {"G"}
    assert raw.call("core_group_get_group_members", groupids=[group.id]) == [
        {"groupid": group.id, "userids": [user.id]}
    ]
    assert site.grades == {(user.id, course.id): 55}
    assert raw.call(COURSES_OF, userid=user.id) == []


# --- reading -----------------------------------------------------------------------------------------


@pytest.fixture
def crowd(site, course):
    """Active, suspended, not started, ended, active with a suspended account."""
    users = [site.add_user(f"r{number}") for number in range(1, 6)]
    site.enrol(users[0], course, timestart=NOW - 10, timeend=NOW + 10)
    site.enrol(users[1], course, suspended=True)
    site.enrol(users[2], course, timestart=NOW + 10)
    site.enrol(users[3], course, timestart=NOW - 20, timeend=NOW - 10)
    site.enrol(users[4], course)
    users[4].suspended = True
    return users


def test_without_options_everybody_is_listed_whatever_the_status_and_no_dates(raw, site, course, crowd):
    site.visit(crowd[0], course, NOW - 5)
    rows = raw.call(ENROLLED, courseid=course.id)
    assert ids(rows) == ids([{"id": user.id} for user in crowd])
    assert [found["lastcourseaccess"] for found in rows] == [NOW - 5, 0, 0, 0, 0]
    assert rows[0]["roles"] == [{"roleid": 5, "name": "", "shortname": "student", "sortorder": 0}]
    assert not {"timestart", "timeend", "status", "suspended", "auth", "confirmed"} & set(rows[0])


def test_onlyactive_and_onlysuspended_are_two_heaps(raw, site, course, crowd):
    r1, r2, r3, r4, r5 = (user.id for user in crowd)
    assert ids(raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=1))) == [r1, r5]
    assert ids(raw.call(ENROLLED, courseid=course.id, options=options(onlysuspended=1))) == [r2, r3, r4]
    both = options(onlyactive=1, onlysuspended=1)
    assert raw.code(ENROLLED, courseid=course.id, options=both) == "codingerror"
    assert len(raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=0, nonsense=1))) == 5
    site.remove_capability("moodle/course:enrolreview")
    assert raw.code(ENROLLED, courseid=course.id, options=options(onlyactive=1)) == "nopermissions"
    assert len(raw.call(ENROLLED, courseid=course.id)) == 5


def test_the_status_by_enrolledcourses_in_one_call_fails_in_a_hidden_course(raw, site, course, crowd):
    wanted = options(userfields="id,username,enrolledcourses,lastcourseaccess")

    def active():
        rows = raw.call(ENROLLED, courseid=course.id, options=wanted)
        return [row["username"] for row in rows if course.id in ids(row["enrolledcourses"])]

    assert active() == ["r1", "r5"]
    site.hide(course)
    assert active() == []
    assert len(raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=1))) == 2


def test_userfields_and_limits(raw, site, course, crowd):
    wanted = options(userfields="id,suspended,lastcourseaccess", limitfrom=1, limitnumber=2)
    rows = raw.call(ENROLLED, courseid=course.id, options=wanted)
    assert rows == [
        {"id": crowd[1].id, "fullname": "Ana Example", "lastcourseaccess": 0},
        {"id": crowd[2].id, "fullname": "Ana Example", "lastcourseaccess": 0},
    ]
    unknown = options(userfields="nonsense")
    assert raw.code(ENROLLED, courseid=course.id, options=unknown) == "invaliduserfield"


def test_the_groups_key_is_absent_without_a_group(raw, site, course, crowd):
    group = site.add_group(course, "G")
    group.members.add(crowd[0].id)
    rows = raw.call(ENROLLED, courseid=course.id)
    assert [found["name"] for found in rows[0]["groups"]] == ["G"]
    assert "groups" not in rows[1]


def test_separate_groups_without_accessallgroups_list_nobody(raw, site, course, crowd):
    course.groupmode = 1
    assert len(raw.call(ENROLLED, courseid=course.id)) == 5
    site.remove_capability("moodle/site:accessallgroups")
    assert raw.call(ENROLLED, courseid=course.id) == []
    course.groupmode = 2
    assert len(raw.call(ENROLLED, courseid=course.id)) == 5


def test_a_role_without_enrolment_is_not_listed_and_the_last_role_leaves_the_enrolment(
    raw, site, course, user
):
    place = {"roleid": STUDENT, "userid": user.id, "contextlevel": "course", "instanceid": course.id}
    assert raw.call("core_role_assign_roles", assignments=[place]) is None
    assert raw.call(ENROLLED, courseid=course.id) == []
    site.enrol(user, course)
    assert raw.call("core_role_unassign_roles", unassignments=[place]) is None
    (found,) = raw.call(ENROLLED, courseid=course.id)
    assert found["roles"] == []


def test_the_courses_of_a_user_are_those_where_he_is_active_and_that_are_visible(raw, site, course, user):
    hidden, plain = site.add_course("C2", visible=False), site.add_course("C3", completion=False)
    for other in (course, hidden, plain):
        site.enrol(user, other)
    site.complete(user, course, 40)
    site.visit(user, course, NOW)
    told = raw.call(COURSES_OF, userid=user.id, returnusercount=0)
    assert [
        (found["shortname"], found["progress"], found["completed"], found["lastaccess"]) for found in told
    ] == [
        ("C1", 40, False, NOW),
        ("C3", None, None, None),
    ]
    assert "enrolledusercount" not in told[0]
    site.suspend_enrolment(user, course)
    assert [found["shortname"] for found in raw.call(COURSES_OF, userid=user.id)] == ["C3"]
    assert raw.call(COURSES_OF, userid=9999) == []


def test_a_rounded_clock_does_not_show_who_has_just_started(raw, site, course, user):
    """By the source of Moodle, not measured: its clock is rounded to 100 seconds for the sake of caches."""
    site.clock_rounding = 100
    site.enrol(user, course, timestart=NOW)
    assert raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=1)) == []
    site.now = lambda: NOW + 50.0
    assert ids(raw.call(ENROLLED, courseid=course.id, options=options(onlyactive=1))) == [user.id]


# --- roles in a user's context -----------------------------------------------------------------------


def test_oversight_is_a_role_in_the_context_of_a_user(raw, site, user):
    boss = site.add_user("boss")
    item = {"roleid": 9, "userid": boss.id, "contextlevel": "user", "instanceid": user.id}
    assert raw.call("core_role_assign_roles", assignments=[item]) is None
    assert raw.call("core_role_assign_roles", assignments=[item]) is None
    assert [(row.user_id, row.level, row.instance_id) for row in site.role_assignments] == [
        (boss.id, "user", user.id)
    ]
    for wrong in (
        {"roleid": STUDENT},
        {"roleid": 1},
        {"instanceid": 999},
        {"contextlevel": "nonsense"},
        {"userid": 999},
    ):
        assert raw.code("core_role_assign_roles", assignments=[item | wrong]) == "invalidparameter"
    for _ in range(2):
        assert raw.call("core_role_unassign_roles", unassignments=[item]) is None
    assert site.role_assignments == set()
