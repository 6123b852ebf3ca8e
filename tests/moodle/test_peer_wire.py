"""The peer on the wire: how a Moodle site reads requests and writes answers."""

from __future__ import annotations

import json

import pytest

from tests.moodle.raw import PATH, flatten

INFO = "core_webservice_get_site_info"


def test_every_error_of_moodle_has_status_200_and_no_reason(raw, site):
    answer = raw.send("core_course_get_courses_by_field", {"nonsense": 1})
    assert answer.status == 200
    assert answer.value == {
        "exception": "invalid_parameter_exception",
        "errorcode": "invalidparameter",
        "message": "Invalid parameter value detected",
    }
    site.debug = True
    with_reason = raw.send("core_course_get_courses_by_field", {"nonsense": 1}).value
    assert with_reason["debuginfo"] == " => Unexpected keys (nonsense) detected in parameter array."


def test_json_only_when_asked_for_and_xml_otherwise(raw):
    pairs = [("wsfunction", INFO), ("wstoken", raw.token)]
    answer = raw.post(pairs)
    assert answer.content_type.startswith("application/xml")
    assert b'<KEY name="sitename"><VALUE>Moodle</VALUE>' in answer.body
    answer = raw.post([*pairs, ("moodlewsrestformat", "json")])
    assert answer.content_type == "application/json"
    assert answer.value["sitename"] == "Moodle"


def test_a_json_body_is_ignored(raw):
    target = f"{PATH}?wstoken={raw.token}&wsfunction=core_user_get_users_by_field&moodlewsrestformat=json"
    body = json.dumps({"field": "id", "values": [3]}).encode()
    answer = raw.ask("POST", target, body, {"Content-Type": "application/json"})
    assert answer.value["errorcode"] == "invalidparameter"


def test_a_bearer_token_is_ignored(raw):
    answer = raw.ask(
        "POST",
        f"{PATH}?wsfunction={INFO}&moodlewsrestformat=json",
        b"",
        {"Authorization": f"Bearer {raw.token}"},
    )
    assert answer.value["errorcode"] == "invalidtoken"


def test_a_bad_token_an_unknown_function_and_one_outside_the_service(raw, site, moodle_peer):
    raw.token = "f" * 32
    assert raw.call(INFO) == {
        "exception": "moodle_exception",
        "errorcode": "invalidtoken",
        "message": "Invalid token - token not found",
    }
    raw.token = moodle_peer.token
    unknown = raw.call("core_no_such_function")
    assert (unknown["exception"], unknown["errorcode"]) == ("dml_missing_record_exception", "invalidrecord")
    site.remove_function("core_user_get_users")
    assert raw.code("core_user_get_users", criteria=[{"key": "id", "value": 3}]) == "accessexception"


def test_site_info_lists_the_functions_and_carries_a_private_key(raw, site):
    site.remove_function("core_user_get_users")
    info = raw.call(INFO)
    assert {row["name"] for row in info["functions"]} == site.functions
    assert "core_user_get_users" not in site.functions
    assert info["version"] == "2023042403"
    assert info["userprivateaccesskey"]
    assert info["userissiteadmin"] is False


@pytest.mark.parametrize(
    "params",
    [
        {"users": [{"username": "p1", "firstname": "P", "lastname": "One", "email": "p1@e.example"}]},
        {"users": [{"username": "p1", "firstname": "P", "lastname": "One", "password": "Aa1-aaaa"}]},
        {"users": [{"username": "p1", "firstname": "P", "lastname": "One", "email": "p1@e.example",
                    "password": "Aa1-aaaa", "foo": "1"}]},
        {"users": "p1"},
        {"users": [{"username": ["p1"], "firstname": "P", "lastname": "One", "email": "p1@e.example",
                    "password": "Aa1-aaaa"}]},
        {},
    ],
)  # fmt: skip
def test_missing_unknown_and_wrong_arguments_are_indistinguishable(raw, site, params):
    answer = raw.send("core_user_create_users", params).value
    assert answer["errorcode"] == "invalidparameter"
    assert answer["message"] == "Invalid parameter value detected"
    assert site.user_named("p1") is None


def test_an_empty_list_is_not_a_no_op(raw):
    for function, name in (
        ("core_user_create_users", "users"),
        ("enrol_manual_enrol_users", "enrolments"),
        ("core_group_add_group_members", "members"),
    ):
        assert raw.code(function, **{name: []}) == "invalidparameter"


def test_a_role_is_a_number(raw, site):
    course, user = site.add_course("C1"), site.add_user("p1")
    row = {"roleid": "student", "userid": user.id, "courseid": course.id}
    assert raw.code("enrol_manual_enrol_users", enrolments=[row]) == "invalidparameter"


def test_calls_are_recorded_with_their_variables_and_the_order_of_the_body(raw, moodle_peer):
    raw.send("core_user_get_users_by_field", {"field": "email", "values": ["a@e.example", "b@e.example"]})
    (call,) = moodle_peer.calls_of("core_user_get_users_by_field")
    assert call.variables == 6
    assert call.params == {"field": "email", "values": {"0": "a@e.example", "1": "b@e.example"}}
    assert call.keys == ("field", "values[0]", "values[1]", "moodlewsrestformat", "wsfunction", "wstoken")
    assert call.outcome == "ok"
    assert [call.number for call in moodle_peer.calls] == [1]


def test_nested_arguments_are_spelled_as_php_reads_them():
    assert list(flatten({"a": [{"b": 1, "c": True}], "d": ["x"]})) == [
        ("a[0][b]", "1"),
        ("a[0][c]", "1"),
        ("d[0]", "x"),
    ]
