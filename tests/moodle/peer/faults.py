"""What can go wrong on the way to a site and back, planned by a test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.moodle.peer.calls import Call

Kind = Literal[
    "refuse_connection",  # reset; nothing happens. With a number for `when` before anything is read
    "timeout_before",  # held without an answer; never happens
    "timeout_late",  # held until released or the client has left, and only then done
    "timeout_after",  # done, then held without an answer
    "reset_after",  # done, then the connection is reset
    "close_after",  # done, then the connection is closed in order, without an answer
    "bad_gateway_before",  # 502 and HTML: the worker was killed, its transaction rolled back
    "bad_gateway_after",  # done, then 502 and HTML
    "killed_midway",  # the worker dies in the middle: what is not one transaction stays half done; 502 and HTML
    "garbage_after",  # done, then a body that is no JSON
    "truncated_after",  # done, then the first half of the body, and the connection is closed
    "html_prefix_after",  # done, then HTML and behind it the JSON
    "slow_drip",  # done, then blanks one by one for ever
    "huge",  # done, then a body without an end
    "type_error",  # an error of PHP's own, which has no errorcode; nothing happens
    "maintenance",  # 503 and HTML; nothing happens
    "redirect",  # 302 to another page of this site; nothing happens
]
BEFORE = frozenset(
    {"refuse_connection", "timeout_before", "bad_gateway_before", "type_error", "maintenance", "redirect"}
)
"""Kinds after which nothing has happened."""

When = int | str | Callable[[Call], bool] | None


@dataclass
class Fault:
    """One fault. `when`: the number of the call (from 1), a function's name, a predicate, or None for the next call.

    `skip` lets so many matching calls pass first; `times` is how often it strikes. `reached` is set when it strikes,
    and `release()` ends whatever it holds. `seconds` is the pace of a slow drip.
    """

    when: When
    kind: Kind
    times: int = 1
    skip: int = 0
    seconds: float = 0.05
    reached: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.released.set()

    def fits(self, call: Call) -> bool:
        if self.when is None:
            return True
        if isinstance(self.when, int):
            return call.number == self.when
        if isinstance(self.when, str):
            return call.function == self.when
        return self.when(call)


class FaultPlan:
    """The faults still to come; the first that fits a call strikes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._all: list[Fault] = []

    def add(self, when: When, kind: Kind, *, times: int = 1, skip: int = 0, seconds: float = 0.05) -> Fault:
        """Plan a fault and hand it back, so that a test can wait for it and release it."""
        fault = Fault(when, kind, times, skip, seconds)
        self.append(fault)
        return fault

    def append(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)
            self._all.append(fault)

    def clear(self) -> None:
        """Forget what is still to come, and let go of what is held."""
        with self._lock:
            self._waiting.clear()
            everything, self._all = self._all, []
        for fault in everything:
            fault.release()

    @property
    def waiting(self) -> list[Fault]:
        """What has not struck yet."""
        with self._lock:
            return list(self._waiting)

    def take(self, call: Call) -> Fault | None:
        """The fault that strikes this call, if any."""
        with self._lock:
            for fault in self._waiting:
                if not fault.fits(call):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                return self._strike(fault)
        return None

    def take_unread(self, number: int) -> Fault | None:
        """The reset that is planned for the call with this number, which has not been read yet."""
        with self._lock:
            for fault in self._waiting:
                if fault.kind == "refuse_connection" and fault.when == number:
                    return self._strike(fault)
        return None

    def _strike(self, fault: Fault) -> Fault:
        fault.times -= 1
        if fault.times <= 0:
            self._waiting.remove(fault)
        fault.reached.set()
        return fault
