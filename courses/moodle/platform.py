"""A real Moodle behind the port, spoken to through its REST web services."""

from __future__ import annotations

from courses.moodle.connection import NAME
from courses.moodle.grouping import Grouping
from courses.moodle.reading import Reading
from courses.moodle.roles import offered
from courses.moodle.whole import Whole
from courses.platform import Role


class MoodlePlatform(Whole, Grouping, Reading):
    """The site named by MOODLE_URL. Calls are made outside transactions and web requests, `set_password` excepted.

    Everything is a row of ours before or after the call: logins, enrolments with the dates that Moodle never tells,
    groups and their members. Writes hold the site, because nothing there keeps a thing from being made twice.
    """

    name = NAME
    is_remote = True
    keeps_passwords = True

    def roles(self) -> list[Role]:
        return offered()

    def enrol_methods(self) -> list[str]:
        return ["manual"]
