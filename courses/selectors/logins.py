"""The way into courses that live elsewhere: who has which login there, and where a course is opened."""

from __future__ import annotations

from collections.abc import Iterable

from courses.models import PlatformLogin
from courses.platforms import get_platform


def course_login(person_id: int | None) -> PlatformLogin | None:
    """The person's login on a platform that keeps passwords, once the platform has confirmed it. One query.

    None where passwords are the shop's own, without asking.
    """
    if person_id is None:
        return None
    return course_logins([person_id]).get(person_id)


def course_logins(person_ids: Iterable[int]) -> dict[int, PlatformLogin]:
    """As `course_login`, for many; who has none is left out. One query, none on other platforms."""
    platform = get_platform()
    if not platform.keeps_passwords:
        return {}
    found = PlatformLogin.objects.filter(
        person__in=list(person_ids), platform=platform.name, remote_id__isnull=False
    )
    return {login.person_id: login for login in found}


def course_address(course_id: int) -> str:
    """Where the course is opened; empty where its pages are ours."""
    [address] = get_platform().course_urls([course_id])
    return address
