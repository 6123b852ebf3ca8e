"""PHP's limit on variables: what is over it vanishes without a word, in the order of the body."""

from __future__ import annotations

import pytest

from tests.moodle.raw import PATH, flatten

ENROL = "enrol_manual_enrol_users"
STARTS, ENDS = 1_000_000, 4_000_000_000


@pytest.fixture
def course(site):
    return site.add_course("C1")


@pytest.fixture
def users(site):
    return [site.add_user(f"u{number}") for number in range(260)]


def rows(users, course, *names):
    known = {"roleid": 5, "courseid": course.id, "timestart": STARTS, "timeend": ENDS, "suspend": 0}
    return [{name: user.id if name == "userid" else known[name] for name in names} for user in users]


def enrol_first(raw, rows):
    """Token, function and format before the data: what most clients write."""
    return raw.post([*raw.trailer(ENROL), *flatten({"enrolments": rows})])


FIVE = ("roleid", "userid", "courseid", "timestart", "timeend")
SIX = (*FIVE, "suspend")


@pytest.mark.parametrize(("sent", "enrolled", "open_ended"), [(199, 199, 0), (200, 200, 1), (250, 200, 1)])
def test_250_enrolments_are_200_and_the_last_has_no_end(raw, site, course, users, sent, enrolled, open_ended):
    answer = enrol_first(raw, rows(users[:sent], course, *FIVE))
    assert answer.status == 200
    assert answer.body == b"null"
    assert len(site.enrolments) == enrolled
    assert sum(row.timeend == 0 for row in site.enrolments.values()) == open_ended
    assert sum(row.timestart == STARTS for row in site.enrolments.values()) == enrolled - open_ended


@pytest.mark.parametrize(("sent", "enrolled"), [(166, 166), (167, 0)])
def test_with_six_fields_the_cut_falls_before_the_course(raw, site, course, users, sent, enrolled):
    answer = enrol_first(raw, rows(users[:sent], course, *SIX))
    assert len(site.enrolments) == enrolled
    assert (answer.body == b"null") is bool(enrolled)


@pytest.mark.parametrize(("sent", "enrolled"), [(249, 249), (250, 0)])
def test_with_four_fields(raw, site, course, users, sent, enrolled):
    enrol_first(raw, rows(users[:sent], course, "roleid", "userid", "courseid", "timestart"))
    assert len(site.enrolments) == enrolled


@pytest.mark.parametrize(("sent", "enrolled"), [(199, 199), (200, 0), (250, 0)])
def test_the_course_as_last_key_of_each_item_refuses_a_cut_inside_it(
    raw, site, course, users, sent, enrolled
):
    last = ("roleid", "userid", "timestart", "timeend", "courseid")
    enrol_first(raw, rows(users[:sent], course, *last))
    assert len(site.enrolments) == enrolled


def test_the_token_written_last_vanishes_and_nothing_is_done(raw, site, course, users):
    answer = raw.send(ENROL, {"enrolments": rows(users[:250], course, *FIVE)})
    assert answer.status == 200
    assert answer.content_type.startswith("application/xml")
    assert b"<ERRORCODE>invalidtoken</ERRORCODE>" in answer.body
    assert site.enrolments == {}


def test_the_token_in_the_url_is_not_cut_off(raw, site, course, users):
    target = f"{PATH}?wstoken={raw.token}&wsfunction={ENROL}&moodlewsrestformat=json"
    answer = raw.post(flatten({"enrolments": rows(users[:250], course, *FIVE)}), target=target)
    assert answer.value["errorcode"] == "invalidparameter"
    assert site.enrolments == {}


def test_600_members_of_a_group_are_499(raw, site, course):
    group = site.add_group(course, "G")
    users = [site.add_user(f"m{number}") for number in range(600)]
    for user in users:
        site.enrol(user, course)
    members = [{"groupid": group.id, "userid": user.id} for user in users]
    answer = raw.post([*raw.trailer("core_group_add_group_members"), *flatten({"members": members})])
    assert answer.body == b"null"
    assert len(group.members) == 499


def test_1200_ids_looked_up_are_997(raw, site):
    ids = [site.add_user(f"m{number}").id for number in range(1200)]
    function = "core_user_get_users_by_field"
    answer = raw.post([*raw.trailer(function), *flatten({"field": "id", "values": ids})])
    assert len(answer.value) == 997


def test_1001_variables_pass_and_the_limit_is_the_site_s(raw, site, moodle_peer):
    function = "core_user_get_users_by_field"
    raw.post([*raw.trailer(function), *flatten({"field": "id", "values": [3] * 1200})])
    assert (moodle_peer.calls[-1].variables, len(moodle_peer.calls[-1].keys)) == (1204, 1001)
    site.max_input_vars = 5000
    raw.post([*raw.trailer(function), *flatten({"field": "id", "values": [3] * 1200})])
    assert len(moodle_peer.calls[-1].keys) == 1204
