"""The one way in which this program calls other servers (DESIGN section 8).

https only, certificates verified, no redirects followed, private addresses refused, one deadline for the whole
exchange, a limit on the size of the answer. `SHOPSEATS_PRIVATE_HOSTS` names the hosts that may be spoken to by plain
http and at a private address. Connections are kept and used again; a client may be shared by threads.

Two errors, because callers must know whether something may have happened over there:

- `NotSent`: not a byte of the request has left. Nothing can have happened.
- `OutcomeUnknown`: the request, or a part of it, had left.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.response import assert_header_parsing

MEGABYTE = 1024 * 1024
KEPT_CONNECTIONS = 4  # per host
# Many servers close a connection that was idle for 5 seconds. A request that meets the closing has an unknown outcome.
IDLE_SECONDS = 4.0


class HttpFailed(Exception):
    """No answer was received; the text names the host and the reason, and holds nothing of the request."""


class NotSent(HttpFailed):
    """Not a byte of the request has left: nothing can have happened."""


class OutcomeUnknown(HttpFailed):
    """The request had begun to leave: it may have been carried out, or may still be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever the status. The names of headers know no case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as the sockets underneath need to know it."""

    deadline: float  # of time.monotonic()
    private_allowed: bool
    sent: int = 0  # bytes that the system has taken over
    connected: bool = False  # by this exchange; else on a connection that was kept

    def remaining(self) -> float:
        """Seconds left, more than 0; raises TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


_exchange: ContextVar[_Exchange] = ContextVar("exchange")


class _HeldSocket(socket.socket):
    """Holds every read and write to the deadline, so that an answer arriving byte by byte meets it too."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_exchange.get().remaining())
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_exchange.get().remaining())
        count = super().send(*args, **kwargs)
        _exchange.get().sent += count
        return count


class _PlainSocket(_HeldSocket):
    def sendall(self, data: Any, flags: int = 0) -> None:
        with memoryview(data) as view, view.cast("B") as rest:
            count = 0
            while count < len(rest):
                count += self.send(rest[count:], flags)


class _TlsSocket(_HeldSocket, ssl.SSLSocket):
    """The same for TLS, whose sendall() is made of send()."""


class _RefusedAddress(OSError):
    """The host has no address that may be called."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public Internet; those inside IPv6 addresses count as well."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour
        if inside is None and ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inside or ip
    return ip.is_global and not ip.is_multicast


def _resolve(host: str, port: int, seconds: float) -> list[tuple[int, Any]]:
    """The addresses of a host as (family, socket address). The system's resolver knows no deadline, hence the thread."""
    found: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error if isinstance(error, OSError) else OSError("is no host name"))

    threading.Thread(target=look, name="resolver", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the host name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return [(family, address) for family, _type, _protocol, _name, address in answer]


def _connect(host: str, port: int) -> socket.socket:
    """A connection to the first address that may be called and answers.

    The address that was checked is the one connected to: a name that resolves differently the second time gains nothing.
    """
    exchange = _exchange.get()
    exchange.connected = True
    places = _resolve(host, port, exchange.remaining())
    allowed = [place for place in places if exchange.private_allowed or is_public(place[1][0])]
    if not allowed:
        raise _RefusedAddress("has a private address")
    failure: OSError = OSError("has no address")
    for family, address in allowed:
        sock = _PlainSocket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(exchange.remaining())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(exchange.remaining())  # for the TLS handshake
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


class _Kept:
    """What both kinds of connections have in common."""

    host: str
    port: int
    used_at: float = 0.0

    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port)

    def getresponse(self) -> Any:
        self.used_at = time.monotonic()
        response = super().getresponse()  # type: ignore[misc]
        try:  # headers that end in the middle are only logged otherwise
            assert_header_parsing(response._original_response.msg)  # noqa: SLF001
        except HTTPError:
            response.close()
            raise
        return response

    @property
    def is_connected(self) -> bool:
        """Whether a kept connection may be used again."""
        return bool(super().is_connected) and time.monotonic() - self.used_at < IDLE_SECONDS  # type: ignore[misc]


class _HttpConnection(_Kept, HTTPConnection):
    pass


class _HttpsConnection(_Kept, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class HttpClient:
    """Calls other servers. One per process is enough: `outbound()`."""

    def __init__(
        self, *, private_hosts: Collection[str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Without `private_hosts` those of SHOPSEATS_PRIVATE_HOSTS; without `tls` the system's authorities."""
        self._private_hosts = private_hosts
        self._tls = tls or ssl.create_default_context()
        self._tls.sslsocket_class = _TlsSocket
        self._lock = threading.Lock()
        self._owner = 0
        self._pools = urllib3.PoolManager()

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        limit: int = 32 * MEGABYTE,
    ) -> Answer:
        """Send one request and read the answer, whatever its status; a redirect is an answer like others.

        `timeout`: seconds for all of it, from looking up the name to the last byte. `limit`: bytes of the answer.
        Raises NotSent and OutcomeUnknown.
        """
        parts, private_allowed = self._checked(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        deadline = time.monotonic() + timeout
        sending = {"User-Agent": "Shopseats", "Accept-Encoding": "identity", **(headers or {})}
        for _attempt in range(KEPT_CONNECTIONS + 1):
            exchange = _Exchange(deadline=deadline, private_allowed=private_allowed)
            token = _exchange.set(exchange)
            try:
                return self._exchange(method, parts, target, body, sending, limit)
            except (HTTPError, HTTPException, OSError, ValueError) as error:
                reason = f"{parts.hostname}: {_reason(error, timeout)}"
                if exchange.sent:
                    raise OutcomeUnknown(reason) from None
                # A kept connection that the server had closed before anything was written: take the next one.
                if exchange.connected or time.monotonic() >= deadline:
                    raise NotSent(reason) from None
            finally:
                _exchange.reset(token)
        raise NotSent(reason)

    def _exchange(
        self,
        method: str,
        parts: SplitResult,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        limit: int,
    ) -> Answer:
        remaining = _exchange.get().remaining()
        response = self._pool(parts).urlopen(
            method,
            target,
            body=body or None,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=remaining, read=remaining),
        )
        received = bytearray()
        try:
            while chunk := response.read(65536):
                received += chunk
                if len(received) > limit:
                    raise HTTPException(f"the answer is longer than {limit} bytes")
        except BaseException:
            response.close()  # the rest would be read as the next answer
            raise
        response.release_conn()
        return Answer(response.status, response.headers, bytes(received))

    def _pool(self, parts: SplitResult) -> HTTPConnectionPool:
        with self._lock:
            # Two processes must not speak on one connection: a forked one starts without any.
            if self._owner != os.getpid():
                self._owner = os.getpid()
                self._pools = urllib3.PoolManager(
                    maxsize=KEPT_CONNECTIONS, ssl_context=self._tls, cert_reqs="CERT_REQUIRED"
                )
                self._pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
            return self._pools.connection_from_host(parts.hostname, parts.port, scheme=parts.scheme)

    def _checked(self, url: str) -> tuple[SplitResult, bool]:
        """The parts of an address that may be called, and whether it may be a private one."""
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise NotSent("This is no address.") from None
        if not host or not url.isascii() or not url.isprintable() or " " in url:
            raise NotSent("This is no address.")
        if parts.username is not None or parts.password is not None:
            raise NotSent(f"{host}: an address must not hold a user name.")
        allowed = self._private_hosts
        private_allowed = host in (settings.SHOPSEATS_PRIVATE_HOSTS if allowed is None else allowed)
        if parts.scheme != "https" and not (parts.scheme == "http" and private_allowed):
            raise NotSent(f"{host}: only https is spoken.")
        return parts, private_allowed


def _reason(error: Exception, timeout: float) -> str:
    """Why there is no answer, in words that hold nothing of what was sent."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, TimeoutError):
            return f"no answer within {timeout:g} s"
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"the certificate is refused ({inner.verify_message})"
        if isinstance(inner, OSError) and not isinstance(inner, HTTPError):
            return inner.strerror or str(inner) or type(inner).__name__
        inner = inner.__cause__ or inner.__context__
    return str(error) if type(error) is HTTPException else type(error).__name__


@cache
def outbound() -> HttpClient:
    """The client of this process."""
    return HttpClient()
