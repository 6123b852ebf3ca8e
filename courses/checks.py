"""System checks: the server does not start with a course platform that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from courses.moodle.connection import NAME as MOODLE
from courses.platforms import PLATFORMS


@register()
def check_platform(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a COURSE_PLATFORM that names no platform, and with a remote one eager tasks (DESIGN section 6) and temporary passwords."""
    make = PLATFORMS.get(settings.COURSE_PLATFORM)
    if make is None:
        return [
            Error(
                f"COURSE_PLATFORM names no platform: {settings.COURSE_PLATFORM!r}.",
                hint=f"Use one of: {', '.join(sorted(PLATFORMS))}.",
                id="courses.E001",
            )
        ]
    platform = make()
    problems: list[CheckMessage] = []
    if platform.keeps_passwords and settings.SHOPSEATS_CREDENTIALS == "password":
        problems.append(
            Error(
                "SHOPSEATS_CREDENTIALS=password makes temporary passwords of the shop, which open no course: "
                "participants have their one password on the course platform.",
                hint="Use SHOPSEATS_CREDENTIALS=link.",
                id="courses.E003",
            )
        )
    if platform.is_remote and settings.CELERY_TASK_ALWAYS_EAGER:
        problems.append(
            Error(
                "A remote course platform needs a broker: its calls must not run inside a web request.",
                hint="Set REDIS_URL and start a worker.",
                id="courses.E002",
            )
        )
    return problems


@register()
def check_moodle(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """With COURSE_PLATFORM=moodle, refuse settings with which no call could succeed. Asks nobody."""
    if settings.COURSE_PLATFORM != MOODLE:
        return []
    found: list[CheckMessage] = [
        *_url_problems(settings.MOODLE_URL),
        *_token_problems(settings.MOODLE_TOKEN),
        *_role_problems(settings.MOODLE_ROLES),
    ]
    oversight = settings.MOODLE_OVERSIGHT_ROLE
    if oversight and not _is_id(oversight):
        found.append(
            Error(
                f"MOODLE_OVERSIGHT_ROLE is no number of a role: {oversight!r}.",
                hint="Leave it out, or write the number that Moodle shows in the address of the role's page.",
                id="courses.E013",
            )
        )
    if settings.MOODLE_TIMEOUT <= 0:
        found.append(
            Error("MOODLE_TIMEOUT must be more than 0.", hint="Leave it out: 60 seconds.", id="courses.E014")
        )
    return found


def _url_problems(url: str) -> Iterator[CheckMessage]:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    odd = parts.query or parts.fragment or parts.username is not None or parts.password is not None
    # Not shown: it may hold a password.
    wrong = "MOODLE_URL is missing or is no address of a site."
    if not host or parts.scheme not in {"http", "https"} or odd or not re.fullmatch(r"[!-~]+", url):
        yield Error(wrong, hint="Write Moodle's wwwroot: https://moodle.example.org", id="courses.E010")
    elif parts.scheme == "http" and host not in settings.SHOPSEATS_PRIVATE_HOSTS:
        yield Error(
            f"MOODLE_URL begins with http: {host} would be sent the token and passwords in the clear.",
            hint="Use https; in a network of your own, name the host in SHOPSEATS_PRIVATE_HOSTS.",
            id="courses.E010",
        )


def _token_problems(token: str) -> Iterator[CheckMessage]:
    if not re.fullmatch(r"[A-Za-z0-9]+", token):  # never shown
        yield Error(
            "MOODLE_TOKEN is missing or is no token: letters and digits.",
            hint="Make one in Moodle: Site administration > Server > Web services > Manage tokens.",
            id="courses.E011",
        )


def _role_problems(text: str) -> Iterator[CheckMessage]:
    hint = "Write our roles and the numbers of Moodle's: student:5,teacher:4"
    names: list[str] = []
    numbers: list[int] = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _colon, number = (part.strip() for part in item.partition(":"))
        if not name or not _is_id(number):
            yield Error(f"MOODLE_ROLES: {item!r} is no role and its number.", hint=hint, id="courses.E012")
            continue
        if name in names:
            yield Error(f"MOODLE_ROLES names {name!r} twice.", hint=hint, id="courses.E012")
        if int(number) in numbers:
            yield Error(f"MOODLE_ROLES has the number {number} twice.", hint=hint, id="courses.E012")
        names.append(name)
        numbers.append(int(number))
    for name in ("student", "teacher"):
        if name not in names:
            yield Error(f"MOODLE_ROLES gives no number to {name!r}.", hint=hint, id="courses.E012")


def _is_id(text: str) -> bool:
    return re.fullmatch(r"0*[1-9][0-9]{0,17}", text) is not None
