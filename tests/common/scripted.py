"""A server on the loopback that does exactly what a test tells it to, byte by byte."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self


class Gone(Exception):
    """The client has closed the connection."""


class Talk:
    """One connection, seen from the server."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self._buffer = b""

    def read(self) -> bytes:
        """One whole request, head and body, which is also kept in `server.requests`."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        lengths = [line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0]) if lengths else 0
        while len(rest) < length:
            self._more()
            rest = self._buffer.partition(b"\r\n\r\n")[2]
        self._buffer = rest[length:]
        request = head + b"\r\n\r\n" + rest[:length]
        self.server.requests.append(request)
        return request

    def _more(self) -> None:
        got = self.sock.recv(65536)
        if not got:
            raise Gone
        self._buffer += got

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: bytes = b"ok", *, status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.send(head.encode() + body)

    def drip(self, start: bytes) -> None:
        """Send `start`, then one byte after the other: slowly, but never so slowly that a single read times out."""
        self.send(start)
        while not self.server.ending.wait(0.02):
            self.send(b"x")

    def hold(self) -> None:
        """Say nothing more until the test is over."""
        self.server.ending.wait(30)

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Close so that the other side's next write fails."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Talk], None]


class Server:
    """Runs `script` for each connection, in a thread of its own; counts connections and keeps requests."""

    def __init__(
        self, script: Script, *, tls: ssl.SSLContext | None = None, shakes_hands: bool = True
    ) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self._socks: list[socket.socket] = []
        self.ending = threading.Event()
        self._tls = tls if shakes_hands else None
        self.scheme = "https" if tls else "http"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, name="scripted", daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.ending.is_set():
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._socks.append(sock)
            thread = threading.Thread(target=self._talk, args=(sock,), name="scripted-talk", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, sock: socket.socket) -> None:
        sock.settimeout(30)
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._socks.append(sock)
            self.script(Talk(self, sock))
        except (OSError, Gone):
            pass
        finally:
            sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with suppress(OSError):  # closed by its script
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)


@contextmanager
def serving(script: Script, **options: object) -> Iterator[Server]:
    """A server for the time of a `with` block."""
    with Server(script, **options) as server:  # type: ignore[arg-type]
        yield server


def polite(talk: Talk) -> None:
    """Answers every request with `ok` and keeps the connection."""
    while True:
        talk.read()
        talk.answer()


def once(*, status: str = "200 OK", body: bytes = b"ok", headers: str = "") -> Script:
    """A script that answers one request like this and keeps the connection open."""

    def script(talk: Talk) -> None:
        talk.read()
        talk.answer(body, status=status, headers=headers)
        talk.hold()

    return script
