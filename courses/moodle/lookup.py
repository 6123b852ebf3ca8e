"""Looking people of the site up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from common.cutting import cut
from common.emailkey import email_key
from courses.moodle.connection import Connection
from courses.moodle.errors import MoodleMisconfigured, MoodleRefused
from courses.platform import Refusal

AT_ONCE = 800  # values per call, each a variable


@dataclass(frozen=True, slots=True)
class RemoteUser:
    """A user as Moodle tells it."""

    id: int
    username: str
    email: str
    suspended: bool
    confirmed: bool
    auth: str

    @property
    def problem(self) -> Refusal | None:
        """Why nobody can come in with this login."""
        if self.suspended:
            return Refusal.LOGIN_SUSPENDED
        if not self.confirmed:
            return Refusal.LOGIN_UNCONFIRMED
        return Refusal.LOGIN_CLOSED if self.auth == "nologin" else None


def by_ids(connection: Connection, numbers: Iterable[int]) -> dict[int, RemoteUser]:
    """The users of these numbers that are there."""
    return {user.id: user for user in _by_field(connection, "id", sorted(set(numbers)))}


def by_usernames(connection: Connection, names: Iterable[str]) -> dict[str, RemoteUser]:
    """The users of these names, which must be well-formed: lower case, no blanks."""
    return {user.username: user for user in _by_field(connection, "username", sorted(set(names)))}


def by_emails(connection: Connection, emails: Iterable[str]) -> dict[str, list[RemoteUser]]:
    """Users by `email_key`, oldest first, of addresses written as they are here or in lower case.

    One call. Moodle compares exactly: an address that it keeps in another case is not found (`by_email_in_any_case`).
    Two users may have one address.
    """
    forms = sorted({form for email in emails for form in (email, email_key(email))})
    found: dict[str, list[RemoteUser]] = {}
    for user in sorted(_by_field(connection, "email", forms), key=lambda user: user.id):
        found.setdefault(email_key(user.email), []).append(user)
    return found


def by_email_in_any_case(connection: Connection, email: str) -> list[RemoteUser]:
    """The users of one address, oldest first, in whatever case Moodle keeps it.

    The criterion is a pattern in which `_` and `%` stand for others; what it finds is compared here once more.
    """
    pattern = re.sub(r"([\\%_])", r"\\\1", email_key(email))
    told = connection.read("core_user_get_users", {"criteria": [{"key": "email", "value": pattern}]})
    users = [_user(one) for one in told["users"]]
    return sorted((one for one in users if email_key(one.email) == email_key(email)), key=lambda one: one.id)


def _by_field(connection: Connection, field: str, values: Sequence[object]) -> list[RemoteUser]:
    found = []
    for part in cut(values, AT_ONCE):
        found += _part(connection, field, part)
    return found


def _part(connection: Connection, field: str, values: Sequence[object]) -> list[RemoteUser]:
    """One value that Moodle finds malformed spoils the whole list: halves are asked until it is left out."""
    try:
        told = connection.read("core_user_get_users_by_field", {"field": field, "values": list(values)})
    except MoodleRefused:
        if len(values) == 1:
            return []
        half = len(values) // 2
        return _part(connection, field, values[:half]) + _part(connection, field, values[half:])
    return [_user(one) for one in told]


def _user(told: dict[str, Any]) -> RemoteUser:
    if "username" not in told:
        text = _(
            "The service user may not see the user names of others: give his role moodle/user:viewalldetails."
        )
        raise MoodleMisconfigured(text, code="nopermissions", whole_site=False)
    return RemoteUser(
        id=int(told["id"]),
        username=str(told["username"]),
        email=str(told.get("email", "")),
        suspended=bool(told.get("suspended", False)),
        confirmed=bool(told.get("confirmed", True)),
        auth=str(told.get("auth", "manual")),
    )
