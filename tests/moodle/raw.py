"""Calls as a stranger would write them: nothing here is shared with the shop's own client."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.moodle.peer import MoodlePeer

PATH = "/webservice/rest/server.php"
FORM = "application/x-www-form-urlencoded"
Pairs = list[tuple[str, str]]


def flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """PHP's spelling of nested arguments, in the order given."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from flatten(item, f"{name}[{index}]")
    else:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)


class Answer:
    """An answer as it came."""

    def __init__(self, status: int, content_type: str, body: bytes) -> None:
        self.status, self.content_type, self.body = status, content_type, body

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class Raw:
    """A caller with the token, or with another one."""

    def __init__(self, peer: MoodlePeer, token: str | None = None) -> None:
        self.peer = peer
        self.token = peer.token if token is None else token
        address = urlsplit(peer.url)
        self.host, self.port = str(address.hostname), int(address.port or 80)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers.get("Content-Type", ""), reply.read())
        finally:
            connection.close()

    def post(self, pairs: Iterable[tuple[str, str]], *, target: str = PATH, timeout: float = 30) -> Answer:
        """A form with exactly these variables, in this order."""
        return self.ask("POST", target, urlencode(list(pairs)).encode(), {"Content-Type": FORM}, timeout)

    def trailer(self, function: str) -> Pairs:
        return [("moodlewsrestformat", "json"), ("wsfunction", function), ("wstoken", self.token)]

    def send(self, function: str, params: dict[str, Any] | None = None, *, timeout: float = 30) -> Answer:
        """A call, the token written last."""
        return self.post([*flatten(params or {}), *self.trailer(function)], timeout=timeout)

    def call(self, function: str, **params: Any) -> Any:
        """What a call answers, read as JSON, errors included."""
        answer = self.send(function, params)
        assert answer.status == 200
        return answer.value

    def code(self, function: str, **params: Any) -> str:
        """The error code of a call that must fail."""
        value = self.call(function, **params)
        assert isinstance(value, dict), value
        assert "exception" in value, value
        return str(value["errorcode"])
