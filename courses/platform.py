"""The port: what we ask of the place where courses and enrolments live, whichever it is.

Every operation takes and returns lists, in the same order; the platform cuts them into batches of its own size.
Every operation may be repeated: it then ends in the same state.

- *Writing* gives an `Outcome` per item. `unknown` means that it may or may not have happened (a time-out after the
  request had left): ask again, or repeat.
- *Reading* raises `PlatformAway` when the platform could not be asked. Nothing has changed then.

A remote platform is called neither inside a database transaction nor in a web request (DESIGN section 6).
People and courses are always rows of ours, so items name them by our ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise

Pair = tuple[int, int]
"""(course id, person id)"""


class PlatformAway(Exception):
    """The platform could not be asked; worth trying again later."""


class OutcomeState(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Refusal(StrEnum):
    """Why an item was refused. A remote platform may add codes of its own."""

    UNKNOWN_COURSE = "unknown_course"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_ROLE = "unknown_role"
    BAD_DATES = "bad_dates"
    BAD_GROUP = "bad_group"
    NOT_ENROLLED = "not_enrolled"
    FULL = "full"  # the course has as many learners as its space may have
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_TEMPLATE = "unknown_template"
    NO_BACKUP = "no_backup"  # the template has no backup without user data that can be read
    BAD_NAME = "bad_name"
    NAME_TAKEN = "name_taken"  # another course has this short name: choose another
    UNKNOWN_BACKUP = "unknown_backup"
    BAD_ADDRESS = "bad_address"  # the platform takes no login with this e-mail address
    BAD_PASSWORD = "bad_password"  # noqa: S105 - the platform's rules refuse it: choose another
    NOT_OURS = "not_ours"  # a login that we did not make is never changed
    HAS_GROUPS = "has_groups"  # the template has groups, which would come along
    NO_ENROLMENTS = "no_enrolments"  # the course has no way of enrolment that we can use
    NOT_ACCEPTED = "not_accepted"  # the platform says no, and not why
    LOGIN_SUSPENDED = "login_suspended"  # the person has a login there, and nobody is let in with it
    LOGIN_UNCONFIRMED = "login_unconfirmed"
    LOGIN_CLOSED = "login_closed"
    LOGIN_TAKEN = "login_taken"  # the login with this address is known as another person's


class TemplateProblem(StrEnum):
    """Why no course can be made from a template."""

    UNKNOWN = "unknown_template"
    UNMARKED = "not_a_template"
    NO_BACKUP = "no_backup"  # none without user data
    LOST_BACKUP = "lost_backup"  # the file of the newest one is gone
    HAS_GROUPS = "has_groups"  # they would come along into every copy


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item; `code` says why it was refused."""

    state: OutcomeState
    code: str = ""

    @property
    def ok(self) -> bool:
        return self.state is OutcomeState.OK


OK = Outcome(OutcomeState.OK)
UNKNOWN = Outcome(OutcomeState.UNKNOWN)


def refused(code: str) -> Outcome:
    """An item that will not happen however often it is repeated, until somebody repairs the cause."""
    return Outcome(OutcomeState.REFUSED, code)


@dataclass(frozen=True, slots=True)
class Role:
    """A role a person may have in a course. `learns`: counts as a participant; `edits`: may change the course."""

    name: str
    label: str | Promise
    learns: bool = False
    edits: bool = False


@dataclass(frozen=True, slots=True)
class PlatformCourse:
    """A course as the platform tells it."""

    shortname: str
    fullname: str
    category: str
    visible: bool
    groups_mode: str  # a value of courses.models.GroupMode
    course_id: int | None = None  # our row, when there is one
    remote_id: int | None = None
    category_id: int | None = None  # the platform's number of the category
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    takes_enrolments: bool = True  # has a way of enrolment that we can use
    groups_found: int | None = None  # of a template: how many groups it has, when that was asked


@dataclass(frozen=True, slots=True)
class PlatformCategory:
    """A course category of a remote platform; parents come before their children."""

    remote_id: int
    parent_id: int | None  # the remote id of the category it is in
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """An enrolment to ensure: always the whole row. `ends_at` is exclusive; none is unlimited."""

    course_id: int
    person_id: int
    role: str
    starts_at: datetime
    ends_at: datetime | None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class ActiveEnrolment:
    """An unsuspended enrolment whose end has not passed; its start may lie ahead.

    `dates_known` is false when somebody else enrolled the person on a platform that does not tell dates.
    """

    course_id: int
    person_id: int
    role: str
    starts_at: datetime | None
    ends_at: datetime | None
    dates_known: bool = True


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody with a login on a remote platform who is no row of ours; enrolled: unsuspended, the end has not passed."""

    is_enrolled: bool


@dataclass(frozen=True, slots=True)
class Oversight:
    """Somebody who may see what a person does on the platform, because he answers for him."""

    overseer_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class KnownEnd:
    """The end that an enrolment has, whatever its status; none is unlimited."""

    ends_at: datetime | None


class EnrolmentStatus(StrEnum):
    """Whether an enrolment holds; a start that lies ahead counts as active."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class EnrolmentReason(StrEnum):
    """Why a person cannot enter the course now; the first that applies."""

    NONE = ""
    SUSPENDED = "suspended"
    COURSE_CLOSED = "course closed"
    ENDED = "ended"
    NOT_STARTED = "not started"
    COURSE_HIDDEN = "course hidden"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person of a course, as the platform tells it; `person_id` is none for people who are not rows of ours."""

    course_id: int
    person_id: int | None
    email: str
    role: str
    status: EnrolmentStatus
    reason: EnrolmentReason
    starts_at: datetime | None
    ends_at: datetime | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A person in a group of a course; the group is known by its name."""

    course_id: int
    group_name: str
    person_id: int


@dataclass(frozen=True, slots=True)
class CourseCopy:
    """A course to make: from the newest backup without user data of a template, or empty without one.

    The key is the caller's: the same key again is the same course, whatever else the item says.
    """

    key: str
    template_id: int | None
    shortname: str
    fullname: str
    category_id: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a copy; `course_id` is our row of the course when it is there."""

    outcome: Outcome
    course_id: int | None = None


@dataclass(frozen=True, slots=True)
class CourseRestore:
    """A backup to bring back into the course it was made of.

    People come along only `with_users`, when the backup holds them; with `among` only those of these ids.
    """

    backup_id: int
    with_users: bool = False
    among: frozenset[int] | None = None


class ProgressState(StrEnum):
    NOT_STARTED = "not_started"
    UNDER_WAY = "under_way"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """How far a person is: `done` of `total` pages (of 100 where the platform only tells a percentage)."""

    state: ProgressState
    done: int
    total: int


class CoursePlatform(Protocol):
    """Where courses and enrolments live."""

    @property
    def name(self) -> str:
        """The value of COURSE_PLATFORM that chooses this platform."""

    @property
    def is_remote(self) -> bool:
        """Whether calls leave this machine: then they belong into jobs, outside transactions."""

    @property
    def keeps_passwords(self) -> bool:
        """Whether participants have their one password there, and sign in here without one."""

    def check(self) -> None:
        """Ask for something that needs our rights. Raises PlatformAway with the reason when it is not given."""

    def roles(self) -> list[Role]:
        """The roles that may be given; asks nobody."""

    def enrol_methods(self) -> list[str]:
        """The ways of enrolment offered; asks nobody."""

    def all_categories(self) -> list[PlatformCategory]:
        """Every category of a remote platform, parents first; a local one has nothing to tell that we do not know."""

    def all_courses(self) -> list[PlatformCourse]:
        """Every course of the platform, templates and hidden ones included."""

    def courses(self, shortnames: Sequence[str]) -> list[PlatformCourse | None]:
        """Courses by their exact short names; none where there is no such course."""

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        """Give each person a login on the platform, found by e-mail address or made. Refuses unknown people."""

    def addresses(self, person_ids: Sequence[int]) -> list[str | None]:
        """The e-mail address of each person's login there, empty where it is not told; None without a login."""

    def set_password(
        self, person_id: int, password: str, *, first_name: str = "", last_name: str = ""
    ) -> Outcome:
        """Set the password, and the names if given, of a login that we made. Nothing of it is stored or queued.

        The one call that may be made in a web request: it takes 5 seconds at most. Refuses `unknown_person`, `not_ours`
        and `bad_password`; raises PlatformAway, also while it is not known whether it happened (then set it again).
        """

    def course_urls(self, course_ids: Sequence[int]) -> list[str]:
        """Where each course is opened; empty where its pages are ours. Asks nobody."""

    def strangers(
        self, course_id: int, emails: Sequence[str], *, now: datetime | None = None
    ) -> list[Stranger | None]:
        """Who has each of these addresses, in whatever case, on the platform though he is no row of ours.

        None where nobody has. On a local platform there are none.
        """

    def oversee(self, rows: Sequence[Oversight]) -> list[Outcome]:
        """Let each overseer see the person, where the platform is set up for it; else there is nothing to do."""

    def active_enrolments(
        self, pairs: Sequence[Pair], *, now: datetime | None = None
    ) -> list[ActiveEnrolment | None]:
        """The enrolment of each pair when it is unsuspended and its end has not passed (a future start counts)."""

    def known_ends(self, pairs: Sequence[Pair]) -> list[KnownEnd | None]:
        """The end of each enrolment, suspended and ended ones included, so that nobody shortens it; none if not told."""

    def enrolments(self, course_ids: Sequence[int], *, now: datetime | None = None) -> list[list[Enrolled]]:
        """Everybody in each course, whatever the status, sorted by e-mail address."""

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        """Make each enrolment be exactly this row. Of two rows for one pair the later holds.

        Refuses unknown courses, people and roles, an end that is not after the start, and (`full`) one learner more
        than the course's space may have: who holds a place already keeps it.
        """

    def end_enrolments(self, pairs: Sequence[Pair]) -> list[Outcome]:
        """Suspend each enrolment: role, dates, groups and work stay. Nobody enrolled is already the end state."""

    def ensure_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        """Put each person into the group, which is made when needed. Refuses people not enrolled in the course."""

    def remove_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        """Take each person out of the group, which stays."""

    def opened(self, pairs: Sequence[Pair]) -> list[datetime | None]:
        """When each person was in the course, if he was since his enrolment starts.

        Some platforms tell the first time and some the last: compare with the instant you gave access.
        """

    def progress(self, pairs: Sequence[Pair]) -> list[CourseProgress]:
        """How far each person is; not started for people who are not enrolled."""

    def categories(self, category_ids: Sequence[int]) -> list[str | None]:
        """The names of course categories by their numeric ids; none where there is no such category."""

    def template_problems(self, shortnames: Sequence[str]) -> list[tuple[TemplateProblem, ...]]:
        """Why no course can be made from each of these templates; empty when one can.

        The back office asks this in a web request, so a remote platform answers from what was last learnt.
        """

    def copy_courses(self, copies: Sequence[CourseCopy]) -> list[Copied]:
        """Make each course, visible, without people, groups and dates, or find it made.

        It is a customer's space from its first moment: no seat of anybody covers it. Refuses unknown categories and
        templates, templates without a backup, names that cannot be used or are taken.
        """

    def close_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        """Let nobody in, whatever the role. No enrolment changes. Refuses unknown courses."""

    def reopen_courses(self, course_ids: Sequence[int]) -> list[Outcome]:
        """Let in again who was let in before: what was suspended then still is. Refuses unknown courses."""

    def restore_courses(self, restores: Sequence[CourseRestore]) -> list[Outcome]:
        """Bring each backup back. Pages that were there then keep the marks on them. Refuses unknown backups.

        The people of a backup get their enrolments, groups and marks of then, if they have a login and the course a
        place for them; nobody is taken out.
        """
