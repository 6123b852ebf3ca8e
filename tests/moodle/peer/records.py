"""The rows of a Moodle site, as far as web services show or change them. Instants are Unix seconds, 0 means none."""

from __future__ import annotations

from dataclasses import dataclass, field

Pair = tuple[int, int]
"""(user id, course id)"""


@dataclass
class User:
    id: int
    username: str
    email: str
    firstname: str = ""
    lastname: str = ""
    password: str = ""
    idnumber: str = ""
    auth: str = "manual"
    lang: str = "en"
    suspended: bool = False
    confirmed: bool = True
    deleted: bool = False
    site_admin: bool = False
    policy_agreed: bool = False
    firstaccess: int = 0
    lastaccess: int = 0
    preferences: dict[str, str] = field(default_factory=dict)
    custom_fields: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    open_reset_mails: int = 0

    @property
    def fullname(self) -> str:
        return f"{self.firstname} {self.lastname}"

    @property
    def must_change_password(self) -> bool:
        return self.preferences.get("auth_forcepasswordchange", "0") not in {"", "0"}


@dataclass
class Category:
    id: int
    name: str
    parent: int = 0
    idnumber: str = ""
    visible: bool = True


@dataclass
class Course:
    """`manual` says whether an instance of manual enrolment is there, and enabled: True, False, or None without one."""

    id: int
    shortname: str
    fullname: str
    category_id: int
    idnumber: str = ""
    visible: bool = True
    startdate: int = 0
    enddate: int = 0
    format: str = "topics"
    groupmode: int = 0
    groupmodeforce: int = 0
    completion: bool = True
    manual: bool | None = True
    pages: list[str] = field(default_factory=list)
    complete_copy: bool = True
    timecreated: int = 0
    timemodified: int = 0


@dataclass
class Enrolment:
    """The one manual enrolment of a user in a course."""

    user_id: int
    course_id: int
    timestart: int = 0
    timeend: int = 0
    suspended: bool = False
    timecreated: int = 0


@dataclass
class Group:
    id: int
    course_id: int
    name: str
    idnumber: str = ""
    description: str = ""
    enrolmentkey: str = ""
    members: set[int] = field(default_factory=set)


@dataclass
class Progress:
    """How far a user is in a course; survives the end of his enrolment."""

    percent: float = 0.0
    completed: bool = False


@dataclass
class Role:
    """A role, and the levels of context it may be assigned at."""

    id: int
    shortname: str
    levels: frozenset[str]
    sortorder: int = 0


@dataclass(frozen=True)
class RoleAssignment:
    user_id: int
    role_id: int
    level: str
    instance_id: int


@dataclass(frozen=True)
class SentMail:
    """A mail that the site itself sent. Kinds: newpassword, resetpassword."""

    kind: str
    to: str
    user_id: int
    body: str = ""


LEVELS = {"system": 10, "user": 30, "coursecat": 40, "course": 50, "module": 70, "block": 80}
"""Words for context levels; a context id is made of level and instance, see `Site.context_id`."""

ROLES = (
    Role(1, "manager", frozenset({"system", "coursecat", "course"}), 1),
    Role(2, "coursecreator", frozenset({"system", "coursecat"}), 2),
    Role(3, "editingteacher", frozenset({"course", "module"}), 3),
    Role(4, "teacher", frozenset({"course", "module"}), 4),
    Role(5, "student", frozenset({"course", "module"}), 5),
    Role(6, "guest", frozenset(), 6),
    Role(7, "user", frozenset(), 7),
    Role(8, "frontpage", frozenset(), 8),
    Role(9, "mentor", frozenset({"user"}), 9),
)
ASSIGNABLE = frozenset({3, 4, 5, 9})

CAPABILITIES = frozenset({
    "webservice/rest:use",
    "moodle/user:create", "moodle/user:update", "moodle/user:delete", "moodle/user:viewdetails",
    "moodle/user:viewalldetails", "moodle/user:viewhiddendetails", "moodle/course:useremail",
    "moodle/site:viewuseridentity",
    "enrol/manual:enrol", "enrol/manual:unenrol",
    "moodle/course:view", "moodle/course:viewparticipants", "moodle/course:enrolreview",
    "moodle/course:viewhiddencourses", "moodle/category:viewhiddencategories",
    "moodle/course:create", "moodle/course:update", "moodle/course:visibility", "moodle/course:changeshortname",
    "moodle/course:changefullname", "moodle/course:changeidnumber", "moodle/course:changecategory", "moodle/course:delete",
    "moodle/backup:backupcourse", "moodle/backup:configure", "moodle/backup:userinfo", "moodle/restore:userinfo",
    "moodle/backup:backuptargetimport",
    "moodle/restore:restorecourse", "moodle/restore:restoretargetimport",
    "moodle/course:managegroups", "moodle/site:accessallgroups",
    "moodle/role:assign", "moodle/role:review",
})  # fmt: skip
"""What a service user set up by the book may do."""
