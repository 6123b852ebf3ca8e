"""The client against a site that answers as a measured Moodle does."""

from __future__ import annotations

import json
import threading
import time

import pytest
from django.utils import translation

from common.http import Answer
from courses.moodle.client import MoodleClient, MoodleWarning, parsed, warnings_of
from courses.moodle.errors import MoodleAway, MoodleMisconfigured, MoodleRefused, OutcomeUnknown
from courses.platform import PlatformAway
from tests.common.scripted import once, serving
from tests.moodle.speaking import CREATE, LOOKUP, new_user, speaking_to

SHORT = 0.4  # seconds, of calls that are to run out of time


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def client(moodle_peer) -> MoodleClient:
    return speaking_to(moodle_peer.url, moodle_peer.token)


# --- what is asked and answered ----------------------------------------------------------------------


def test_a_call_answers_what_moodle_answers(client, site):
    user = site.add_user("anna", email="anna@example.org")
    found = client.call(LOOKUP, {"field": "email", "values": ["anna@example.org", "nobody@example.org"]})
    assert [(row["id"], row["username"]) for row in found] == [(user.id, "anna")]


def test_null_is_none(client, site):
    course = site.add_course("C1", "One")
    user = site.add_user("anna")
    enrolment = {"roleid": 5, "userid": user.id, "courseid": course.id}
    assert client.call("enrol_manual_enrol_users", {"enrolments": [enrolment]}, last=("courseid",)) is None
    assert site.roles_of(user, course) == {"student"}


def test_the_token_is_written_last_and_required_keys_end_their_items(client, moodle_peer, site):
    course = site.add_course("C1", "One")
    items = [
        {"courseid": course.id, "roleid": 5, "userid": site.add_user(name).id} for name in ("anna", "bert")
    ]
    client.call("enrol_manual_enrol_users", {"enrolments": items}, last=("courseid",))
    assert moodle_peer.calls[-1].keys == (
        "enrolments[0][roleid]", "enrolments[0][userid]", "enrolments[0][courseid]",
        "enrolments[1][roleid]", "enrolments[1][userid]", "enrolments[1][courseid]",
        "moodlewsrestformat", "wsfunction", "wstoken",
    )  # fmt: skip


def test_connections_are_used_again(client, moodle_peer):
    for _ in range(5):
        client.call("core_webservice_get_site_info", {})
    assert (moodle_peer.connections, len(moodle_peer.calls)) == (1, 5)


def test_a_call_that_php_cuts_short_is_refused_whole(client, moodle_peer, site):
    """A site with a lower limit than PHP's own: the end of the form is lost, the token with it."""
    moodle_peer.site.max_input_vars = 300
    course = site.add_course("C1", "One")
    users = [site.add_user(f"u{n}") for n in range(140)]
    items = [
        {"roleid": 5, "userid": user.id, "timestart": 1, "timeend": 2_000_000_000, "courseid": course.id}
        for user in users
    ]
    with pytest.raises(MoodleMisconfigured, match="max_input_vars") as caught:
        client.call("enrol_manual_enrol_users", {"enrolments": items}, last=("courseid",))
    assert (caught.value.code, caught.value.whole_site) == ("truncated", True)
    assert [site.roles_of(user, course) for user in users] == [set()] * 140


def test_a_call_of_more_than_900_variables_is_not_made(client, moodle_peer):
    with pytest.raises(ValueError, match="900"):
        client.call(LOOKUP, {"field": "id", "values": list(range(900))})
    assert moodle_peer.calls == []


def test_an_empty_list_is_not_sent(client, moodle_peer):
    with pytest.raises(ValueError, match="empty list"):
        client.call(CREATE, {"users": []})
    assert moodle_peer.calls == []


# --- what Moodle refuses ---------------------------------------------------------------------------------


def test_an_error_with_status_200_is_an_error(client, site):
    site.add_user("anna")
    with pytest.raises(MoodleRefused) as caught:
        client.call(CREATE, {"users": [new_user("anna")]})
    refused = caught.value
    assert (refused.function, refused.code, refused.exception) == (
        CREATE,
        "invalidparameter",
        "invalid_parameter_exception",
    )
    assert str(refused) == "core_user_create_users: invalidparameter"
    assert refused.lost_race is False


def test_a_password_that_the_policy_refuses_has_a_code_of_ours(client, site):
    with pytest.raises(MoodleRefused) as caught:
        client.call(CREATE, {"users": [new_user("anna", password="short")]})
    assert caught.value.code == "passwordpolicy"
    assert site.users_with_email("anna@example.org") == []


def test_a_password_that_an_update_refuses_says_so_without_a_reason(client, site):
    user = site.add_user("anna")
    with pytest.raises(MoodleRefused) as caught:
        client.call("core_user_update_users", {"users": [{"id": user.id, "password": "short"}]})
    assert caught.value.code == "invalidresponse"


def test_who_lost_a_race_may_repeat(client):
    answer = {"exception": "dml_write_exception", "errorcode": "dmlwriteexception", "message": "Error"}
    with serving_json(answer) as server, pytest.raises(MoodleRefused) as caught:
        speaking_to(server.url).call("f", {})
    assert caught.value.lost_race is True


def test_warnings_are_read(client, site):
    known = site.add_user("anna")
    answer = client.call("core_user_update_users", {"users": [{"id": 999, "suspended": 1}]})
    assert warnings_of(answer) == [MoodleWarning(item="user", itemid=999, code="invaliduserid")]
    answer = client.call("core_user_update_users", {"users": [{"id": known.id, "suspended": 1}]})
    assert warnings_of(answer) == []
    assert warnings_of(None) == []
    assert warnings_of([]) == []


# --- what only an administrator can repair --------------------------------------------------------------------


def misconfigured(client: MoodleClient, function: str, params: dict[str, object]) -> tuple[str, bool, str]:
    with pytest.raises(PlatformAway) as caught:
        client.call(function, params)
    error = caught.value
    assert isinstance(error, MoodleMisconfigured)
    return error.code, error.whole_site, str(error)


def probe(site) -> dict[str, object]:
    return {"field": "id", "values": [site.service_user.id]}


@pytest.mark.parametrize(
    ("spoil", "code", "whole_site", "advice"),
    [
        (lambda site: site.set_policy(), "sitepolicynotagreed", True, "agree to the site policy"),
        (lambda site: site.require_profile_field(), "usernotfullysetup", True, "lacks a required field"),
        (lambda site: site.force_password_change(site.service_user), "forcepasswordchangenotice", True, "new password"),
        (lambda site: site.remove_function(LOOKUP), "accessexception", False, f"use {LOOKUP}: add it"),
        (lambda site: site.remove_capability("webservice/rest:use"), "accessexception", False, "webservice/rest:use"),
    ],
)  # fmt: skip
def test_what_an_administrator_has_to_change(client, site, spoil, code, whole_site, advice):
    spoil(site)
    found = misconfigured(client, LOOKUP, probe(site))
    assert found[:2] == (code, whole_site)
    assert advice in found[2]


def test_a_token_that_moodle_does_not_know(moodle_peer, site):
    found = misconfigured(speaking_to(moodle_peer.url, "wrong-t0ken"), LOOKUP, probe(site))
    assert found[:2] == ("invalidtoken", True)
    assert "MOODLE_TOKEN" in found[2]
    assert "wrong-t0ken" not in found[2]


def test_a_permission_that_is_missing_is_named(client, site):
    site.remove_capability("moodle/user:create")
    code, whole_site, text = misconfigured(client, CREATE, {"users": [new_user("anna")]})
    assert (code, whole_site) == ("nopermissions", False)
    assert text.endswith(
        "Moodle says: Sorry, but you do not currently have permissions to do that (Create users)."
    )


def test_a_role_that_may_not_be_given(client, site):
    course, user = site.add_course("C1", "One"), site.add_user("anna")
    enrolment = {"roleid": 999, "userid": user.id, "courseid": course.id}
    found = misconfigured(client, "enrol_manual_enrol_users", {"enrolments": [enrolment]})
    assert found[:2] == ("wsusercannotassign", False)
    assert "MOODLE_ROLES" in found[2]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Can't find data record in database table external_functions.", MoodleMisconfigured),
        ("Can't find data record in database table groups.", MoodleRefused),
    ],
)
def test_a_record_that_is_missing_is_the_function_or_the_item(message, kind):
    answer = {
        "exception": "dml_missing_record_exception",
        "errorcode": "invalidrecord",
        "message": message,
    }
    with serving_json(answer) as server, pytest.raises(kind) as caught:
        speaking_to(server.url).call("core_x", {})
    assert caught.value.code == ("unknownfunction" if kind is MoodleMisconfigured else "invalidrecord")


# --- whether anything can have happened ---------------------------------------------------------------------------


def serving_json(document: object):
    return serving(once(body=json.dumps(document).encode()))


def test_nobody_listens(client, moodle_peer):
    with moodle_peer.away(), pytest.raises(MoodleAway, match="Connection refused"):
        client.call("core_webservice_get_site_info", {})
    assert client.call("core_webservice_get_site_info", {})["userid"] == moodle_peer.site.service_user.id


def test_maintenance_means_that_nothing_happened(client, moodle_peer, site):
    site.maintenance(True)
    with pytest.raises(MoodleAway, match="under maintenance"):
        client.call(CREATE, {"users": [new_user("anna")]})
    assert site.users_with_email("anna@example.org") == []


@pytest.mark.parametrize("code", ["sitemaintenance", "upgraderunning"])
def test_a_site_that_is_being_updated_is_away(code):
    answer = {"exception": "moodle_exception", "errorcode": code, "message": "Later"}
    with serving_json(answer) as server, pytest.raises(MoodleAway):
        speaking_to(server.url).call("f", {})


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        ("timeout_after", True),
        ("timeout_before", False),
        ("reset_after", True),
        ("close_after", True),
        ("refuse_connection", False),
        ("bad_gateway_before", False),
        ("bad_gateway_after", True),
        ("killed_midway", False),
        ("garbage_after", True),
        ("truncated_after", True),
        ("html_prefix_after", True),
        ("slow_drip", True),
        ("huge", True),
        ("redirect", False),
    ],
)
def test_every_other_disturbance_leaves_the_outcome_unknown_and_is_not_repeated(
    client, moodle_peer, site, kind, happened
):
    fault = moodle_peer.faults.add(CREATE, kind)
    waits = kind in {"timeout_after", "timeout_before", "slow_drip"}
    with pytest.raises(OutcomeUnknown, match=f"^{CREATE}: "):
        client.call(CREATE, {"users": [new_user("anna")]}, timeout=SHORT if waits else None)
    fault.release()
    assert len(moodle_peer.calls_of(CREATE)) == 1
    assert len(site.users_with_email("anna@example.org")) == (1 if happened else 0)


def test_a_kept_connection_that_the_server_closed_is_no_failure(client, moodle_peer):
    client.call("core_webservice_get_site_info", {})
    deadline = time.monotonic() + 20
    while not moodle_peer._idle and time.monotonic() < deadline:
        threading.Event().wait(0.005)  # the site notes it after it has answered
    moodle_peer.close_idle_connections()
    client.call("core_webservice_get_site_info", {})
    assert (moodle_peer.connections, len(moodle_peer.calls)) == (2, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html></html>", b"[1, 2", b'{"a": 1} {"b": 2}', b"NaN", b'{"progress": Infinity}', b"[-Infinity]",
        b"\xff\xfe", b'"\xe9"', b"\xef\xbb\xbfnull", b"nul", b"'a'", b"[" * 200_000,
        b"<?xml version='1.0'?><EXCEPTION><ERRORCODE>invalidparameter</ERRORCODE></EXCEPTION>",
    ],
)  # fmt: skip
def test_what_is_not_one_json_document_is_no_answer(body):
    with pytest.raises(OutcomeUnknown, match=r"^f: the answer is no JSON"):
        parsed("f", Answer(200, {"content-type": "application/json"}, body))


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_any_other_status_is_no_answer_even_with_json(status):
    with pytest.raises(OutcomeUnknown, match=f"^f: HTTP status {status}"):
        parsed("f", Answer(status, {"content-type": "application/json"}, b"null"))


def test_only_a_page_with_503_is_maintenance():
    with pytest.raises(MoodleAway):
        parsed("f", Answer(503, {"content-type": "text/html; charset=utf-8"}, b"<html></html>"))


@pytest.mark.parametrize(
    "answer",
    [
        {"exception": "TypeError", "message": "PHP gave up"},
        {"exception": "Error", "errorcode": None},
        {"exception": "dml_read_exception", "errorcode": "dmlreadexception", "message": "Error reading"},
    ],
)
def test_an_error_of_php_or_the_database_leaves_the_outcome_unknown(answer):
    with serving_json(answer) as server, pytest.raises(OutcomeUnknown):
        speaking_to(server.url).call("f", {})
