"""Calls to the REST web services of a Moodle site.

Every call is a POST of a form, with the token in the body, so that no access log of the site holds it. Nothing here
decides whether to call: see gate.py.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from common.http import Answer, HttpClient, NotSent
from courses.moodle.encoding import CONTENT_TYPE, Params, form, variables
from courses.moodle.errors import (
    MoodleAway,
    MoodleMisconfigured,
    MoodleRefused,
    OutcomeUnknown,
    StillRunning,
    cut_short,
    failure,
)

logger = logging.getLogger(__name__)

PATH = "/webservice/rest/server.php"
# The service user's own key for feeds, which core_webservice_get_site_info tells; nobody here needs it.
SECRET_KEY = "userprivateaccesskey"  # noqa: S105


@dataclass(frozen=True, slots=True)
class MoodleWarning:
    """Something that a call left undone although it succeeded."""

    item: str
    itemid: int
    code: str


class MoodleClient:
    """Speaks to one site with one token; may be shared by threads."""

    def __init__(self, url: str, token: str, timeout: float, http: HttpClient) -> None:
        """`url`: the site's `wwwroot`. `timeout`: seconds for a whole call unless it says otherwise."""
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._token = token
        self._http = http

    def __repr__(self) -> str:
        return f"MoodleClient({self.url!r})"

    @sensitive_variables()
    def call(
        self, function: str, params: Params, *, timeout: float | None = None, last: Sequence[str] = ()
    ) -> Any:
        """What the function answers, as JSON tells it (None for `null`).

        `last`: keys that Moodle requires, which end each item (encoding.py). `timeout`: seconds. Raises MoodleAway and
        MoodleMisconfigured (nothing has happened), MoodleRefused, OutcomeUnknown; TypeError and ValueError for
        arguments that cannot be sent.
        """
        body = form(self._token, function, params, last=last)
        count = variables(params)
        started = time.monotonic()
        outcome = "error"
        try:
            answer = self._sent(function, body, self.timeout if timeout is None else timeout)
            outcome = "ok"
        except MoodleRefused as error:
            outcome = f"refused {error.code}"
            raise
        except MoodleMisconfigured as error:
            outcome = f"misconfigured {error.code}"
            raise
        except MoodleAway:
            outcome = "away"
            raise
        except OutcomeUnknown:
            outcome = "unknown"
            raise
        finally:
            spent = round((time.monotonic() - started) * 1000)
            logger.info("%s: %d variables, %d ms, %s", function, count, spent, outcome)
        return answer

    @sensitive_variables()
    def _sent(self, function: str, body: bytes, timeout: float) -> Any:
        try:
            answer = self._http.request(
                "POST", self.url + PATH, body=body, headers={"Content-Type": CONTENT_TYPE}, timeout=timeout
            )
        except NotSent as error:
            raise MoodleAway(_("Moodle does not answer (%(reason)s).") % {"reason": error}) from None
        except OutcomeUnknown as error:
            raise StillRunning(f"{function}: {error}") from None
        document = parsed(function, answer)
        if isinstance(document, dict):
            if "exception" in document:
                raise failure(function, document)
            document.pop(SECRET_KEY, None)
        return document


@sensitive_variables()
def parsed(function: str, answer: Answer) -> Any:
    """The one JSON document that an answer consists of. Raises MoodleAway, MoodleMisconfigured, OutcomeUnknown."""
    if answer.status == 503 and _is_html(answer):
        raise MoodleAway(_("Moodle is under maintenance."))
    if answer.status != 200:
        kind = StillRunning if answer.status in BETWEEN else OutcomeUnknown
        raise kind(f"{function}: HTTP status {answer.status}{HINTS.get(answer.status, '')}")
    # In XML although JSON was asked for: the end of the form was lost, and the token with it.
    if re.search(rb"^\s*<\?xml.*<ERRORCODE>invalidtoken</ERRORCODE>", answer.body, re.DOTALL):
        raise cut_short(function)
    try:
        return json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise OutcomeUnknown(f"{function}: the answer is no JSON ({len(answer.body)} bytes)") from None


def warnings_of(answer: Any) -> list[MoodleWarning]:
    """What the call left undone: `warnings` of an answer that has such a list."""
    found = answer.get("warnings") if isinstance(answer, dict) else None
    return [
        MoodleWarning(
            item=str(entry.get("item", "")),
            itemid=int(entry.get("itemid") or 0),
            code=str(entry.get("warningcode", "")),
        )
        for entry in found or []
    ]


# Said by a server between us and Moodle, which may go on meanwhile.
BETWEEN = frozenset({408, 499, 502, 503, 504})
HINTS = dict.fromkeys((301, 302, 303, 307, 308), ", a redirect: is MOODLE_URL the site's wwwroot?")
HINTS |= dict.fromkeys(
    (403, 404), ": are web services and the REST protocol switched on, and is MOODLE_URL right?"
)


def _is_html(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").lower().startswith("text/html")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
