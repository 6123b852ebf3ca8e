"""What goes wrong on a Moodle site, in Moodle's own words."""

from __future__ import annotations

from typing import Any


class MoodleError(Exception):
    """An exception as Moodle reports it: always with HTTP 200, the reason only when debugging is on."""

    def __init__(self, exception: str, errorcode: str, message: str, debuginfo: str = "") -> None:
        super().__init__(message)
        self.exception, self.errorcode, self.message, self.debuginfo = (
            exception,
            errorcode,
            message,
            debuginfo,
        )

    def document(self, *, debug: bool) -> dict[str, Any]:
        """The answer's body as a dict."""
        body = {"exception": self.exception, "errorcode": self.errorcode, "message": self.message}
        if debug and self.debuginfo:
            body["debuginfo"] = self.debuginfo
        return body


class WorkerKilled(Exception):
    """The PHP worker died in the middle of a call: what it had committed stays."""


def invalid_parameter(reason: str) -> MoodleError:
    """The one answer to everything that is wrong with what was sent."""
    return MoodleError(
        "invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected", reason
    )


def invalid_response() -> MoodleError:
    """A function's answer was refused by its own description; what it did is done."""
    return MoodleError(
        "invalid_response_exception", "invalidresponse", "Invalid response value detected", "warningcode"
    )


def moodle_exception(errorcode: str, message: str = "", debuginfo: str = "") -> MoodleError:
    return MoodleError("moodle_exception", errorcode, message or f"error/{errorcode}", debuginfo)


def coding_error(reason: str) -> MoodleError:
    return MoodleError(
        "coding_exception",
        "codingerror",
        f"Coding error detected, it must be fixed by a programmer: {reason}",
    )


def missing_record(errorcode: str = "invalidrecord", query: str = "", *, table: str = "") -> MoodleError:
    """`query` is for debugging; the name of the table stands in the message (seen on 4.5.6)."""
    message = (
        f"Can't find data record in database table {table}."
        if table
        else "Can't find data record in database."
    )
    if errorcode == "invaliduser":
        message = "Invalid user"
    return MoodleError("dml_missing_record_exception", errorcode, message, query)


def write_error() -> MoodleError:
    """The loser of a race that an index of the database decides."""
    return MoodleError("dml_write_exception", "dmlwriteexception", "Error writing to database")


def no_permission(words: str) -> MoodleError:
    return MoodleError(
        "required_capability_exception",
        "nopermissions",
        f"Sorry, but you do not currently have permissions to do that ({words}).",
    )


def login_required(reason: str) -> MoodleError:
    return MoodleError(
        "require_login_exception", "requireloginerror", f"Course or activity not accessible. ({reason})"
    )


def bad_course_context(course_id: int, inner: str) -> MoodleError:
    """How many functions wrap whatever their check of the course raised."""
    return moodle_exception(
        "errorcoursecontextnotvalid",
        f"You cannot execute functions in the course context (course id:{course_id}). The context error message was: {inner}",
    )
