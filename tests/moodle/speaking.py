"""A client that speaks to a server of these tests."""

from __future__ import annotations

from common.http import HttpClient
from courses.moodle.client import MoodleClient

LOOKUP = "core_user_get_users_by_field"
CREATE = "core_user_create_users"
UPDATE = "core_user_update_users"


def speaking_to(url: str, token: str = "t0ken", timeout: float = 20) -> MoodleClient:
    return MoodleClient(url, token, timeout, HttpClient(private_hosts={"127.0.0.1"}))


def new_user(name: str, **more: object) -> dict[str, object]:
    """What core_user_create_users asks for."""
    return {
        "username": name, "firstname": "A", "lastname": "B", "email": f"{name}@example.org", "password": "Long-enough-1",
        **more,
    }  # fmt: skip
