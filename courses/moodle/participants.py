"""Who is in a course of the site: the one list that Moodle tells, read to its end."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from courses.moodle.connection import Connection
from courses.moodle.errors import MoodleRefused
from courses.platform import PlatformAway

PAGE = 2000  # people per call; two seconds of the server's time with roles and groups


def participants(
    connection: Connection, course: int, *fields: str, only_active: bool = False
) -> list[dict[str, Any]]:
    """Everybody enrolled in the course of this number of Moodle's, each with his `id` and the fields asked for.

    Whatever the status; with `only_active` those who may be in it at this moment, in hidden courses too. Moodle rounds
    its clock to 100 seconds for that. Raises PlatformAway when the course cannot be read.
    """
    options = {"userfields": ",".join(("id", *fields)), "sortby": "id"}
    if only_active:
        options["onlyactive"] = "1"
    found: list[dict[str, Any]] = []
    while True:
        page = {**options, "limitfrom": str(len(found)), "limitnumber": str(PAGE)}
        params = {
            "options": [{"name": name, "value": value} for name, value in page.items()],
            "courseid": course,
        }
        try:
            told = connection.read("core_enrol_get_enrolled_users", params)
        except MoodleRefused as error:
            # Deleted, or hidden from us: an empty list would mean that nobody is enrolled.
            raise PlatformAway(
                _("The course %(number)d of Moodle cannot be read: %(code)s.")
                % {"number": course, "code": error.code}
            ) from error
        found += told
        if len(told) < PAGE:
            return found


def ids_of(connection: Connection, course: int, *, only_active: bool = False) -> set[int]:
    """Moodle's numbers of everybody enrolled in the course."""
    return {int(one["id"]) for one in participants(connection, course, only_active=only_active)}
