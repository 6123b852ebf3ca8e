"""A Moodle site on this machine: a server with everything in memory, and the ways to disturb it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from tests.moodle.peer.calls import FUNCTIONS, Call
from tests.moodle.peer.delays import Delays
from tests.moodle.peer.faults import FaultPlan
from tests.moodle.peer.pages import Session
from tests.moodle.peer.rest import functions, new_cores
from tests.moodle.peer.serving import serve
from tests.moodle.peer.site import Site
from tests.moodle.peer.wire import Connection

HOST = "127.0.0.1"
PATIENCE = 10
"""Seconds that `stop` waits for its threads before it says that one hangs."""

assert functions  # importing them is what registers them


class MoodlePeer:
    """A Moodle 4.2 site as `research/moodle.md` measured one.

    Use it as a context manager, or `start()` and `stop()` it. `site` holds the rows and plays the people, `faults`
    what shall go wrong, `delays` how long calls take (none by default), `calls` what arrived.
    """

    def __init__(self, *, port: int = 0, delays: Delays | None = None) -> None:
        self.site = Site(set(FUNCTIONS))
        self.faults = FaultPlan()
        self.delays = delays
        self.calls: list[Call] = []
        self.page_requests: list[str] = []
        self.connections = 0  # accepted so far
        self.busy_seconds = 0.0
        self.sessions: dict[str, Session] = {}  # of browsers
        self.cores = new_cores()
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # of what this object counts; the site has its own
        self._port = port
        self._listener: socket.socket | None = None
        self._place: socket.socket | None = None  # keeps the port ours while nobody listens
        self._threads: set[threading.Thread] = set()
        self._open: set[Connection] = set()
        self._idle: set[Connection] = set()

    # --- life ------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address of the site, without a slash at its end; known once it has started."""
        return f"http://{HOST}:{self._port}"

    @property
    def token(self) -> str:
        return self.site.token

    def start(self) -> None:
        self.stopping.clear()
        self._place = self._bound()
        self._port = int(self._place.getsockname()[1])
        self._listen()
        self.site.url = self.url

    def stop(self) -> None:
        """End everything, calls that are held included, and wait until no thread is left."""
        self.stopping.set()
        self.faults.clear()
        self.go_away()
        if self._place is not None:
            self._place.close()
        deadline = time.monotonic() + PATIENCE
        while threads := self._living():
            threads[0].join(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline and self._living():
                raise RuntimeError(f"these threads of the peer hang: {self._living()}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- what tests ask --------------------------------------------------------------------------

    def calls_of(self, function: str) -> list[Call]:
        """The calls of one function, in the order in which they arrived."""
        with self.lock:
            return [call for call in self.calls if call.function == function]

    def forget_calls(self) -> None:
        """Start counting calls anew; the next one has the number 1."""
        with self.lock:
            self.calls.clear()
            self.busy_seconds = 0.0

    def close_idle_connections(self) -> None:
        """What a server does with connections nobody has used for a while."""
        self._drop(self._idle)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens: connections are refused, and those that were open are closed."""
        self.go_away()
        try:
            yield
        finally:
            self.come_back()

    def go_away(self) -> None:
        self._stop_listening()
        self._drop(self._open)

    def come_back(self) -> None:
        self._listen()

    # --- sockets and threads ---------------------------------------------------------------------

    def _bound(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, self._port))
        return sock

    def _listen(self) -> None:
        listener = self._bound()
        listener.listen(128)
        self._listener = listener
        self._spawn(self._accept, listener)

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone would not wake the thread that accepts.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if self._listener is not listener:
                sock.close()
                return
            connection = Connection(sock)
            with self.lock:
                self.connections += 1
                self._open.add(connection)
            self._spawn(self._attend, connection)

    def _attend(self, connection: Connection) -> None:
        try:
            serve(self, connection)
        finally:
            with self.lock:
                self._open.discard(connection)
                self._idle.discard(connection)
            connection.close()

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        with self.lock:
            self._threads = {known for known in self._threads if known.is_alive()} | {thread}
            thread.start()

    def _living(self) -> list[threading.Thread]:
        with self.lock:
            return [thread for thread in self._threads if thread.is_alive()]

    def _drop(self, connections: set[Connection]) -> None:
        with self.lock:
            for connection in connections:
                connection.drop()

    def mark_idle(self, connection: Connection, *, idle: bool) -> None:
        """Say whether a connection waits for its next request."""
        with self.lock:
            (self._idle.add if idle else self._idle.discard)(connection)
