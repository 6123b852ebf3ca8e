"""Our roles and the numbers of Moodle's: MOODLE_ROLES (`student:5,teacher:4`). No web service tells them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings

from courses.builtin.roles import ROLES
from courses.platform import Role


def role_ids() -> dict[str, int]:
    """Moodle's number of each role that is mapped, in the order of the setting; what is malformed is left out."""
    return dict(_parsed(settings.MOODLE_ROLES))


def offered() -> list[Role]:
    """The roles that may be given: those that are mapped. One that we have no words for is called by its name."""
    return [ROLES.get(name) or Role(name, name) for name in role_ids()]


def present_role(told: Iterable[dict[str, object]]) -> tuple[str, int | None]:
    """What to call the roles that Moodle tells of somebody in a course, and the number of the one that was chosen.

    The first of ours that he has, in the order of the setting; else Moodle's short name of his first; ("", None)
    without any.
    """
    names = {int(str(role["roleid"])): str(role.get("shortname", "")) for role in told}
    for name, number in role_ids().items():
        if number in names:
            return name, number
    return next(((name, number) for number, name in names.items()), ("", None))


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in text.split(","):
        name, _colon, number = item.partition(":")
        if name.strip() and number.strip().isdecimal() and int(number) > 0:
            found.append((name.strip(), int(number)))
    return tuple(found)
