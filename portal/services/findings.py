"""What reconciling finds, and what it can repair."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Repair(StrEnum):
    """What may be asked for. `SEATS` is about enrolments that somebody ended on the platform."""

    LOGINS = "logins"
    ADDRESSES = "addresses"
    ENROLMENTS = "enrolments"
    SEATS = "seats"


@dataclass(slots=True)
class Finding:
    """Where the course platform and our rows differ.

    `kind`: `missing` (not enrolled there), `suspended` or `ended` (there, while it lasts here), `address` (another
    one there), `login` (gone there), `course` (gone there, or a copy that was never finished). `platform` and `ours`
    say what each holds; `repair` what would mend it, nothing when a person must; `note` why not.
    """

    kind: str
    email: str = ""
    seat: str = ""
    space: str = ""
    course: str = ""
    platform: str = ""
    ours: str = ""
    repair: str = ""
    done: bool = False
    note: str = ""
    key: Any = field(default=None, repr=False)  # what a repair needs to find it again

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "key"}
