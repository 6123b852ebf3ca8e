"""The faults of the peer: what has happened after each of them, and that nothing hangs afterwards."""

from __future__ import annotations

import ast
import http.client
import json
import sys
import threading
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.moodle import peer as peer_package
from tests.moodle.peer import Delays, MoodlePeer
from tests.moodle.raw import FORM, PATH, Raw, flatten

CREATE = "core_user_create_users"
PERSON = {
    "username": "p1",
    "password": "Aa1-aaaa",
    "firstname": "P",
    "lastname": "One",
    "email": "p1@e.example",
}
SHORT = 0.3
LONG = 20


def attempt(raw, timeout=LONG):
    """The status and body of a creation, or the name of what went wrong on the way."""
    try:
        answer = raw.send(CREATE, {"users": [PERSON]}, timeout=timeout)
    except TimeoutError:
        return "timed out", b""
    except (ConnectionError, http.client.HTTPException) as error:
        return type(error).__name__, b""
    return answer.status, answer.body


def made(peer):
    with peer.site.lock:
        return peer.site.user_named("p1") is not None


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        ("refuse_connection", "ConnectionResetError", False),
        ("bad_gateway_before", 502, False),
        ("maintenance", 503, False),
        ("redirect", 302, False),
        ("killed_midway", 502, False),
        ("bad_gateway_after", 502, True),
        ("reset_after", "ConnectionResetError", True),
        ("close_after", "RemoteDisconnected", True),
        ("truncated_after", "IncompleteRead", True),
        ("garbage_after", 200, True),
        ("html_prefix_after", 200, True),
    ],
)
def test_what_the_client_sees_and_what_has_happened(raw, moodle_peer, kind, status, done):
    moodle_peer.faults.add(CREATE, kind)
    seen, body = attempt(raw)
    assert seen == status
    assert made(moodle_peer) is done
    if status == 200:
        with pytest.raises(ValueError, match=r"Expecting value|invalid start byte"):
            json.loads(body)
    (call,) = moodle_peer.calls
    assert (call.fault, call.outcome) == (kind, "ok" if done else "")
    # The next call is served as if nothing had been.
    assert attempt(raw)[0] == 200
    assert made(moodle_peer)


def test_an_error_of_php_has_no_errorcode(raw, moodle_peer):
    moodle_peer.faults.add(CREATE, "type_error")
    status, body = attempt(raw)
    assert status == 200
    assert json.loads(body).keys() == {"exception", "message"}
    assert not made(moodle_peer)


def test_a_killed_worker_leaves_nothing_of_a_transaction_and_half_of_the_rest(raw, site, moodle_peer):
    course, users = site.add_course("C1"), [site.add_user(f"u{number}") for number in range(4)]
    moodle_peer.faults.add(None, "killed_midway", times=2)
    rows = [{"roleid": 5, "userid": user.id, "courseid": course.id} for user in users]
    assert raw.send("enrol_manual_enrol_users", {"enrolments": rows}).status == 502
    assert site.enrolments == {}
    changes = [{"id": user.id, "suspended": 1} for user in users]
    assert raw.send("core_user_update_users", {"users": changes}).status == 502
    assert [user.suspended for user in users] == [True, True, False, False]


@pytest.mark.parametrize("function", ["enrol_manual_enrol_users", "core_group_add_group_members"])
def test_the_loser_of_a_race_for_an_enrolment_or_a_membership_gets_a_write_error(raw, site, function):
    course, user = site.add_course("C1"), site.add_user("one")
    group = site.add_group(course, "G")
    params = {"enrolments": [{"roleid": 5, "userid": user.id, "courseid": course.id}]}
    if function == "core_group_add_group_members":
        site.enrol(user, course)
        params = {"members": [{"groupid": group.id, "userid": user.id}]}
    both_checked = threading.Barrier(2, timeout=LONG)
    site.between_check_and_insert = lambda name: both_checked.wait()
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(raw.call(function, **params))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (refused,) = [answer for answer in answers if isinstance(answer, dict)]
    assert refused["errorcode"] == "dmlwriteexception"
    assert None in answers
    assert list(site.enrolments) == [(user.id, course.id)]
    assert group.members == ({user.id} if "members" in params else set())
    site.between_check_and_insert = None
    assert raw.call(function, **params) is None


def test_a_time_out_before_the_work_never_does_it(raw, moodle_peer):
    fault = moodle_peer.faults.add(CREATE, "timeout_before")
    assert attempt(raw, SHORT)[0] == "timed out"
    assert fault.reached.wait(LONG)
    moodle_peer.stop()
    assert not made(moodle_peer)


def test_a_time_out_after_the_work_has_done_it(raw, moodle_peer):
    fault = moodle_peer.faults.add(CREATE, "timeout_after")
    assert attempt(raw, SHORT)[0] == "timed out"
    assert fault.done.wait(LONG)
    assert made(moodle_peer)


def test_the_server_goes_on_after_the_client_has_gone(raw, moodle_peer):
    fault = moodle_peer.faults.add(CREATE, "timeout_late")
    assert attempt(raw, SHORT)[0] == "timed out"
    assert fault.done.wait(LONG)
    assert made(moodle_peer)


def test_a_released_fault_goes_on(raw, moodle_peer):
    fault = moodle_peer.faults.add(CREATE, "timeout_late")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(attempt(raw)[0]))
    thread.start()
    assert fault.reached.wait(LONG)
    assert not made(moodle_peer)
    fault.release()
    thread.join()
    assert made(moodle_peer)


def test_a_slow_drip_never_ends_and_no_single_wait_is_long(raw, moodle_peer):
    fault = moodle_peer.faults.add(CREATE, "slow_drip", seconds=0.01)
    connection = http.client.HTTPConnection(raw.host, raw.port, timeout=LONG)
    pairs = [*flatten({"users": [PERSON]}), *raw.trailer(CREATE)]
    connection.request("POST", PATH, urlencode(pairs), {"Content-Type": FORM})
    reply = connection.getresponse()
    assert reply.status == 200
    assert [reply.read(1) for _ in range(5)] == [b" "] * 5
    connection.close()
    assert fault.done.is_set()
    assert made(moodle_peer)


def test_an_endless_body(raw, moodle_peer):
    moodle_peer.faults.add(CREATE, "huge")
    connection = http.client.HTTPConnection(raw.host, raw.port, timeout=LONG)
    connection.request("POST", PATH, urlencode(raw.trailer(CREATE)), {"Content-Type": FORM})
    reply = connection.getresponse()
    assert len(reply.read(3_000_000)) == 3_000_000
    connection.close()


def test_faults_choose_their_call(raw, moodle_peer):
    info = "core_webservice_get_site_info"
    moodle_peer.faults.add(3, "bad_gateway_before")
    moodle_peer.faults.add(info, "maintenance", skip=1)
    moodle_peer.faults.add(lambda call: call.params.get("field") == "id", "bad_gateway_after", times=2)
    statuses = [raw.send(info).status for _ in range(4)]
    assert statuses == [200, 503, 502, 200]
    lookup = {"field": "id", "values": [3]}
    assert [raw.send("core_user_get_users_by_field", lookup).status for _ in range(3)] == [502, 502, 200]
    assert moodle_peer.faults.waiting == []


def test_the_next_call_is_struck_without_a_condition_and_a_reset_by_number_comes_before_reading(
    raw, moodle_peer
):
    moodle_peer.faults.add(None, "bad_gateway_before")
    assert attempt(raw)[0] == 502
    fault = moodle_peer.faults.add(2, "refuse_connection")
    assert attempt(raw)[0] in {"ConnectionResetError", "BrokenPipeError"}
    assert fault.reached.is_set()
    assert len(moodle_peer.calls) == 1


def test_stopping_ends_calls_that_are_held():
    peer = MoodlePeer()
    peer.start()
    fault = peer.faults.add(None, "timeout_before")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(attempt(Raw(peer))[0]))
    thread.start()
    assert fault.reached.wait(LONG)
    peer.stop()
    thread.join(LONG)
    assert seen in (["RemoteDisconnected"], ["ConnectionResetError"])


def test_nobody_listens_while_the_site_is_away(raw, moodle_peer):
    kept = http.client.HTTPConnection(raw.host, raw.port, timeout=LONG)
    kept.request("GET", "/")
    kept.getresponse().read()
    with moodle_peer.away():
        assert kept.sock.recv(1) == b""
        kept.close()
        assert attempt(raw)[0] == "ConnectionRefusedError"
    assert attempt(raw)[0] == 200
    assert len(moodle_peer.calls) == 1


def test_connections_are_kept_and_idle_ones_can_be_closed(raw, moodle_peer):
    connection = http.client.HTTPConnection(raw.host, raw.port, timeout=LONG)
    for _ in range(3):
        connection.request("GET", f"/webservice/rest/server.php?wstoken={raw.token}")
        connection.getresponse().read()
    assert moodle_peer.connections == 1
    moodle_peer.close_idle_connections()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_measured_delays_add_up_by_item_and_do_not_hold_others_up(raw, moodle_peer):
    delays = Delays.measured()
    assert delays.seconds(CREATE, 1) == pytest.approx(0.0744)
    assert delays.seconds(CREATE, 100) == pytest.approx(5.86, abs=0.03)
    assert delays.seconds("enrol_manual_enrol_users", 100) == pytest.approx(0.30, abs=0.01)
    assert delays.seconds("core_group_add_group_members", 100) == pytest.approx(0.38, abs=0.01)
    lookup = "core_user_get_users_by_field"
    assert delays.seconds(lookup, 100) == pytest.approx(0.0274)
    assert delays.reading_seconds(lookup, {}, [{}] * 40) == pytest.approx(0.096)
    enrolled, fields = (
        "core_enrol_get_enrolled_users",
        [{"name": "userfields", "value": "id,lastcourseaccess"}],
    )
    assert delays.reading_seconds(enrolled, {"options": []}, [{}] * 40) == pytest.approx(0.108)
    assert delays.reading_seconds(enrolled, {"options": fields}, [{}] * 1013) == pytest.approx(0.2026)
    assert (
        delays.reading_seconds("core_course_get_courses_by_field", {}, {"courses": [{}], "warnings": []}) > 0
    )
    assert delays.reading_seconds("enrol_manual_enrol_users", {}, None) == 0
    assert delays.seconds("core_user_update_users", 1, passwords=1) == pytest.approx(0.119)
    assert delays.seconds("core_course_duplicate_course", 0) == pytest.approx(0.28)

    # While one call works behind its checks, nothing of it is seen and another is served.
    moodle_peer.delays = Delays.measured(factor=0.1)
    at_work, go_on = threading.Event(), threading.Event()

    def wait(function: str) -> None:
        at_work.set()
        go_on.wait(LONG)

    moodle_peer.site.between_check_and_insert = wait
    thread = threading.Thread(target=lambda: attempt(raw))
    thread.start()
    assert at_work.wait(LONG)
    assert raw.call("core_user_get_users_by_field", field="username", values=["p1"]) == []
    go_on.set()
    thread.join(LONG)
    assert made(moodle_peer)
    assert moodle_peer.busy_seconds >= delays.seconds(CREATE, 1) * 0.1


def test_the_peer_knows_nothing_but_itself_and_python():
    """It could prove nothing about a client whose mistakes it shares, and it also runs without the test tools."""
    strange = []
    for path in sorted(Path(peer_package.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            strange += [
                (path.name, name)
                for name in names
                if not name.startswith("tests.moodle.peer")
                and name.partition(".")[0] not in sys.stdlib_module_names
            ]
    assert strange == []
