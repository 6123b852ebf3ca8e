"""No test reaches the network: a connection that leaves the machine raises instead of happening."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.plugins import services


class OutgoingConnectionError(RuntimeError):
    """A test tried to talk to another machine."""


def allowed_hosts() -> set[str]:
    """Loopback, and the servers that whoever started the suite named himself."""
    hosts = {"localhost", ""}
    for name in ("DATABASE_URL", services.REDIS_VARIABLE, "MOODLE_TEST_URL"):
        host = urlsplit(os.environ.get(name, "")).hostname
        if host:
            hosts.add(host)
            hosts.update(addresses_of(host))
    return hosts


def addresses_of(host: str) -> set[str]:
    """The numeric addresses of a host, or none when its name is unknown."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def is_allowed(host: object, allowed: set[str]) -> bool:
    """Whether a test may resolve or reach this host (None means this machine)."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in allowed:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _no_outgoing_connections() -> Iterator[None]:
    allowed = allowed_hosts()
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex
    real_getaddrinfo = socket.getaddrinfo

    def guard(host: object) -> None:
        if not is_allowed(host, allowed):
            raise OutgoingConnectionError(f"tests may not reach {host!r}")

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            guard(address[0])
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            guard(address[0])
        return real_connect_ex(self, address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        guard(host)
        return real_getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield
