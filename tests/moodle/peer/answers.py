"""Answers as Moodle writes them: JSON when asked for by the form, XML otherwise."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from tests.moodle.peer.errors import MoodleError

JSON_TYPE = "application/json"
XML_TYPE = "application/xml; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"

MAINTENANCE = (
    "<!DOCTYPE html>\n<html lang='en'><head><title>Acceptance site</title></head><body>"
    "<h1>This site is undergoing maintenance and is currently not available</h1></body></html>\n"
)
BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
PRINTED = "<br />\n<b>Notice</b>: Undefined index in <b>observer.php</b> on line <b>12</b><br />\n"


def as_json(value: Any) -> bytes:
    """PHP's spelling: no blanks, slashes escaped, other characters as escapes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).replace("/", "\\/").encode("ascii")


def as_xml(value: Any) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE>\n{xml_of(value)}</RESPONSE>\n'.encode()


def xml_of(value: Any) -> str:
    if isinstance(value, list):
        return "<MULTIPLE>\n" + "".join(xml_of(item) for item in value) + "</MULTIPLE>\n"
    if isinstance(value, dict):
        keys = "".join(f'<KEY name="{key}">{xml_of(item)}</KEY>\n' for key, item in value.items())
        return f"<SINGLE>\n{keys}</SINGLE>\n"
    if value is None:
        return "<VALUE null='null'/>\n"
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f"<VALUE>{escape(text)}</VALUE>\n"


def error_as_xml(error: MoodleError, *, debug: bool) -> bytes:
    reason = f"<DEBUGINFO>{escape(error.debuginfo)}</DEBUGINFO>\n" if debug and error.debuginfo else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<EXCEPTION class="{error.exception}">\n'
        f"<ERRORCODE>{escape(error.errorcode)}</ERRORCODE>\n<MESSAGE>{escape(error.message)}</MESSAGE>\n"
        f"{reason}</EXCEPTION>\n"
    ).encode()
