"""The line to the Moodle site of this installation, as everything behind the port uses it.

*Reading* raises PlatformAway when there is no answer. *Writing* raises PlatformAway when nothing has happened and
OutcomeUnknown when something may have. Both raise MoodleRefused when Moodle answers that it will not.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from django.conf import settings

from common.http import outbound
from courses.moodle.client import MoodleClient
from courses.moodle.encoding import Params
from courses.moodle.errors import OutcomeUnknown
from courses.moodle.gate import Gate
from courses.moodle.turns import Turn
from courses.platform import PlatformAway

NAME = "moodle"


class Connection:
    """One site. May be shared by threads."""

    def __init__(self, client: MoodleClient) -> None:
        self._gate = Gate(client, NAME)

    def read(self, function: str, params: Params, *, timeout: float | None = None) -> Any:
        """Ask something that changes nothing. Raises PlatformAway and MoodleRefused."""
        try:
            return self._gate.call(function, params, timeout=timeout)
        except OutcomeUnknown as error:
            raise PlatformAway(str(error)) from error

    def write(self, function: str, params: Params, *, timeout: float | None = None) -> Any:
        """Change something, while the site is held. Raises PlatformAway, OutcomeUnknown and MoodleRefused."""
        return self._gate.write(function, params, timeout=timeout)

    def write_at_once(self, function: str, params: Params, *, timeout: float) -> Any:
        """Change one row of one user, whoever holds the site and also in a web request."""
        return self._gate.call(function, params, timeout=timeout)

    def writing(self) -> AbstractContextManager[Turn]:
        """Hold the site, so that nobody else of ours writes to it. May be nested in a thread."""
        return self._gate.writing()


class OnSite:
    """A part of the platform."""

    @property
    def connection(self) -> Connection:
        """The line to the site that the settings name now."""
        return _connection(settings.MOODLE_URL, settings.MOODLE_TOKEN, settings.MOODLE_TIMEOUT)


@lru_cache(maxsize=4)
def _connection(url: str, token: str, timeout: int) -> Connection:
    return Connection(MoodleClient(url, token, timeout, outbound()))
