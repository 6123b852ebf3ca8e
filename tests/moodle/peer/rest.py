"""The address of the web services: from a form to a function and back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.moodle.peer import functions
from tests.moodle.peer.answers import JSON_TYPE, XML_TYPE, as_json, as_xml, error_as_xml
from tests.moodle.peer.calls import FUNCTIONS, Call, Function, Visit
from tests.moodle.peer.delays import CORES
from tests.moodle.peer.errors import MoodleError, WorkerKilled, missing_record, moodle_exception
from tests.moodle.peer.faults import Fault
from tests.moodle.peer.php import read_form
from tests.moodle.peer.wire import Request

if TYPE_CHECKING:
    from tests.moodle.peer.peer import MoodlePeer

PATH = "/webservice/rest/server.php"
SETTINGS = ("moodlewssettingraw", "moodlewssettingfilter", "moodlewssettingfileurl", "moodlewssettinglang")

__all__ = ["PATH", "Asked", "functions", "perform", "read_call"]


@dataclass(frozen=True)
class Asked:
    """What a request says beside its arguments."""

    call: Call
    token: str
    wants_json: bool

    @property
    def content_type(self) -> str:
        return JSON_TYPE if self.wants_json else XML_TYPE


def read_call(request: Request, number: int, max_input_vars: int) -> Asked:
    """Understand a request as PHP and Moodle do: query and form only, each cut at the limit."""
    query = read_form(urlsplit(request.target).query.encode("ascii", "replace"), max_input_vars)
    is_form = request.content_type.startswith("application/x-www-form-urlencoded")
    form = read_form(request.body if is_form else b"", max_input_vars)
    nested: dict[str, Any] = {**query.nested, **form.nested}
    # Without it Moodle answers in XML: a form cut short loses its format as well.
    wanted = nested.pop("moodlewsrestformat", "xml")
    token, name = nested.pop("wstoken", ""), nested.pop("wsfunction", "")
    for setting in SETTINGS:
        nested.pop(setting, None)
    call = Call(number, str(name), query.sent + form.sent, nested, query.names + form.names)
    return Asked(call, str(token), wanted == "json")


def perform(peer: MoodlePeer, asked: Asked, fault: Fault | None) -> bytes:
    """Carry a call out and write its answer; `WorkerKilled` when a fault killed the worker in the middle."""
    call, site = asked.call, peer.site
    try:
        value = run(peer, asked, fault)
    except MoodleError as error:
        call.outcome = error.errorcode
        if asked.wants_json:
            return as_json(error.document(debug=site.debug))
        return error_as_xml(error, debug=site.debug)
    call.outcome = "ok"
    return as_json(value) if asked.wants_json else as_xml(value)


def run(peer: MoodlePeer, asked: Asked, fault: Fault | None) -> Any:
    site = peer.site
    found = admitted(peer, asked)
    arguments = found.arguments.check(asked.call.params, "")
    seconds = delay_of(peer, found, arguments)
    if not found.transactional:
        work_for(peer, seconds)

    def pause() -> None:
        """Between the checks and the writes: the site is unlocked, so others may pass the same checks."""
        site.lock.release()
        try:
            work_for(peer, seconds)
            if site.between_check_and_insert is not None:
                site.between_check_and_insert(found.name)
        finally:
            site.lock.acquire()

    killed = fault is not None and fault.kind == "killed_midway"
    with site.lock:
        value = found.run(Visit(site, found.name, pause, killed), arguments)
    if killed:
        raise WorkerKilled
    if peer.delays is not None:
        work_for(peer, peer.delays.reading_seconds(found.name, arguments, value))
    return value


def admitted(peer: MoodlePeer, asked: Asked) -> Function:
    """The function, when token and service allow it."""
    site, name = peer.site, asked.call.function
    if asked.token != site.token:
        raise moodle_exception("invalidtoken", "Invalid token - token not found")
    if name not in FUNCTIONS:
        raise missing_record(table="external_functions")
    if name not in site.functions:
        raise MoodleError(
            "webservice_access_exception",
            "accessexception",
            "Access control exception",
            f"Access to the function {name}() is not allowed.",
        )
    if "webservice/rest:use" not in site.capabilities:
        raise MoodleError(
            "webservice_access_exception",
            "accessexception",
            "Access control exception",
            "You are not allowed to use the {$a} protocol (missing capability: webservice/rest:use)",
        )
    return FUNCTIONS[name]


def delay_of(peer: MoodlePeer, found: Function, arguments: dict[str, Any]) -> float:
    if peer.delays is None:
        return 0.0
    passwords = 0
    if found.name == "core_user_update_users":
        passwords = sum("password" in item for item in arguments["users"])
    return peer.delays.seconds(found.name, found.count(arguments), passwords)


def work_for(peer: MoodlePeer, seconds: float) -> None:
    """Take time, on one of the machine's cores."""
    if seconds > 0:
        with peer.cores:
            peer.stopping.wait(seconds)


def new_cores() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(CORES)
