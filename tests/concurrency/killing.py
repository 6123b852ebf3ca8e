"""Killing a process at every point at which its work could be interrupted.

A story is a function that changes the database. It runs in a forked child which is ended by `os._exit` (no clean-up,
no rollback of ours, no `finally`) right after its n-th step, a step being one SQL statement or one COMMIT. So both
sides of each commit are visited: its last statement done but not committed, and committed with nothing after it.
With `of=calls` a step is one call to another server that has left, and one whose answer is there.

    total = count_steps(story)
    for step in range(1, total + 1):
        assert run_killed(story, after=step)
        … resume, and compare with the end state without a kill …

Tests that use it need PostgreSQL and real transactions: `needs_postgresql` and `django_db(transaction=True)`.
"""

from __future__ import annotations

import os
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from common import http

KILLED = 77
FAILED = 1


class StoryFailed(AssertionError):
    """The child ended with an exception of its own; the traceback is in its output."""


Counting = Callable[[Callable[[], None]], None]
"""Makes a process, which never gets rid of it again, call a function at each step."""


def statements(count: Callable[[], None]) -> None:
    """A step is one SQL statement or one COMMIT."""

    def statement(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        result = execute(sql, params, many, context)
        count()
        return result

    connection.execute_wrappers.append(statement)
    database: Any = connection
    commit = database._commit

    def counted_commit() -> None:
        commit()
        count()

    database._commit = counted_commit


def calls(count: Callable[[], None]) -> None:
    """A step is one call to another server whose last byte has left, or whose answer has come."""
    kept: Any = http._Kept
    wait, request = kept.getresponse, http.HttpClient.request

    def counted_wait(self: Any) -> Any:
        count()
        return wait(self)

    def counted_request(*args: Any, **kwargs: Any) -> Any:
        answer = request(*args, **kwargs)
        count()
        return answer

    kept.getresponse = counted_wait
    client: Any = http.HttpClient
    client.request = counted_request


def count_steps(story: Callable[[], object], *, of: Counting = statements) -> int:
    """Run the story to its end in a child; returns its number of steps."""
    code, steps = _in_child(story, after=None, of=of)
    if code != 0:
        raise StoryFailed(f"exit code {code}")
    return steps


def run_killed(story: Callable[[], object], *, after: int, of: Counting = statements) -> bool:
    """Run the story in a child and kill it right after so many steps; returns False when it ended before that."""
    code, _steps = _in_child(story, after=after, of=of)
    if code not in (0, KILLED):
        raise StoryFailed(f"exit code {code} (wanted to kill after step {after})")
    return code == KILLED


def _in_child(story: Callable[[], object], *, after: int | None, of: Counting) -> tuple[int, int]:
    """Exit code and number of steps of a child that runs the story."""
    # A connection that two processes share would end for both when the child dies.
    connections.close_all()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of threads; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run(story, after, of, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), struct.unpack("!q", told)[0] if told else 0


def _run(story: Callable[[], object], after: int | None, of: Counting, writing: int) -> None:
    """The child. It never returns."""
    code = FAILED
    try:
        steps = _Steps(after)
        of(steps.count)
        story()
        os.write(writing, struct.pack("!q", steps.done))
        code = 0
    except Exception:  # noqa: BLE001 - the parent learns from the exit code, the reader from the output
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Steps:
    def __init__(self, after: int | None) -> None:
        self.after = after
        self.done = 0

    def count(self) -> None:
        self.done += 1
        if self.done == self.after:
            os._exit(KILLED)
