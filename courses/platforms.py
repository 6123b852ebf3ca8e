"""Which course platform this installation uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from courses.builtin.platform import BuiltinPlatform
from courses.moodle.platform import MoodlePlatform
from courses.platform import CoursePlatform

PLATFORMS: dict[str, Callable[[], CoursePlatform]] = {
    "builtin": BuiltinPlatform,
    "moodle": MoodlePlatform,
}


def get_platform() -> CoursePlatform:
    """The platform named by COURSE_PLATFORM; raises ImproperlyConfigured for an unknown name."""
    return _platform(settings.COURSE_PLATFORM)


@cache
def _platform(name: str) -> CoursePlatform:
    try:
        return PLATFORMS[name]()
    except KeyError:
        raise ImproperlyConfigured(f"COURSE_PLATFORM: there is no platform {name!r}.") from None
