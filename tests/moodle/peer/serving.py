"""What happens on one connection: requests come, faults strike, answers leave."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.moodle.peer.answers import BAD_GATEWAY, HTML_TYPE, JSON_TYPE, MAINTENANCE, PRINTED, as_json
from tests.moodle.peer.errors import WorkerKilled
from tests.moodle.peer.faults import BEFORE, Fault
from tests.moodle.peer.pages import page
from tests.moodle.peer.rest import PATH, Asked, perform, read_call
from tests.moodle.peer.wire import ClientLeft, Connection, Reply, Request

if TYPE_CHECKING:
    from tests.moodle.peer.peer import MoodlePeer

POLL_SECONDS = 0.02
"""How often a held call looks whether its client has left."""
CHUNK = b"9" * 65536
UNAVAILABLE = Reply(503, HTML_TYPE, MAINTENANCE.encode())
GATEWAY = Reply(502, HTML_TYPE, BAD_GATEWAY.encode())


class Ended(Exception):
    """Nothing more is read from this connection."""


def serve(peer: MoodlePeer, connection: Connection) -> None:
    """Answer one request after the other until either side ends the connection."""
    try:
        while not peer.stopping.is_set():
            peer.mark_idle(connection, idle=True)
            if not connection.wait_for_bytes():
                return
            peer.mark_idle(connection, idle=False)
            with peer.lock:
                number = len(peer.calls) + 1
            if peer.faults.take_unread(number):
                connection.reset()
                return
            request = connection.read_request()
            answer(peer, connection, request)
            if request.headers.get("connection", "").lower() == "close":
                return
    except (ClientLeft, Ended):
        return


def answer(peer: MoodlePeer, connection: Connection, request: Request) -> None:
    if request.path != PATH:
        with peer.lock:
            peer.page_requests.append(f"{request.method} {request.target}")
        send(peer, connection, UNAVAILABLE if peer.site.in_maintenance else page(peer, request))
        return
    with peer.lock:
        asked = read_call(request, len(peer.calls) + 1, peer.site.max_input_vars)
        peer.calls.append(asked.call)
    fault = peer.faults.take(asked.call)
    if fault is not None:
        asked.call.fault = fault.kind
        strike(peer, connection, asked, fault)
    elif peer.site.in_maintenance:
        asked.call.outcome = "maintenance"
        send(peer, connection, UNAVAILABLE)
    else:
        with busy(peer):
            body = perform(peer, asked, None)
        send(peer, connection, Reply(200, asked.content_type, body))


def send(peer: MoodlePeer, connection: Connection, reply: Reply) -> None:
    """Answer. The connection counts as idle from here: the client may know its answer before this thread goes on."""
    peer.mark_idle(connection, idle=True)
    connection.answer(reply)


@contextlib.contextmanager
def busy(peer: MoodlePeer) -> Iterator[None]:
    """Count the time of a call, before its answer leaves: whoever has the answer may ask for the sum."""
    started = time.perf_counter()
    try:
        yield
    finally:
        spent = time.perf_counter() - started
        with peer.lock:
            peer.busy_seconds += spent


def strike(peer: MoodlePeer, connection: Connection, asked: Asked, fault: Fault) -> None:
    """Let a fault happen to a call."""
    if fault.kind in BEFORE:
        strike_before(peer, connection, fault)
        return
    if fault.kind == "timeout_late":
        hold(connection, fault)
    try:
        with busy(peer):
            body = perform(peer, asked, fault)
    except WorkerKilled:
        asked.call.outcome = ""
        send(peer, connection, GATEWAY)
        return
    finally:
        fault.done.set()
    strike_after(peer, connection, Reply(200, asked.content_type, body), fault)


def strike_before(peer: MoodlePeer, connection: Connection, fault: Fault) -> None:
    """Nothing is done."""
    if fault.kind == "refuse_connection":
        connection.reset()
        raise Ended
    if fault.kind == "timeout_before":
        hold(connection, fault)
        raise Ended
    if fault.kind == "type_error":
        body = as_json({"exception": "TypeError", "message": "Unsupported operand types: string + int"})
        send(peer, connection, Reply(200, JSON_TYPE, body))
    elif fault.kind == "redirect":
        moved = (("Location", f"{peer.url}/elsewhere"),)
        send(peer, connection, Reply(302, HTML_TYPE, b"", moved))
    else:
        send(peer, connection, UNAVAILABLE if fault.kind == "maintenance" else GATEWAY)


def strike_after(peer: MoodlePeer, connection: Connection, reply: Reply, fault: Fault) -> None:
    """It is done; only the answer does not come as it should."""
    if fault.kind == "bad_gateway_after":
        send(peer, connection, GATEWAY)
    elif fault.kind == "garbage_after":
        send(peer, connection, Reply(200, JSON_TYPE, b"\x1f\x8b{]] not what was announced"))
    elif fault.kind == "html_prefix_after":
        send(peer, connection, Reply(200, JSON_TYPE, PRINTED.encode() + reply.body))
    elif fault.kind == "truncated_after":
        half = Reply(200, reply.content_type, reply.body[: len(reply.body) // 2])
        connection.answer(half, announced=len(reply.body))
        raise Ended
    elif fault.kind == "reset_after":
        connection.reset()
        raise Ended
    else:
        if fault.kind in {"timeout_after", "timeout_late"}:
            hold(connection, fault)
        elif fault.kind == "slow_drip":
            drip(connection, fault)
        elif fault.kind == "huge":
            flood(connection, fault)
        raise Ended


def hold(connection: Connection, fault: Fault) -> None:
    """Keep the connection open and silent until it is let go, which the peer's end also does, or the client leaves."""
    while not fault.released.wait(POLL_SECONDS):
        if connection.client_left():
            return


def drip(connection: Connection, fault: Fault) -> None:
    connection.begin_endless(JSON_TYPE)
    while not fault.released.wait(fault.seconds):
        connection.send(b" ")


def flood(connection: Connection, fault: Fault) -> None:
    connection.begin_endless(JSON_TYPE)
    while not fault.released.is_set():
        connection.send(CHUNK)
