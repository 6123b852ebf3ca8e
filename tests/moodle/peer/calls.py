"""One call of a web service: what was asked, by whom, and what he may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.moodle.peer.errors import (
    MoodleError,
    WorkerKilled,
    bad_course_context,
    invalid_parameter,
    login_required,
    missing_record,
    moodle_exception,
    no_permission,
)
from tests.moodle.peer.records import Course, User
from tests.moodle.peer.site import Site
from tests.moodle.peer.values import Fields

T = TypeVar("T")

WORDS = {
    "moodle/user:create": "Create users",
    "moodle/user:update": "Update user profiles",
    "moodle/course:managegroups": "Manage groups",
    "moodle/course:enrolreview": "Review course enrolments",
    "moodle/course:viewparticipants": "View participants",
    "enrol/manual:enrol": "Enrol users",
    "moodle/role:assign": "Assign roles to users",
    "moodle/backup:configure": "Configure backup options",
}


@dataclass
class Call:
    """A call as it arrived. `keys` are the variables' names in the order of the body, cut where PHP cut them.

    `variables` counts what was sent. `outcome` is "ok" or Moodle's error code, empty while (or because) it was not
    executed; `fault` the kind of fault that struck it.
    """

    number: int
    function: str
    variables: int
    params: dict[str, Any]
    keys: tuple[str, ...]
    outcome: str = ""
    fault: str = ""


@dataclass
class Visit:
    """A function at work for the user of the token, with the site locked."""

    site: Site
    function: str
    pause: Callable[[], None]
    killed_midway: bool = False

    @property
    def user(self) -> User:
        return self.site.service_user

    # --- what the caller may do ------------------------------------------------------------------

    def may(self, capability: str) -> bool:
        return capability in self.site.capabilities

    def require(self, capability: str) -> None:
        if not self.may(capability):
            raise no_permission(WORDS.get(capability, capability))

    def check_user(self) -> None:
        """What Moodle asks of every user before it lets him into any context; the service user is one."""
        if self.user.must_change_password:
            raise moodle_exception("forcepasswordchangenotice")
        required = self.site.required_field
        if required and not self.user.custom_fields.get(required):
            raise moodle_exception("usernotfullysetup", "User not fully set-up")
        if self.site.policy and not self.user.policy_agreed:
            raise moodle_exception("sitepolicynotagreed", "Site policy not agreed.")

    def check_course(self, course_id: int) -> Course:
        """The course, when the caller may be in it."""
        course = self.site.courses.get(course_id)
        if course is None:
            raise invalid_parameter("Context does not exist")
        self.check_user()
        if not course.visible and not self.may("moodle/course:viewhiddencourses"):
            raise login_required("Course is hidden")
        if course.format != "site" and not self.may("moodle/course:view"):
            if self.site.enrolment(self.user.id, course_id) is None:
                raise login_required("Not enrolled")
        return course

    def check_course_wrapped(self, course_id: int) -> Course:
        """The same, where a function wraps what it hears, a missing agreement to the policy included."""
        try:
            return self.check_course(course_id)
        except MoodleError as error:
            raise bad_course_context(course_id, error.message) from error

    def must_find_course(self, course_id: int) -> Course:
        course = self.site.courses.get(course_id)
        if course is None:
            raise missing_record(query="SELECT * FROM {course} WHERE id = ?", table="course")
        return course

    # --- how far it gets -------------------------------------------------------------------------

    def one_by_one(self, items: Sequence[T]) -> Iterator[T]:
        """The items of a function that commits each for itself: a killed worker leaves the first half done."""
        for number, item in enumerate(items):
            self.maybe_die(number >= len(items) // 2)
            yield item

    def maybe_die(self, at_this_point: bool = True) -> None:
        if self.killed_midway and at_this_point:
            raise WorkerKilled

    def all_or_nothing(self) -> None:
        """The point of a transaction where everything is checked and nothing is written yet."""
        self.pause()
        self.maybe_die()


Run = Callable[[Visit, dict[str, Any]], Any]


@dataclass(frozen=True)
class Function:
    """A web service: its arguments, what it does, and which argument is the list of its items.

    One that is `transactional` pauses between its checks and its writes, so its delay lies there.
    """

    name: str
    arguments: Fields
    run: Run
    items: str = ""
    transactional: bool = False

    def count(self, arguments: dict[str, Any]) -> int:
        """How many items a call brings."""
        found = arguments.get(self.items)
        return len(found) if isinstance(found, list) else 0


FUNCTIONS: dict[str, Function] = {}
"""Every function that this site knows; its service may hold fewer."""


def function(
    name: str, *, items: str = "", transactional: bool = False, **arguments: Any
) -> Callable[[Run], Run]:
    """Register a function under Moodle's name, with the description of each of its arguments."""

    def register(run: Run) -> Run:
        FUNCTIONS[name] = Function(name, Fields(arguments), run, items, transactional)
        return run

    return register


def warning(item: str, item_id: int, code: str, message: str) -> dict[str, Any]:
    return {"item": item, "itemid": item_id, "warningcode": code, "message": message}
