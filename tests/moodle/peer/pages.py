"""What participants see in a browser: the login form, a course, the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.moodle.peer.answers import HTML_TYPE
from tests.moodle.peer.wire import Reply, Request

if TYPE_CHECKING:
    from tests.moodle.peer.peer import MoodlePeer


def page(peer: MoodlePeer, request: Request) -> Reply:
    return Reply(404, HTML_TYPE, b"<h1>Not found</h1>")
