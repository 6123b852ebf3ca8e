"""One process at a time writes to a site: Moodle itself keeps nothing from being made twice.

Four identical calls at the same moment make four users with one address, four courses of one short name, four groups
of one name. So whoever writes holds the row `PlatformSite` of the site: taken by one UPDATE, renewed while he is at it,
free again when he is done, and taken over when his time has ended because he is gone.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.models import PlatformSite
from courses.moodle.errors import MoodleAway, TurnLost

MARGIN = 30.0  # seconds that a holder has besides his call
WAIT = 30.0  # seconds
SHORTEST_LOOK, LONGEST_LOOK = 0.02, 0.25  # seconds between two looks of who waits
SETTLE = 20.0  # seconds at most


class Turn:
    """The site is ours. Belongs to the thread that took it."""

    def __init__(self, platform: str, holder: str, attempt: int, seconds: float) -> None:
        self.platform = platform
        self._mine = Q(platform=platform, lease_holder=holder, lease_attempt=attempt)
        self._seconds = seconds
        self._free_at: datetime | None = None
        self._renewed = time.monotonic()

    def check(self) -> None:
        """Hold the site for a whole call more. Raises TurnLost when somebody else has taken it over."""
        until = timezone.now() + timedelta(seconds=self._seconds)
        if not PlatformSite.objects.filter(self._mine).update(lease_until=until):
            raise TurnLost(_("Another process has gone on with this."))
        self._renewed = time.monotonic()

    def keep(self) -> None:
        """The same, where it is about time."""
        if not 0 <= time.monotonic() - self._renewed < self._seconds / 3:
            self.check()

    def leave_later(self, seconds: float) -> None:
        """A call may still be carried out over there: nobody may look, and write, before it is over."""
        self._free_at = timezone.now() + timedelta(seconds=seconds)

    def leave(self) -> None:
        """Let the next one write."""
        PlatformSite.objects.filter(self._mine).update(lease_holder="", lease_until=self._free_at)


_turns: ContextVar[dict[str, Turn] | None] = ContextVar("turns", default=None)


def current(platform: str) -> Turn | None:
    """The turn that this thread has, if it has one."""
    return (_turns.get() or {}).get(platform)


@contextmanager
def holding(platform: str, *, seconds: float, wait: float = WAIT) -> Iterator[Turn]:
    """Wait for the site, at most `wait` seconds, and hold it; may be nested in a thread.

    `seconds`: how long the longest call takes. Raises MoodleAway when somebody else does not let go of it.
    """
    turn = current(platform)
    if turn is not None:
        yield turn
        return
    turn = _taken(platform, seconds + MARGIN, wait)
    token = _turns.set({**(_turns.get() or {}), platform: turn})
    try:
        yield turn
    finally:
        _turns.reset(token)
        turn.leave()


def _taken(platform: str, seconds: float, wait: float) -> Turn:
    holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:12]}"
    waited, pause = 0.0, SHORTEST_LOOK
    while True:
        now = timezone.now()
        free = PlatformSite.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), platform=platform)
        if free.exists():
            until = now + timedelta(seconds=seconds)
            if free.update(lease_holder=holder, lease_until=until, lease_attempt=F("lease_attempt") + 1):
                row = PlatformSite.objects.get(platform=platform)
                return Turn(platform, holder, row.lease_attempt, seconds)
        elif not PlatformSite.objects.filter(platform=platform).exists():
            PlatformSite.objects.bulk_create([PlatformSite(platform=platform)], ignore_conflicts=True)
            continue
        if waited >= wait:
            raise MoodleAway(_("Another process is writing to Moodle, and has not finished yet."))
        time.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, LONGEST_LOOK)
