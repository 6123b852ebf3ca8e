"""A site with people at it: what its administrators, teachers and participants do by hand."""

from __future__ import annotations

from collections.abc import Iterable

from tests.moodle.peer.records import (
    Category,
    Course,
    Enrolment,
    Group,
    Progress,
    RoleAssignment,
    SentMail,
    User,
)
from tests.moodle.peer.state import SiteState

STUDENT = 5


class Site(SiteState):
    """The state of a site, and the hands that change it without any web service.

    Every method takes the lock; nothing here asks whether Moodle's forms would allow it.
    """

    # --- people ----------------------------------------------------------------------------------

    def add_user(
        self,
        username: str,
        email: str = "",
        *,
        firstname: str = "Ana",
        lastname: str = "Example",
        password: str = "Aa1-password",
        idnumber: str = "",
        suspended: bool = False,
        confirmed: bool = True,
        auth: str = "manual",
        site_admin: bool = False,
    ) -> User:
        """Somebody signs up or is made by hand; two people may share an address when a test wants it."""
        with self.lock:
            user = User(
                self.next_id("user"),
                username,
                email or f"{username}@example.org",
                firstname,
                lastname,
                password,
                idnumber,
                auth,
                suspended=suspended,
                confirmed=confirmed,
                site_admin=site_admin,
            )
            self.users[user.id] = user
            return user

    def change_email(self, user: User, email: str) -> None:
        with self.lock:
            user.email = email

    def suspend_user(self, user: User, *, suspended: bool = True) -> None:
        with self.lock:
            user.suspended = suspended

    def delete_user(self, user: User) -> None:
        with self.lock:
            self.remove_user(user.id)

    # --- courses ---------------------------------------------------------------------------------

    def add_category(
        self, name: str, *, parent: int = 0, idnumber: str = "", visible: bool = True
    ) -> Category:
        with self.lock:
            category = Category(self.next_id("category"), name, parent, idnumber, visible)
            self.categories[category.id] = category
            return category

    def add_course(
        self,
        shortname: str,
        fullname: str = "",
        category: Category | None = None,
        *,
        pages: Iterable[str] = (),
        groups: Iterable[str] = (),
        manual: bool | None = True,
        visible: bool = True,
        groupmode: int = 0,
        groupmodeforce: int = 0,
        startdate: int = 0,
        enddate: int = 0,
        idnumber: str = "",
        completion: bool = True,
    ) -> Course:
        """A course made by hand; the first category holds it unless another is named. Groups get no id number."""
        with self.lock:
            course = Course(
                self.next_id("course"),
                shortname,
                fullname or shortname,
                (category or next(iter(self.categories.values()))).id,
                idnumber,
                visible,
                startdate,
                enddate,
                groupmode=groupmode,
                groupmodeforce=groupmodeforce,
                completion=completion,
                manual=manual,
                pages=list(pages),
                timecreated=self.clock,
                timemodified=self.clock,
            )
            self.courses[course.id] = course
            for name in groups:
                self.add_group(course, name)
            return course

    def hide(self, course: Course, *, visible: bool = False) -> None:
        with self.lock:
            course.visible = visible

    def delete_course(self, course: Course) -> None:
        with self.lock:
            self.remove_course(course.id)

    def rename_course(self, course: Course, shortname: str) -> None:
        with self.lock:
            course.shortname = shortname

    def set_manual(self, course: Course, manual: bool | None) -> None:
        """Enable, disable or (None) delete the instance of manual enrolment."""
        with self.lock:
            course.manual = manual

    def add_group(self, course: Course, name: str, *, idnumber: str = "") -> Group:
        with self.lock:
            group = Group(self.next_id("group"), course.id, name, idnumber)
            self.groups[group.id] = group
            return group

    # --- enrolments ------------------------------------------------------------------------------

    def enrol(
        self,
        user: User,
        course: Course,
        role_id: int = STUDENT,
        *,
        timestart: int = 0,
        timeend: int = 0,
        suspended: bool = False,
        groups: Iterable[Group] = (),
    ) -> Enrolment:
        """A teacher enrols somebody by hand."""
        with self.lock:
            row = self.enrolments.setdefault(
                (user.id, course.id), Enrolment(user.id, course.id, timecreated=self.clock)
            )
            row.timestart, row.timeend, row.suspended = timestart, timeend, suspended
            self.role_assignments.add(RoleAssignment(user.id, role_id, "course", course.id))
            for group in groups:
                group.members.add(user.id)
            return row

    def unenrol(self, user: User, course: Course) -> None:
        with self.lock:
            self.remove_enrolment(user.id, course.id)

    def suspend_enrolment(self, user: User, course: Course, *, suspended: bool = True) -> None:
        with self.lock:
            self.enrolments[user.id, course.id].suspended = suspended

    def visit(self, user: User, course: Course, at: float | None = None) -> None:
        """Somebody opens a course."""
        with self.lock:
            instant = self.clock if at is None else int(at)
            self.last_access[user.id, course.id] = instant
            user.firstaccess = user.firstaccess or instant
            user.lastaccess = instant

    def complete(self, user: User, course: Course, percent: float = 100.0) -> None:
        """Somebody works in a course; all of it done is the course completed."""
        with self.lock:
            self.progress[user.id, course.id] = Progress(percent, completed=percent >= 100)

    def grade(self, user: User, course: Course, value: float) -> None:
        with self.lock:
            self.grades[user.id, course.id] = value

    # --- settings --------------------------------------------------------------------------------

    def set_policy(self, *, on: bool = True) -> None:
        """A site policy, which nobody has agreed to yet."""
        with self.lock:
            self.policy = on
            for user in self.users.values():
                user.policy_agreed = False

    def require_profile_field(self, shortname: str = "unit") -> None:
        """A new required profile field, which nobody has filled in; an empty name removes it."""
        with self.lock:
            self.required_field = shortname

    def force_password_change(self, user: User, *, on: bool = True) -> None:
        with self.lock:
            user.preferences["auth_forcepasswordchange"] = "1" if on else "0"

    def add_function(self, name: str) -> None:
        with self.lock:
            self.functions.add(name)

    def remove_function(self, name: str) -> None:
        """Take a function out of the external service."""
        with self.lock:
            self.functions.remove(name)

    def add_capability(self, capability: str) -> None:
        with self.lock:
            self.capabilities.add(capability)

    def remove_capability(self, capability: str) -> None:
        """Take a capability from the role of the service user."""
        with self.lock:
            self.capabilities.remove(capability)

    def maintenance(self, on: bool = True) -> None:
        with self.lock:
            self.in_maintenance = on

    def send(self, kind: str, user: User, body: str = "") -> None:
        """The site mails somebody; a mail has left whatever becomes of the transaction around it."""
        self.mails.append(SentMail(kind, user.email, user.id, body))

    # --- what tests ask --------------------------------------------------------------------------

    def users_with_email(self, email: str) -> list[User]:
        """Everybody with an address, in whatever case."""
        with self.lock:
            return [user for user in self.living_users() if user.email.lower() == email.lower()]

    def roles_of(self, user: User, course: Course) -> set[str]:
        """Short names of the roles of somebody in a course."""
        with self.lock:
            return {role.shortname for role in self.course_roles(user.id, course.id)}

    def group_names_of(self, user: User, course: Course) -> set[str]:
        with self.lock:
            return {group.name for group in self.groups_of(course.id) if user.id in group.members}
