"""A real Redis for the tests that ask for one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis

from tests.plugins import services

DATABASES = range(1, 16)
CLAIM_SECONDS = 600


def with_database(url: str, number: int) -> str:
    """The same server, another of its numbered databases."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


@pytest.fixture
def redis_url() -> Iterator[str]:
    """URL of an empty database on the server at REDIS_URL, nobody else's while the test runs.

    Only a database that is empty is ever taken, so only what the test wrote is removed afterwards.
    """
    url = os.environ[services.REDIS_VARIABLE]
    mine = uuid.uuid4().hex
    with redis.Redis.from_url(url) as registry:
        for number in DATABASES:
            claim = f"shopseats-test-claim-{number}"
            candidate = with_database(url, number)
            if candidate == url or not registry.set(claim, mine, nx=True, ex=CLAIM_SECONDS):
                continue
            with redis.Redis.from_url(candidate) as client:
                if not client.dbsize():
                    yield candidate
                    client.flushdb()
                    registry.delete(claim)
                    return
            registry.delete(claim)
    pytest.fail("every numbered database of the Redis server holds something")
