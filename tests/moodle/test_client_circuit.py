"""A site that does not answer is left alone for a while, by all processes together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import translation

from courses.models import PlatformSite
from courses.moodle import circuit
from courses.moodle.errors import MoodleAway, MoodleMisconfigured, MoodleRefused, OutcomeUnknown
from courses.moodle.gate import CalledInTransaction, Gate
from tests.concurrency.racing import together
from tests.moodle.speaking import LOOKUP, speaking_to

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
PARAMS = {"field": "username", "values": ["anna"]}


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def gate(moodle_peer) -> Gate:
    return Gate(speaking_to(moodle_peer.url, moodle_peer.token), "moodle")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def row() -> PlatformSite:
    return PlatformSite.objects.get(platform="moodle")


def ask(gate: Gate) -> str:
    """What came of one call, seen by a process that has just started."""
    circuit.forget()
    try:
        gate.call(LOOKUP, PARAMS)
    except MoodleMisconfigured as error:
        return f"misconfigured {error.code}"
    except MoodleAway as error:
        return "left alone" if "not asked" in str(error) else "away"
    except OutcomeUnknown:
        return "unknown"
    return "ok"


def fail(gate: Gate, site, times: int = 3) -> None:
    site.maintenance(True)
    assert [ask(gate) for _ in range(times)] == ["away"] * times


@pytest.mark.django_db
def test_after_three_failures_nobody_asks_for_15_seconds(gate, moodle_peer, site, clock):
    fail(gate, site)
    assert (row().failures, row().open_until, row().last_error, row().last_error_at) == (
        3, START + timedelta(seconds=15), "Moodle is under maintenance.", START,
    )  # fmt: skip
    clock.shift(14.9)
    assert [ask(gate) for _ in range(5)] == ["left alone"] * 5
    assert len(moodle_peer.calls) == 3
    with pytest.raises(MoodleAway, match=r"because it failed: Moodle is under maintenance\.$"):
        gate.call(LOOKUP, PARAMS)


@pytest.mark.django_db
def test_each_failed_probe_doubles_the_pause_up_to_five_minutes(gate, moodle_peer, site, clock):
    fail(gate, site)
    pauses = []
    for _ in range(8):
        at = row().open_until
        assert at is not None
        pauses.append((at - datetime.now(UTC)).total_seconds())
        clock.move_to(at)
        assert ask(gate) == "away"
    assert pauses == [15, 30, 60, 120, 240, 300, 300, 300]
    assert len(moodle_peer.calls) == 3 + 8


@pytest.mark.django_db
def test_a_probe_that_is_answered_closes_the_circuit(gate, moodle_peer, site, clock):
    fail(gate, site)
    site.maintenance(False)
    assert ask(gate) == "left alone"
    clock.shift(15)
    assert [ask(gate) for _ in range(3)] == ["ok"] * 3
    assert (row().failures, row().open_until, row().last_ok_at) == (0, None, START + timedelta(seconds=15))
    fail(gate, site, times=2)
    assert row().open_until is None


@pytest.mark.django_db
def test_an_answer_in_between_begins_the_count_anew(gate, site, clock):
    fail(gate, site, times=2)
    site.maintenance(False)
    assert ask(gate) == "ok"
    assert row().failures == 0
    fail(gate, site, times=2)
    assert (row().failures, row().open_until) == (2, None)


@pytest.mark.django_db
def test_a_refusal_is_an_answer(gate, site, clock):
    fail(gate, site, times=2)
    site.maintenance(False)
    circuit.forget()
    with pytest.raises(MoodleRefused):
        gate.call(LOOKUP, {"field": "nonsense", "values": ["x"]})
    assert row().failures == 0


@pytest.mark.django_db
def test_an_unknown_outcome_is_a_failure(gate, moodle_peer, clock):
    moodle_peer.faults.add(LOOKUP, "garbage_after", times=3)
    assert [ask(gate) for _ in range(4)] == ["unknown"] * 3 + ["left alone"]


@pytest.mark.django_db
def test_nobody_there_is_a_failure_and_the_network_is_left_alone_too(gate, moodle_peer, clock):
    moodle_peer.go_away()
    assert [ask(gate) for _ in range(3)] == ["away"] * 3
    moodle_peer.come_back()
    assert [ask(gate) for _ in range(3)] == ["left alone"] * 3
    assert moodle_peer.connections == 0


# --- an administrator is wanted --------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_concerns_the_whole_site_opens_the_circuit_at_once_for_a_minute(gate, moodle_peer, site, clock):
    site.set_policy()
    assert [ask(gate) for _ in range(3)] == ["misconfigured sitepolicynotagreed", "left alone", "left alone"]
    assert (row().needs_admin, row().open_until) == (True, START + timedelta(seconds=60))
    assert "agree to the site policy" in row().last_error
    site.set_policy(on=False)
    clock.shift(60)
    assert ask(gate) == "ok"
    assert (row().needs_admin, row().open_until, row().failures) == (False, None, 0)
    assert len(moodle_peer.calls) == 2


@pytest.mark.django_db
def test_what_concerns_one_function_is_noted_and_stops_nothing_else(gate, moodle_peer, site, clock):
    site.remove_function(LOOKUP)
    assert [ask(gate) for _ in range(4)] == ["misconfigured accessexception"] * 4
    assert (row().needs_admin, row().open_until, row().failures) == (True, None, 0)
    gate.call("core_course_get_categories", {"criteria": [{"key": "id", "value": "1"}]})
    assert row().needs_admin is True
    clock.shift(61)
    site.add_function(LOOKUP)
    assert ask(gate) == "ok"
    assert row().needs_admin is False


# --- probes ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_that_come_when_it_is_due_only_one_asks(gate, moodle_peer, site, clock):
    fail(gate, site)
    site.maintenance(False)
    clock.shift(15)
    before = len(moodle_peer.calls)
    probe = moodle_peer.faults.add(LOOKUP, "timeout_late")
    others: list[str] = []

    def come() -> str:
        told = ask(gate)
        others.append(told)
        if len(others) == 5:  # only the probe is still out
            probe.release()
        return told

    told = together([come] * 6)
    assert sorted(map(str, told)) == ["left alone"] * 5 + ["unknown"]
    assert len(moodle_peer.calls) == before + 1


@pytest.mark.django_db
def test_a_probe_whose_process_died_is_followed_by_another(gate, moodle_peer, site, clock):
    fail(gate, site)
    clock.shift(15)
    passage = circuit.passing("moodle", seconds=20)
    passage.__enter__()  # and is never heard of again
    assert ask(gate) == "left alone"
    clock.shift(26)
    site.maintenance(False)
    assert ask(gate) == "ok"


@pytest.mark.django_db
def test_a_probe_that_was_never_sent_leaves_its_place(gate, moodle_peer, site, clock):
    fail(gate, site)
    site.maintenance(False)
    clock.shift(15)
    circuit.forget()
    with pytest.raises(ValueError, match="empty list"):
        gate.call(LOOKUP, {"field": "id", "values": []})
    assert ask(gate) == "ok"


@pytest.mark.django_db
def test_who_began_before_the_circuit_was_opened_changes_nothing_when_he_ends(gate, site, clock):
    circuit.forget()
    late = [circuit.passing("moodle", seconds=20) for _ in range(2)]
    for passage in late:
        passage.__enter__()
    fail(gate, site)
    clock.shift(10)
    late[0].__exit__(None, None, None)
    assert (row().failures, row().open_until) == (3, START + timedelta(seconds=15))
    error = MoodleAway("late")
    assert not late[1].__exit__(MoodleAway, error, None)
    assert (row().failures, row().open_until) == (3, START + timedelta(seconds=15))
    assert row().last_error == "Moodle is under maintenance."


def try_now() -> None:
    """As the operators' page does, a second later."""
    PlatformSite.try_now("moodle")
    circuit.forget()


@pytest.mark.django_db
def test_an_operator_has_it_asked_at_once(gate, moodle_peer, site, clock):
    fail(gate, site)
    try_now()
    assert ask(gate) == "away"
    assert ask(gate) == "left alone"
    assert row().open_until == START + timedelta(seconds=30)
    site.maintenance(False)
    try_now()
    assert ask(gate) == "ok"
    assert row().failures == 0


# --- cost, and transactions ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_calls_that_are_answered_cost_no_statement(gate, monkeypatch, django_assert_num_queries, clock):
    gate.call(LOOKUP, PARAMS)
    gate.call(LOOKUP, PARAMS)  # reads what the first one wrote
    monkeypatch.setattr(circuit, "LOOK_EVERY", 1000.0)
    with django_assert_num_queries(0):
        for _ in range(5):
            gate.call(LOOKUP, PARAMS)
    monkeypatch.setattr(circuit, "LOOK_EVERY", 0.0)
    with django_assert_num_queries(5):
        for _ in range(5):
            gate.call(LOOKUP, PARAMS)


@pytest.mark.django_db
def test_the_row_tells_within_a_minute_that_the_site_answers(gate, clock):
    assert ask(gate) == "ok"
    clock.shift(59)
    assert ask(gate) == "ok"
    assert row().last_ok_at == START
    clock.shift(2)
    assert ask(gate) == "ok"
    assert row().last_ok_at == START + timedelta(seconds=61)


@pytest.mark.django_db
def test_nothing_is_sent_inside_a_transaction(gate, moodle_peer):
    with transaction.atomic():
        with pytest.raises(CalledInTransaction):
            gate.call(LOOKUP, PARAMS)
        with pytest.raises(CalledInTransaction):
            gate.write(LOOKUP, PARAMS)
        with pytest.raises(CalledInTransaction):
            gate.writing()
    assert moodle_peer.connections == 0


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_the_outermost_transaction_either(gate, moodle_peer):
    with transaction.atomic(), pytest.raises(CalledInTransaction):
        gate.call(LOOKUP, PARAMS)
    assert moodle_peer.connections == 0
    assert gate.call(LOOKUP, PARAMS) == []
