"""The peer's courses, groups and copies."""

from __future__ import annotations

import threading

import pytest

BY_FIELD, ALL = "core_course_get_courses_by_field", "core_course_get_courses"
CREATE, UPDATE = "core_course_create_courses", "core_course_update_courses"
DELETE, COPY = "core_course_delete_courses", "core_course_duplicate_course"
NEW_GROUPS, ADD, GROUPS = (
    "core_group_create_groups",
    "core_group_add_group_members",
    "core_group_get_course_groups",
)


def course_row(shortname, **changes):
    return {"fullname": f"Course {shortname}", "shortname": shortname, "categoryid": 1} | changes


def found(raw, **field):
    ((name, value),) = field.items()
    return raw.call(BY_FIELD, field=name, value=value)["courses"]


def group_row(course, name, **changes):
    return {"courseid": course.id, "name": name, "description": ""} | changes


def both_at_once(raw, site, function, **params):
    """The answers to two identical calls that have both passed their checks."""
    both_checked = threading.Barrier(2, timeout=20)
    site.between_check_and_insert = lambda name: both_checked.wait()
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(raw.call(function, **params))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site.between_check_and_insert = None
    return answers


# --- reading -----------------------------------------------------------------------------------------


def test_enrollmentmethods_tells_manual_and_the_list_of_methods_never_does(raw, site):
    enabled, disabled = site.add_course("C1"), site.add_course("C2", manual=False)
    assert found(raw, shortname="C1")[0]["enrollmentmethods"] == ["manual"]
    assert found(raw, shortname="C2")[0]["enrollmentmethods"] == []
    for course in (enabled, disabled):
        assert raw.call("core_enrol_get_course_enrolment_methods", courseid=course.id) == []


def test_courses_by_field(raw, site):
    one, two = site.add_course("C1", idnumber="ID1", groupmode=1, enddate=99), site.add_course("C2")
    assert [row["id"] for row in found(raw, ids=f"{one.id},{two.id}")] == [one.id, two.id]
    (row,) = found(raw, idnumber="ID1")
    assert (row["shortname"], row["groupmode"], row["enddate"], row["visible"]) == ("C1", 1, 99, 1)
    assert found(raw, shortname="c1") == []
    assert [row["id"] for row in raw.call(BY_FIELD)["courses"]] == [1, one.id, two.id]
    assert [row["id"] for row in raw.call(ALL)] == [1, one.id, two.id]
    assert [row["id"] for row in raw.call(ALL, options={"ids": [two.id, 999]})] == [two.id]


def test_a_hidden_course_looks_absent_without_the_capability(raw, site):
    course = site.add_course("C1", visible=False)
    assert found(raw, id=course.id)[0]["visible"] == 0
    site.remove_capability("moodle/course:viewhiddencourses")
    assert found(raw, id=course.id) == []
    assert raw.code(ALL, options={"ids": [course.id]}) == "errorcoursecontextnotvalid"


def test_who_may_not_update_gets_the_public_part(raw, site):
    site.add_course("C1", groupmode=1)
    site.remove_capability("moodle/course:update")
    (row,) = found(raw, shortname="C1")
    assert not {"groupmode", "groupmodeforce", "visible", "startdate", "idnumber"} & set(row)
    assert row["enrollmentmethods"] == ["manual"]


def test_categories(raw, site):
    above = site.add_category("Above")
    below = site.add_category("Below", parent=above.id, visible=False)
    get = "core_course_get_categories"
    assert [row["name"] for row in raw.call(get)] == ["Category 1", "Above", "Below"]
    by_id = [{"key": "id", "value": above.id}]
    assert [row["id"] for row in raw.call(get, criteria=by_id)] == [above.id, below.id]
    assert [row["id"] for row in raw.call(get, criteria=by_id, addsubcategories=0)] == [above.id]
    site.remove_capability("moodle/category:viewhiddencategories")
    assert [row["name"] for row in raw.call(get)] == ["Category 1", "Above"]


# --- making and changing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"shortname": "C1"}, "shortnametaken"),
        ({"idnumber": "ID1"}, "courseidnumbertaken"),
        ({"categoryid": 99}, "errorcatcontextnotvalid"),
        ({"startdate": 10, "enddate": 5}, "enddatebeforestartdate"),
        ({"nonsense": 1}, "invalidparameter"),
    ],
)
def test_courses_are_made_all_or_none(raw, site, wrong, code):
    site.add_course("C1", idnumber="ID1")
    before = len(site.courses)
    assert raw.code(CREATE, courses=[course_row("C2"), course_row("C3") | wrong]) == code
    assert len(site.courses) == before
    made = raw.call(CREATE, courses=[course_row("C2", groupmode=9, visible=0), course_row("C3")])
    assert [row["shortname"] for row in made] == ["C2", "C3"]
    assert (site.course_named("C2").groupmode, site.course_named("C2").visible) == (9, False)
    assert site.course_named("C3").manual is True


def test_no_index_keeps_a_short_name_from_being_there_twice(raw, site):
    both_at_once(raw, site, CREATE, courses=[course_row("C1")])
    assert [course.shortname for course in site.courses.values()] == ["moodle", "C1", "C1"]


def test_courses_are_changed_one_by_one_with_warnings(raw, site):
    one, two = site.add_course("C1", idnumber="ID1"), site.add_course("C2", startdate=50, enddate=99)
    warnings = raw.call(
        UPDATE,
        courses=[
            {"id": 999, "visible": 0},
            {"id": two.id, "shortname": "C1"},
            {"id": two.id, "idnumber": "ID1"},
            {"id": two.id, "enddate": 20},
            {"id": one.id, "enddate": 1},
            {"id": two.id, "visible": 0, "enddate": 0, "shortname": "C9"},
        ],
    )["warnings"]
    assert [(row["itemid"], row["warningcode"]) for row in warnings] == [
        (999, "invalidrecord"),
        (two.id, "shortnametaken"),
        (two.id, "courseidnumbertaken"),
        (two.id, "enddatebeforestartdate"),
        (one.id, "nostartdatenoenddate"),
    ]
    assert (two.visible, two.enddate, two.shortname, one.enddate) == (False, 0, "C9", 0)


def test_deleting_warns_of_what_is_not_there(raw, site):
    course = site.add_course("C1")
    site.enrol(site.add_user("one"), course)
    warnings = raw.call(DELETE, courseids=[999, course.id])["warnings"]
    assert [(row["itemid"], row["warningcode"]) for row in warnings] == [(999, "unknowncourseidnumber")]
    assert (list(site.courses), site.enrolments) == ([1], {})


# --- copies ------------------------------------------------------------------------------------------


@pytest.fixture
def template(site):
    course = site.add_course(
        "T1", "Template", pages=["a", "b", "c", "d"], idnumber="TID", startdate=5, enddate=9, groupmode=1, manual=False
    )  # fmt: skip
    group = site.add_group(course, "G", idnumber="GID")
    site.enrol(site.add_user("one"), course, groups=[group])
    return course


def copy(raw, template, shortname="X1", users=None, **changes):
    sent = {"courseid": template.id, "fullname": f"Full {shortname}", "shortname": shortname, "categoryid": 1}
    if users is not None:
        sent["options"] = [{"name": "users", "value": users}]
    return raw.call(COPY, **sent | changes)


def test_a_copy_without_users_has_the_groups_the_dates_and_manual_enrolment(raw, site, template):
    made = copy(raw, template, users=0, visible=0)
    course = site.courses[made["id"]]
    assert made == {"id": course.id, "shortname": "X1"}
    assert (course.idnumber, course.visible, course.manual, course.groupmode) == ("", False, True, 1)
    assert (course.startdate, course.enddate, course.pages) == (5, 9, ["a", "b", "c", "d"])
    assert [(group.name, group.idnumber, group.members) for group in site.groups_of(course.id)] == [
        ("G", "GID", set())
    ]
    assert [course_id for _, course_id in site.enrolments] == [template.id]


def test_without_the_option_people_are_copied(raw, site, template):
    made = copy(raw, template)
    assert [course_id for _, course_id in site.enrolments] == [template.id, made["id"]]
    assert site.courses[made["id"]].visible is True


def test_options_need_a_capability_and_are_few(raw, site, template):
    assert copy(raw, template, options=[{"name": "groups", "value": 0}])["errorcode"] == "invalidextparam"
    enrolments = [{"name": "enrolments", "value": 0}]
    assert copy(raw, template, options=enrolments)["errorcode"] == "setting_by_name_not_found"
    enrolments[0]["value"] = 2
    assert copy(raw, template, options=enrolments)["errorcode"] == "invalidextparam"
    assert copy(raw, template, idnumber="N")["errorcode"] == "invalidparameter"
    for capability in ("moodle/backup:configure", "moodle/backup:userinfo"):
        site.remove_capability(capability)
        answer = copy(raw, template, users=0)
        assert (answer["exception"], answer["errorcode"]) == (
            "base_setting_exception",
            "setting_locked_by_permission",
        )
        site.add_capability(capability)
    assert site.course_named("X1") is None


def test_a_taken_short_name_is_told_with_the_holder_s_full_name(raw, site, template):
    answer = copy(raw, template, shortname="T1", users=0)
    assert answer["errorcode"] == "shortnametaken"
    assert "Template" in answer["message"]


def test_a_killed_copy_leaves_a_half_filled_course_that_holds_the_name(raw, site, template, moodle_peer):
    moodle_peer.faults.add(COPY, "killed_midway")
    answer = raw.send(
        COPY,
        {
            "courseid": template.id,
            "fullname": "F",
            "shortname": "X1",
            "categoryid": 1,
            "visible": 0,
            "options": [{"name": "users", "value": 0}],
        },
    )
    assert answer.status == 502
    half = site.course_named("X1")
    assert (half.pages, half.complete_copy, half.visible) == (["a", "b"], False, False)
    assert copy(raw, template, users=0)["errorcode"] == "shortnametaken"


def test_an_import_merges_contents(raw, site, template):
    target = site.add_course("C1", pages=["own"])
    assert raw.call("core_course_import_course", importfrom=template.id, importto=target.id) is None
    assert target.pages == ["own", "a", "b", "c", "d"]
    raw.call("core_course_import_course", importfrom=template.id, importto=target.id, deletecontent=1)
    assert target.pages == ["a", "b", "c", "d"]
    assert [course_id for _, course_id in site.enrolments] == [template.id]


# --- groups ------------------------------------------------------------------------------------------


def test_groups_are_made_all_or_none_and_need_a_description(raw, site):
    course = site.add_course("C1")
    site.add_group(course, "Known", idnumber="GID")
    for wrong, code in (
        ([group_row(course, "New"), group_row(course, "Known")], "invalidparameter"),
        ([group_row(course, "New"), group_row(course, "Other", idnumber="GID")], "idnumbertaken"),
        ([group_row(course, "New"), group_row(course, "Other", courseid=99)], "errorcoursecontextnotvalid"),
        ([{"courseid": course.id, "name": "New"}], "invalidparameter"),
        ([group_row(course, " ")], "invalidparameter"),
    ):
        assert raw.code(NEW_GROUPS, groups=wrong) == code
    assert [group.name for group in site.groups_of(course.id)] == ["Known"]
    (made,) = raw.call(NEW_GROUPS, groups=[group_row(course, "New", idnumber="N")])
    assert (made["courseid"], made["name"], made["idnumber"]) == (course.id, "New", "N")
    told = raw.call(GROUPS, courseid=course.id)
    assert [(row["name"], row["idnumber"]) for row in told] == [("Known", "GID"), ("New", "N")]


def test_no_index_keeps_a_group_name_from_being_there_twice(raw, site):
    course = site.add_course("C1")
    both_at_once(raw, site, NEW_GROUPS, groups=[group_row(course, "G", idnumber="N")])
    assert [(group.name, group.idnumber) for group in site.groups_of(course.id)] == [("G", "N"), ("G", "N")]


def test_members_must_be_enrolled_and_may_be_added_twice_or_taken_twice(raw, site):
    course = site.add_course("C1")
    one, stranger = site.add_user("one"), site.add_user("two")
    site.enrol(one, course, suspended=True)
    group = site.add_group(course, "G")
    both = [{"groupid": group.id, "userid": user.id} for user in (one, stranger)]
    assert raw.code(ADD, members=both) == "invalidparameter"
    assert group.members == set()
    for _ in range(2):
        assert raw.call(ADD, members=both[:1]) is None
    assert group.members == {one.id}
    assert raw.code(ADD, members=[{"groupid": 99, "userid": one.id}]) == "invalidrecord"
    for _ in range(2):
        assert raw.call("core_group_delete_group_members", members=both[:1]) is None
    assert group.members == set()
