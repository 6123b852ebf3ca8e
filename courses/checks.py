"""System checks: the server does not start with a course platform that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

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
