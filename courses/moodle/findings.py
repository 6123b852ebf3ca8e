"""What is found out about a Moodle site, and the way it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from courses.models import TEMPORARY
from courses.moodle.client import MoodleClient
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.moodle.mirror import Told
from courses.moodle.needs import FUNCTIONS
from courses.platform import PlatformAway

NAMED = 10  # courses named in a sentence
SERVICE = "Site administration > Server > Web services > External services"
DEFINE = "Site administration > Users > Permissions > Define roles"

NO_ANSWER = (PlatformAway, MoodleRefused, OutcomeUnknown)


class Level(StrEnum):
    OK = "ok"
    INFO = "info"  # nothing to repair, or nothing that can be known without changing something
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One thing that was looked at. `remedy`: what to change, and where in Moodle."""

    check: str
    level: Level
    message: str
    remedy: str = ""


@dataclass(slots=True)
class Look:
    """The site as far as it was seen."""

    client: MoodleClient
    info: dict[str, Any] = field(default_factory=dict)
    courses: list[Told] = field(default_factory=list)
    people: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """By the number of the course; courses whose people could not be listed are not there."""

    def ask(self, function: str, **params: Any) -> Any:
        """Raises PlatformAway, MoodleRefused, OutcomeUnknown; ValueError for what does more than read."""
        if not FUNCTIONS[function].only_reads:
            raise ValueError(f"{function} does not only read")
        return self.client.call(function, params)


def is_temporary(course: Told) -> bool:
    return str(course["shortname"]).startswith(TEMPORARY)


def named(courses: Sequence[Told]) -> str:
    names = ", ".join(str(course["shortname"]) for course in courses[:NAMED])
    more = len(courses) - NAMED
    return f"{names} and {more} more" if more > 0 else names
