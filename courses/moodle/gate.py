"""What stands before every call to Moodle.

A circuit breaker (circuit.py): a site that does not answer is left alone for a while. A turn (turns.py): one process
at a time writes. And a refusal to call inside a database transaction, which would hold locks for as long as the site
pleases and forget, when it is rolled back, what was done over there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection

from courses.moodle import circuit, turns
from courses.moodle.client import MoodleClient
from courses.moodle.encoding import Params
from courses.moodle.errors import StillRunning


class CalledInTransaction(Exception):
    """A mistake of ours: nothing was sent."""


class Gate:
    """All calls of this process to one site go through here; may be shared by threads."""

    def __init__(self, client: MoodleClient, platform: str) -> None:
        """`platform`: the name of its row `PlatformSite`."""
        self._client = client
        self._platform = platform

    def call(
        self, function: str, params: Params, *, timeout: float | None = None, last: Sequence[str] = ()
    ) -> Any:
        """A call that changes nothing, or one row of one user. Raises what MoodleClient.call raises; MoodleAway also
        while the site is left alone, and CalledInTransaction.
        """
        outside_transactions()
        turn = turns.current(self._platform)
        if turn is not None:
            turn.keep()
        with circuit.passing(self._platform, seconds=self._seconds(timeout)):
            return self._client.call(function, params, timeout=timeout, last=last)

    def write(
        self, function: str, params: Params, *, timeout: float | None = None, last: Sequence[str] = ()
    ) -> Any:
        """A call inside `writing()`. Raises what `call` raises, and TurnLost: then nothing was sent."""
        outside_transactions()
        turn = turns.current(self._platform)
        if turn is None:
            raise RuntimeError(f"{function} outside of writing()")
        turn.check()
        try:
            with circuit.passing(self._platform, seconds=self._seconds(timeout)):
                return self._client.call(function, params, timeout=timeout, last=last)
        except StillRunning:
            # Who looks now may see nothing and make it a second time. It had as long as the call might take already.
            turn.leave_later(min(self._seconds(timeout), turns.SETTLE))
            raise

    def writing(self, *, wait: float = turns.WAIT) -> AbstractContextManager[turns.Turn]:
        """Have the site to ourselves; may be nested in a thread. Raises MoodleAway after `wait` seconds in vain."""
        outside_transactions()
        return turns.holding(self._platform, seconds=self._client.timeout, wait=wait)

    def _seconds(self, timeout: float | None) -> float:
        return self._client.timeout if timeout is None else timeout


def outside_transactions() -> None:
    """Raises CalledInTransaction inside a transaction of ours. The one that a test runs in is none: Django marks it,
    for its own check of durable transactions.
    """
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:  # noqa: SLF001 - Django has no public word for it
        raise CalledInTransaction("Moodle is not called inside a database transaction.")
