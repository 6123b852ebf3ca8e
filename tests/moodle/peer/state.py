"""Everything a Moodle site remembers, and what can be asked of it without being anybody."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

from tests.moodle.peer.php import MAX_INPUT_VARS
from tests.moodle.peer.records import (
    ASSIGNABLE,
    CAPABILITIES,
    ROLES,
    Category,
    Course,
    Enrolment,
    Group,
    Pair,
    Progress,
    Role,
    RoleAssignment,
    SentMail,
    User,
)

SITE_COURSE = 1


class SiteState:
    """The rows and settings of one site. Whoever reads or changes them from outside a call holds `lock`."""

    def __init__(self, functions: set[str]) -> None:
        self.lock = threading.RLock()
        self.now: Callable[[], float] = time.time
        self.sitename = "Moodle"
        self.url = ""

        self.users: dict[int, User] = {}
        self.categories: dict[int, Category] = {}
        self.courses: dict[int, Course] = {}
        self.enrolments: dict[Pair, Enrolment] = {}  # (user, course)
        self.groups: dict[int, Group] = {}
        self.roles: dict[int, Role] = {role.id: role for role in ROLES}
        self.role_assignments: set[RoleAssignment] = set()
        self.last_access: dict[Pair, int] = {}
        self.progress: dict[Pair, Progress] = {}
        self.grades: dict[Pair, float] = {}
        self.mails: list[SentMail] = []

        self.functions = set(functions)
        self.capabilities = set(CAPABILITIES)
        self.assignable = set(ASSIGNABLE)
        self.policy = False
        self.required_field = ""
        self.in_maintenance = False
        self.debug = False
        self.allow_same_email = False
        self.password_policy = True
        self.languages = {"en", "fr"}
        self.max_input_vars = MAX_INPUT_VARS
        # By its source Moodle compares the dates of enrolments with the clock rounded to 100 seconds.
        self.clock_rounding = 1
        # Called by a writing function after its checks and before its insert, with the function's name and
        # the site unlocked: two calls that wait here for each other have both passed their checks.
        self.between_check_and_insert: Callable[[str], None] | None = None

        self._numbers: dict[str, int] = {}
        self._contexts: dict[tuple[str, int], int] = {("system", 0): 1}
        self.token = "0123456789abcdef0123456789abcdef"
        self.service_user = self._first_users()
        self.courses[SITE_COURSE] = Course(
            SITE_COURSE, "moodle", self.sitename, 0, format="site", manual=None
        )
        self._numbers["course"] = SITE_COURSE
        number = self.next_id("category")
        self.categories[number] = Category(number, "Category 1")

    def _first_users(self) -> User:
        """The administrator (2) and the user that holds the token (3)."""
        self._numbers["user"] = 1
        for username in ("admin", "webservice"):
            number = self.next_id("user")
            self.users[number] = User(
                number, username, f"{username}@site.invalid", username.title(), "User", "Aa1-webservice"
            )
        self.users[2].site_admin = True
        return self.users[3]

    def next_id(self, table: str) -> int:
        self._numbers[table] = self._numbers.get(table, 0) + 1
        return self._numbers[table]

    @property
    def clock(self) -> int:
        return int(self.now())

    # --- contexts --------------------------------------------------------------------------------

    def context_id(self, level: str, instance_id: int) -> int:
        key = (level, 0 if level == "system" else instance_id)
        return self._contexts.setdefault(key, len(self._contexts) + 1)

    def context(self, context_id: int) -> tuple[str, int] | None:
        """The level and instance of a context id."""
        return next((key for key, number in self._contexts.items() if number == context_id), None)

    def context_exists(self, level: str, instance_id: int) -> bool:
        if level == "system":
            return True
        if level == "user":
            return self.user(instance_id) is not None
        if level == "course":
            return instance_id in self.courses
        return level == "coursecat" and instance_id in self.categories

    # --- people ----------------------------------------------------------------------------------

    def user(self, user_id: int) -> User | None:
        found = self.users.get(user_id)
        return None if found is None or found.deleted else found

    def living_users(self) -> Iterator[User]:
        return (user for user in self.users.values() if not user.deleted)

    def user_named(self, username: str) -> User | None:
        return next((user for user in self.living_users() if user.username == username), None)

    def email_taken(self, email: str, *, except_id: int = 0) -> bool:
        """Whether an address is somebody's, in whatever case: what Moodle asks before it creates."""
        return any(
            user.email.lower() == email.lower() for user in self.living_users() if user.id != except_id
        )

    # --- courses and enrolments ------------------------------------------------------------------

    def course_named(self, shortname: str) -> Course | None:
        return next((course for course in self.courses.values() if course.shortname == shortname), None)

    def course_with_idnumber(self, idnumber: str, *, except_id: int = 0) -> Course | None:
        if not idnumber:
            return None
        return next(
            (
                course
                for course in self.courses.values()
                if course.idnumber == idnumber and course.id != except_id
            ),
            None,
        )

    def enrolment(self, user_id: int, course_id: int) -> Enrolment | None:
        return self.enrolments.get((user_id, course_id))

    def is_active(self, enrolment: Enrolment) -> bool:
        """Status active, now within the dates, and the instance enabled; the account does not matter."""
        course = self.courses[enrolment.course_id]
        now = self.now()
        if self.clock_rounding > 1:
            now = math.floor(now / self.clock_rounding + 0.5) * self.clock_rounding
            started = enrolment.timestart < now
        else:
            started = enrolment.timestart <= now
        ended = bool(enrolment.timeend) and enrolment.timeend <= now
        return course.manual is True and not enrolment.suspended and started and not ended

    def active_courses(self, user_id: int) -> list[Course]:
        """The visible courses where a user is active now."""
        return [
            self.courses[enrolment.course_id]
            for (owner, _), enrolment in self.enrolments.items()
            if owner == user_id and self.courses[enrolment.course_id].visible and self.is_active(enrolment)
        ]

    def course_roles(self, user_id: int, course_id: int) -> list[Role]:
        return sorted(
            (
                self.roles[row.role_id]
                for row in self.role_assignments
                if (row.user_id, row.level, row.instance_id) == (user_id, "course", course_id)
            ),
            key=lambda role: role.sortorder,
        )

    def groups_of(self, course_id: int) -> list[Group]:
        return [group for group in self.groups.values() if group.course_id == course_id]

    def remove_enrolment(self, user_id: int, course_id: int) -> None:
        """End an enrolment for good: groups, roles, last access and grade go with it; progress stays."""
        if self.enrolments.pop((user_id, course_id), None) is None:
            return
        for group in self.groups_of(course_id):
            group.members.discard(user_id)
        self.role_assignments -= {
            row
            for row in self.role_assignments
            if (row.user_id, row.level, row.instance_id) == (user_id, "course", course_id)
        }
        self.last_access.pop((user_id, course_id), None)
        self.grades.pop((user_id, course_id), None)

    def remove_course(self, course_id: int) -> None:
        del self.courses[course_id]
        for user_id, enrolled_course in list(self.enrolments):
            if enrolled_course == course_id:
                # The course is gone already, so nothing is asked of it any more.
                self.remove_enrolment(user_id, course_id)
        for group in self.groups_of(course_id):
            del self.groups[group.id]
        for pair in [pair for pair in self.progress if pair[1] == course_id]:
            del self.progress[pair]

    def remove_user(self, user_id: int) -> None:
        for owner, course_id in list(self.enrolments):
            if owner == user_id:
                self.remove_enrolment(user_id, course_id)
        self.role_assignments -= {row for row in self.role_assignments if row.user_id == user_id}
        user = self.users[user_id]
        user.deleted = True
        user.username = f"{user.email}.{self.clock}"
