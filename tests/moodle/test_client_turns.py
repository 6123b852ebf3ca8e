"""One process at a time writes to a site; who is gone is replaced, and who was replaced writes no more."""

from __future__ import annotations

import os
import threading
import warnings
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from courses.models import PlatformSite
from courses.moodle import turns
from courses.moodle.errors import MoodleAway, OutcomeUnknown, TurnLost
from courses.moodle.gate import Gate
from tests.concurrency.racing import together
from tests.moodle.speaking import UPDATE, speaking_to

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
SHORT = 0.4  # seconds


@pytest.fixture(autouse=True)
def _as_long_as_it_may_take(moodle_peer, monkeypatch):
    monkeypatch.setattr(turns, "SETTLE", 20.0)


@pytest.fixture
def gate(moodle_peer) -> Gate:
    return gate_of(moodle_peer)


def gate_of(peer, timeout: float = 20) -> Gate:
    return Gate(speaking_to(peer.url, peer.token, timeout), "moodle")


def row() -> PlatformSite:
    return PlatformSite.objects.get(platform="moodle")


@pytest.fixture
def params(site) -> dict[str, object]:
    return {"users": [{"id": site.add_user("anna").id, "firstname": "Anna"}]}


# --- one at a time -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_only_one_writes_at_a_time(gate):
    inside: list[int] = []
    most: list[int] = []
    busy = threading.Event()

    def work() -> int:
        for _ in range(4):
            with gate.writing(wait=60):
                inside.append(1)
                most.append(len(inside))
                busy.wait(0.01)  # never set: time in which another could come in
                inside.pop()
        return 4

    assert together([work] * 4) == [4] * 4
    assert len(most) == 16
    assert max(most) == 1
    assert (row().lease_holder, row().lease_until, row().lease_attempt) == ("", None, 16)


@pytest.mark.django_db(transaction=True)
def test_who_waits_in_vain_is_told_so_and_has_changed_nothing(gate, moodle_peer):
    with gate.writing():
        held = row()

        def come() -> str:
            with gate.writing(wait=0.1):
                return "in"

        (told,) = together([come])
        now = row()
        assert isinstance(told, MoodleAway)
        assert (now.lease_holder, now.lease_until, now.lease_attempt) == (
            held.lease_holder,
            held.lease_until,
            held.lease_attempt,
        )
    assert row().lease_until is None
    assert moodle_peer.calls == []


@pytest.mark.django_db(transaction=True)
def test_who_waits_goes_on_as_soon_as_the_site_is_free(gate):
    taken, waiting = threading.Event(), threading.Event()
    order: list[str] = []

    def first() -> str:
        with gate.writing():
            taken.set()
            waiting.wait(20)
            order.append("first")
        return "first"

    def second() -> str:
        taken.wait(20)
        waiting.set()
        with gate.writing(wait=20):
            order.append("second")
        return "second"

    assert together([first, second]) == ["first", "second"]
    assert order == ["first", "second"]


@pytest.mark.django_db
def test_a_turn_within_a_turn_is_the_same(gate):
    with gate.writing() as outer:
        with gate.writing() as inner:
            assert inner is outer
        assert row().lease_until is not None
    assert (row().lease_until, row().lease_attempt) == (None, 1)


@pytest.mark.django_db
def test_an_error_ends_the_turn(gate):
    with pytest.raises(KeyError), gate.writing():
        raise KeyError("ours")
    assert (row().lease_holder, row().lease_until) == ("", None)


@pytest.mark.django_db
def test_nothing_is_written_outside_of_a_turn(gate, moodle_peer, params):
    with pytest.raises(RuntimeError, match="outside of writing"):
        gate.write(UPDATE, params)
    assert moodle_peer.calls == []


@pytest.mark.django_db(transaction=True)
def test_a_thread_does_not_have_the_turn_of_another(gate, moodle_peer, params):
    with gate.writing():
        (told,) = together([lambda: gate.write(UPDATE, params)])
    assert isinstance(told, RuntimeError)
    assert moodle_peer.calls == []


# --- the time of a turn --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_write_holds_the_site_for_a_whole_call_more(gate, params):
    with time_machine.travel(START, tick=False) as clock, gate.writing():
        assert row().lease_until == START + timedelta(seconds=20 + 30)
        clock.shift(40)
        gate.write(UPDATE, params)
        assert row().lease_until == START + timedelta(seconds=40 + 20 + 30)


@pytest.mark.django_db
def test_reading_for_long_keeps_the_turn_too(gate, monkeypatch):
    with time_machine.travel(START, tick=False) as clock, gate.writing() as turn:
        clock.shift(40)
        gate.call("core_webservice_get_site_info", {})
        assert row().lease_until == START + timedelta(seconds=50)  # it was renewed a moment ago
        monkeypatch.setattr(turn, "_renewed", turn._renewed - 17)
        gate.call("core_webservice_get_site_info", {})
        assert row().lease_until == START + timedelta(seconds=90)


@pytest.mark.django_db(transaction=True)
def test_who_was_too_slow_writes_nothing_any_more(gate, moodle_peer, params):
    with time_machine.travel(START, tick=False) as clock, gate.writing():
        clock.shift(51)
        mine = row().lease_attempt

        def take_over() -> str:
            with gate.writing(wait=0):
                return row().lease_holder

        (other,) = together([take_over])
        assert isinstance(other, str)
        with pytest.raises(TurnLost):
            gate.write(UPDATE, params)
        assert row().lease_attempt == mine + 1
    assert moodle_peer.calls == []


@pytest.mark.django_db(transaction=True)
def test_who_was_replaced_does_not_end_the_turn_of_the_other(gate):
    with time_machine.travel(START, tick=False) as clock:
        with gate.writing():
            clock.shift(51)
            PlatformSite.objects.update(
                lease_holder="another", lease_until=START + timedelta(seconds=99), lease_attempt=2
            )
        assert (row().lease_holder, row().lease_until) == ("another", START + timedelta(seconds=99))


@pytest.mark.django_db(transaction=True)
def test_a_holder_that_was_killed_is_replaced_when_its_time_is_over(gate):
    with gate.writing():
        pass
    connections.close_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        with gate.writing():
            os._exit(77)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77
    left = row()
    assert f":{child}:" in left.lease_holder
    assert left.lease_until is not None
    with pytest.raises(MoodleAway), gate.writing(wait=0):
        pass
    with time_machine.travel(left.lease_until), gate.writing(wait=0):
        assert f":{os.getpid()}:" in row().lease_holder
        assert row().lease_attempt == left.lease_attempt + 1


# --- a call that may still be carried out ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "timeout", "settles"),
    [
        ("timeout_after", SHORT, SHORT),
        ("reset_after", None, 20.0),
        ("bad_gateway_after", None, 20.0),
        ("garbage_after", None, None),
        ("html_prefix_after", None, None),
    ],
)
def test_nobody_looks_while_a_call_may_still_be_carried_out(
    moodle_peer, params, monkeypatch, kind, timeout, settles
):
    monkeypatch.setattr(turns, "SETTLE", 20.0)
    gate = gate_of(moodle_peer, timeout=45)
    moodle_peer.faults.add(UPDATE, kind)
    with time_machine.travel(START, tick=False):
        with pytest.raises(OutcomeUnknown), gate.writing():
            gate.write(UPDATE, params, timeout=timeout)
        until = None if settles is None else START + timedelta(seconds=settles)
        assert (row().lease_holder, row().lease_until) == ("", until)


@pytest.mark.django_db
def test_after_that_the_site_is_free(moodle_peer, params, monkeypatch):
    monkeypatch.setattr(turns, "SETTLE", 20.0)
    gate = gate_of(moodle_peer, timeout=SHORT)
    moodle_peer.faults.add(UPDATE, "timeout_after")
    began = timezone.now()
    with gate.writing(), pytest.raises(OutcomeUnknown):
        gate.write(UPDATE, params)
    with gate.writing(wait=20):
        assert timezone.now() - began >= timedelta(seconds=2 * SHORT)
        gate.write(UPDATE, params, timeout=20)
    assert row().lease_until is None


@pytest.mark.django_db(transaction=True)
def test_two_who_look_before_they_make_make_one(moodle_peer, site):
    """Without turns Moodle makes both: it looks first itself, and then inserts without an index that would refuse."""
    course = site.add_course("C1", "One")
    gate = gate_of(moodle_peer)

    def ensure() -> int:
        with gate.writing(wait=60):
            groups = gate.call("core_group_get_course_groups", {"courseid": course.id})
            if not groups:
                group = {"courseid": course.id, "name": "B1", "description": ""}
                gate.write("core_group_create_groups", {"groups": [group]})
        return len(groups)

    assert sorted(map(str, together([ensure] * 4))) == ["0", "1", "1", "1"]
    assert [group.name for group in site.groups.values()] == ["B1"]
    assert turns.current("moodle") is None
