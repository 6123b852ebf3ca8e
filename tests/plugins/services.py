"""Which of the services that some tests need are there."""

from __future__ import annotations

import os
import shutil
from functools import cache

import redis

# The plugin moves REDIS_URL here before the settings are read.
REDIS_VARIABLE = "SHOPSEATS_TEST_REDIS_URL"
LABELS = {"postgresql": "PostgreSQL", "redis": "Redis", "browser": "Chromium"}


def postgresql_missing() -> str:
    """Why there is no PostgreSQL, or nothing. The suite runs on the database that DATABASE_URL names."""
    scheme = os.environ.get("DATABASE_URL", "").partition("://")[0]
    return "" if scheme.startswith(("postgres", "pgsql")) else "DATABASE_URL names no PostgreSQL"


@cache
def redis_missing() -> str:
    """Why there is no Redis, or nothing."""
    url = os.environ.get(REDIS_VARIABLE, "")
    if not url:
        return "REDIS_URL is not set"
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return f"the server at REDIS_URL does not answer: {type(error).__name__}"
    return ""


def chromium() -> str | None:
    """Path of the browser: ``$CHROMIUM`` and no other when that is set, else the distribution's."""
    named = os.environ.get("CHROMIUM")
    candidates = (named,) if named else ("/usr/bin/chromium", "chromium", "chromium-browser")
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def browser_missing() -> str:
    """Why there is no Chromium, or nothing."""
    return "" if chromium() else "no chromium on the PATH and CHROMIUM not set"


def missing() -> dict[str, str]:
    """The services that are not there, each with the reason."""
    reasons = {
        "postgresql": postgresql_missing(),
        "redis": redis_missing(),
        "browser": browser_missing(),
    }
    return {name: reason for name, reason in reasons.items() if reason}
