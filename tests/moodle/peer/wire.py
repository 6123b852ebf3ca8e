"""HTTP/1.1 on a socket, with everything that a test may want to break."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import BytesParser
from http import HTTPStatus

LONGEST_HEAD = 64 * 1024


class ClientLeft(Exception):
    """The other side closed the connection."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())


class Connection:
    """One connection. Only its own thread reads and writes; others may `drop` it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait_for_bytes(self) -> bool:
        """Wait for the next request without reading it; false when the client has left instead."""
        if self._buffer:
            return True
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def read_request(self) -> Request:
        head = self._read_until(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, target, _ = first.decode("latin-1").split(" ", 2)
        headers = {
            name.lower(): str(value)
            for name, value in BytesParser().parsebytes(rest, headersonly=True).items()
        }
        if headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = self._read_chunks()
        else:
            body = self._read_exactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)

    def answer(self, reply: Reply, *, announced: int | None = None, close: bool = False) -> None:
        """Send a reply; `announced` claims another length than the body has."""
        self.send(
            head_of(reply, len(reply.body) if announced is None else announced, close=close) + reply.body
        )

    def begin_endless(self, content_type: str) -> None:
        """The head of an answer that has no length: it lasts until the connection ends."""
        self.send(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode())

    def send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise ClientLeft from error

    def client_left(self) -> bool:
        try:
            return not self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def reset(self) -> None:
        """End the connection with a reset rather than in order."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.close()

    def drop(self) -> None:
        """Wake whoever reads or writes here; he then finds the connection ended."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _more(self) -> bytes:
        try:
            data = self._sock.recv(65536)
        except OSError as error:
            raise ClientLeft from error
        if not data:
            raise ClientLeft
        return data

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            if len(self._buffer) > LONGEST_HEAD:
                raise ClientLeft
            self._buffer += self._more()
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def _read_exactly(self, length: int) -> bytes:
        pieces, missing = [self._buffer[:length]], length - len(self._buffer)
        self._buffer = self._buffer[length:]
        while missing > 0:
            data = self._more()
            pieces.append(data[:missing])
            self._buffer = data[missing:]
            missing -= len(data)
        return b"".join(pieces)

    def _read_chunks(self) -> bytes:
        pieces = []
        while size := int(self._read_until(b"\r\n").partition(b";")[0], 16):
            pieces.append(self._read_exactly(size))
            self._read_until(b"\r\n")
        self._read_until(b"\r\n")
        return b"".join(pieces)


def head_of(reply: Reply, length: int, *, close: bool) -> bytes:
    lines: Iterable[str] = (
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        "Server: nginx",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {length}",
        f"Connection: {'close' if close else 'keep-alive'}",
        *(f"{name}: {value}" for name, value in reply.headers),
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
