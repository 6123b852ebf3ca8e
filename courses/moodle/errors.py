"""What a call to Moodle may end in, beside an answer.

- nothing can have happened: a `PlatformAway`, either `MoodleAway` (nobody answers, or not now) or `MoodleMisconfigured`
  (it answers and will refuse us until somebody changes something there);
- it is not known: `OutcomeUnknown`. Ask, by a key of our own, what is there; never simply repeat;
- Moodle said no: `MoodleRefused`. A function that is one transaction has then done nothing; `core_user_update_users`
  and `core_course_duplicate_course` are not one.

Moodle answers every error of its own with status 200. The words of `message` follow the site's language and the reason
is only sent while a site is being debugged, so that all is decided by `errorcode`. The codes are measured ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from common.http import OutcomeUnknown
from courses.platform import PlatformAway

__all__ = [
    "PASSWORD_POLICY",
    "MoodleAway",
    "MoodleMisconfigured",
    "MoodleRefused",
    "OutcomeUnknown",
    "StillRunning",
    "TurnLost",
    "failure",
]

PASSWORD_POLICY = "passwordpolicy"  # noqa: S105 - our word where Moodle sends the policy as HTML for a code
LOST_RACE = "dmlwriteexception"  # an index of the database let only one of two through
LONGEST_QUOTE = 200  # characters


class MoodleAway(PlatformAway):
    """Moodle did not take the call: it is not there, or under maintenance. Nothing has happened."""


class MoodleMisconfigured(PlatformAway):
    """Moodle refuses until an administrator changes something; the text says what. Nothing has happened.

    `whole_site`: every call will fare alike; else it concerns a function, a course or a role.
    """

    def __init__(self, text: str, *, code: str, whole_site: bool) -> None:
        super().__init__(text)
        self.code = code
        self.whole_site = whole_site


class TurnLost(PlatformAway):
    """Another process writes to the site now: what we were about to write is left to whoever repeats it."""


class StillRunning(OutcomeUnknown):
    """No answer came: the call may not have been carried out yet, and be so in a moment."""


class MoodleRefused(Exception):
    """Moodle refused what was asked. `code` is Moodle's errorcode, `exception` the class it came from."""

    def __init__(self, function: str, *, code: str, exception: str) -> None:
        super().__init__(f"{function}: {code}")
        self.function = function
        self.code = code
        self.exception = exception

    @property
    def lost_race(self) -> bool:
        """Whether another call did the same at the same moment: this one may be repeated."""
        return self.code == LOST_RACE


def failure(function: str, answer: Mapping[str, Any]) -> Exception:
    """What an answer with the key `exception` means; the caller raises it."""
    exception = _name(answer.get("exception"))
    code = answer.get("errorcode")
    if not isinstance(code, str) or not code:
        # PHP itself gave up, at any point of the function.
        return OutcomeUnknown(f"{function}: {exception} without a code")
    if "<" in code:
        return MoodleRefused(function, code=PASSWORD_POLICY, exception=exception)
    code = _name(code)
    if code == "invalidrecord" and "external_functions" in str(answer.get("message")):
        return _misconfigured("unknownfunction", function, "")
    if code in ADVICE:
        return _misconfigured(code, function, _quoted(answer.get("message")))
    if code in CLOSED:
        return MoodleAway(_("Moodle is under maintenance."))
    if code.startswith("dml") and code != LOST_RACE:
        return OutcomeUnknown(f"{function}: {code}")
    return MoodleRefused(function, code=code, exception=exception)


def cut_short(function: str) -> MoodleMisconfigured:
    """PHP dropped the end of the form, where the token is: that is why nothing was done."""
    return _misconfigured("truncated", function, "")


def _misconfigured(code: str, function: str, message: str) -> MoodleMisconfigured:
    text = ADVICE[code]() % {"function": function, "message": message}
    return MoodleMisconfigured(text, code=code, whole_site=code in WHOLE_SITE)


def _name(value: object) -> str:
    """A name out of an answer, fit for a log line."""
    return re.sub(r"[^A-Za-z0-9_/\\.-]", "?", str(value))[:60]


def _quoted(value: object) -> str:
    """A sentence out of an answer, on one line."""
    return "".join(sign if sign.isprintable() else " " for sign in str(value))[:LONGEST_QUOTE]


# The site is being updated or closed: nobody is let in, whatever he asks.
CLOSED = frozenset({"sitemaintenance", "upgraderunning"})

# Codes that no repetition helps against, and what to change.
ADVICE: dict[str, Callable[[], str]] = {
    "invalidtoken": lambda: _(
        "Moodle does not know the token: make one for the service user and write it to MOODLE_TOKEN."
    ),
    "truncated": lambda: _("Moodle's PHP cuts our calls short: set max_input_vars to 1000 or more."),
    "servicenotavailable": lambda: _("The external service is switched off: switch it on in Moodle."),
    "sitepolicynotagreed": lambda: _(
        "Moodle wants the service user to agree to the site policy: sign in as this user and agree."
    ),
    "usernotfullysetup": lambda: _(
        "The profile of the service user lacks a required field: fill it in in Moodle."
    ),
    "forcepasswordchangenotice": lambda: _(
        "Moodle wants the service user to choose a new password: sign in as this user and choose one."
    ),
    "accessexception": lambda: _(
        "Moodle does not let us use %(function)s: add it to the external service, authorise the service user there, "
        "and give his role webservice/rest:use."
    ),
    "unknownfunction": lambda: _("Moodle has no function %(function)s: Moodle 4.2 or newer is needed."),
    "nopermissions": lambda: _(
        "The role of the service user lacks a permission for %(function)s. Moodle says: %(message)s"
    ),
    "setting_locked_by_permission": lambda: _(
        "The role of the service user lacks moodle/backup:configure or moodle/backup:userinfo: without both we cannot say "
        "that people are left out, and courses are not copied."
    ),
    "requireloginerror": lambda: _(
        "The service user cannot enter a course: give his role moodle/course:view and "
        "moodle/course:viewhiddencourses. Moodle says: %(message)s"
    ),
    "errorcoursecontextnotvalid": lambda: _(
        "The service user cannot enter a course: give his role moodle/course:view and "
        "moodle/course:viewhiddencourses. Moodle says: %(message)s"
    ),
    "wsusercannotassign": lambda: _(
        "The service user may not give a role: allow it under “Allow role assignments” and compare MOODLE_ROLES. "
        "Moodle says: %(message)s"
    ),
}

WHOLE_SITE = frozenset(
    {
        "invalidtoken",
        "truncated",
        "servicenotavailable",
        "sitepolicynotagreed",
        "usernotfullysetup",
        "forcepasswordchangenotice",
    }
)
