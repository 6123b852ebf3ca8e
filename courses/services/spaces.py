"""Course spaces come into the world: a course of the customer's own for each unit of an order line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count, islice
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.audit import SYSTEM
from common.references import new_references
from common.zone import iso
from courses.models import Course, CourseSpace, ProductEvent
from courses.platform import (
    Copied,
    CourseCopy,
    CoursePlatform,
    EnrolmentRow,
    Outcome,
    OutcomeState,
    PlatformAway,
    Refusal,
)
from courses.platforms import get_platform
from courses.wording import refusal_words

# The role of who owns a course, where the platform has it; else he edits it like a teacher.
OWNER_ROLES = ("courseowner", "editingteacher")
FIRST_NAMES, NAMES_AT_ONCE = (
    4,
    20,
)  # candidates for a short name that are looked up together, at first and later
ROUNDS = 20  # how often a name may be lost to somebody quicker
BOUGHT = "bought"


class SpaceRefused(Exception):
    """A rule or the platform forbids it, and nothing was changed.

    `code`: a value of `courses.platform.Refusal`, or `no_owner_role`, `withdrawn`, `too_early`.
    """

    def __init__(self, code: str, message: str | Promise = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or _("The course platform refuses this: %(code)s.") % {
            "code": refusal_words(code)
        }


@dataclass(frozen=True, slots=True)
class SpaceWish:
    """What the customer wants his course to be called."""

    fullname: str
    shortname: str


@dataclass(frozen=True, slots=True)
class SpaceOrder:
    """An order line of course spaces: one wish per unit."""

    line_key: UUID
    account_id: int
    owner_id: int
    item_code: str
    item_name: str
    bill_number: str
    wishes: Sequence[SpaceWish]
    category_id: int
    template_id: int | None
    starts_at: datetime
    ends_at: datetime
    max_participants: int | None = None
    renewable: bool = False


def run_open_spaces(order: SpaceOrder, *, heartbeat: Callable[[], None] | None = None) -> list[CourseSpace]:
    """Make the course spaces of a line, or find them made; in the order of the units.

    May be repeated, also after a crash at any statement: a unit has one key, the key one course and one space. On a
    local platform all of it is one transaction, so that nothing half-made stays. Raises SpaceRefused, PlatformAway,
    and ValueError when the line is known with another account or number of units.
    """
    beat = heartbeat or _no_beat
    platform = get_platform()
    if platform.is_remote:
        return _run(platform, order, beat)
    beat()
    with transaction.atomic():
        return _run(platform, order, _no_beat)


def _no_beat() -> None:
    """Inside a transaction the lease cannot be seen to be renewed."""


def _run(platform: CoursePlatform, order: SpaceOrder, beat: Callable[[], None]) -> list[CourseSpace]:
    made = _made(order)
    missing = [
        number for number in range(1, len(order.wishes) + 1) if number not in {one.ordinal for one in made}
    ]
    if not missing:
        return made
    courses = _copy(platform, order, missing, beat)
    beat()
    _enrol_owner(platform, order, list(courses.values()))
    with transaction.atomic():
        _write(order, courses)
    made = _made(order)
    if len(made) < len(order.wishes):
        # A reference drawn twice was left out by the INSERT; the next attempt draws another.
        raise PlatformAway("A reference was taken already.")
    return made


def _made(order: SpaceOrder) -> list[CourseSpace]:
    """The spaces of the line that are there. One query."""
    made = list(
        CourseSpace.objects.filter(line_key=order.line_key).select_related("course").order_by("ordinal")
    )
    if any(one.account_id != order.account_id or one.ordinal > len(order.wishes) for one in made):
        raise ValueError(f"Line {order.line_key} has {len(made)} spaces of account {made[0].account_id}")
    return made


# --- courses with names of their own --------------------------------------------------------------


def _copy(
    platform: CoursePlatform, order: SpaceOrder, ordinals: Sequence[int], beat: Callable[[], None]
) -> dict[int, int]:
    """The course of each unit. A name that is taken, even in this very moment, gets a number behind it.

    Who has made some of them before he was cut off has named them: they keep their names, and the others get theirs.
    A remote platform may have such a course that we have no row of yet, and whose name is therefore not free: it is
    asked for the wishes as they are first, and finds it by its key.
    """
    courses: dict[int, int] = {}
    waiting = list(ordinals)
    for attempt in range(ROUNDS):
        beat()
        if platform.is_remote and attempt == 0:
            names = {number: order.wishes[number - 1].shortname for number in waiting}
        else:
            names = _names(platform, order, waiting)
        copies = [
            CourseCopy(
                key=_key(order, number),
                template_id=order.template_id,
                shortname=names[number],
                fullname=order.wishes[number - 1].fullname,
                category_id=order.category_id,
            )
            for number in waiting
        ]
        lost = []
        for number, copied in zip(waiting, platform.copy_courses(copies), strict=True):
            if copied.outcome.code == Refusal.NAME_TAKEN:
                lost.append(number)
            else:
                courses[number] = _course_id(copied)
        if not lost:
            return courses
        waiting = lost
    raise PlatformAway("Every short name was taken by somebody quicker.")


def _key(order: SpaceOrder, number: int) -> str:
    """What the copy of a unit is made under: the same key again is the same course."""
    return f"{order.line_key}:{number}"


def _names(platform: CoursePlatform, order: SpaceOrder, ordinals: Sequence[int]) -> dict[int, str]:
    keys = {_key(order, number): number for number in ordinals}
    made = Course.objects.filter(copy_key__in=keys).values_list("copy_key", "shortname")
    names = {keys[key]: name for key, name in made if key is not None}
    missing = [number for number in ordinals if number not in names]
    free = free_names(platform, [order.wishes[number - 1].shortname for number in missing])
    return names | dict(zip(missing, free, strict=True))


def free_names(platform: CoursePlatform, wishes: Sequence[str]) -> list[str]:
    """For each wish the first of NAME, NAME-2, NAME-3… that no course has now and no earlier wish has got."""
    ways: dict[str, Iterator[str]] = {}
    names: list[str] = []
    for wish in wishes:
        way = ways.setdefault(wish, _free(platform, wish))
        names.append(next(name for name in way if name not in names))
    return names


def _free(platform: CoursePlatform, wish: str) -> Iterator[str]:
    candidates = chain([wish], (f"{wish}-{number}" for number in count(2)))
    size = FIRST_NAMES
    while True:
        asked = list(islice(candidates, size))
        size = NAMES_AT_ONCE
        found = platform.courses(asked)
        yield from (name for name, course in zip(asked, found, strict=True) if course is None)


def _course_id(copied: Copied) -> int:
    _settle([copied.outcome])
    if copied.course_id is None:
        raise PlatformAway("The course platform did not say which course it made.")
    return copied.course_id


def _enrol_owner(platform: CoursePlatform, order: SpaceOrder, course_ids: Sequence[int]) -> None:
    """The buyer owns the courses. Without an end: they are closed when their time is over."""
    offered = {role.name for role in platform.roles()}
    role = next((name for name in OWNER_ROLES if name in offered), None)
    if role is None:
        message = _("The course platform has none of these roles: %(roles)s.")
        raise SpaceRefused("no_owner_role", message % {"roles": ", ".join(OWNER_ROLES)})
    _settle(platform.ensure_logins([order.owner_id]))
    _settle(
        platform.ensure_enrolments(
            [EnrolmentRow(pk, order.owner_id, role, order.starts_at, None) for pk in course_ids]
        )
    )


def _settle(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.state is OutcomeState.REFUSED:
            raise SpaceRefused(outcome.code)
        if outcome.state is OutcomeState.UNKNOWN:
            raise PlatformAway("The course platform did not answer for everything.")


def _write(order: SpaceOrder, courses: dict[int, int]) -> None:
    """The rows of the spaces, and the first event of each."""
    CourseSpace.objects.bulk_create(
        [
            CourseSpace(
                reference=reference,
                account_id=order.account_id,
                line_key=order.line_key,
                ordinal=number,
                course_id=course_id,
                owner_id=order.owner_id,
                item_code=order.item_code,
                item_name=order.item_name,
                bill_number=order.bill_number,
                starts_at=order.starts_at,
                ends_at=order.ends_at,
                max_participants=order.max_participants,
                renewable=order.renewable,
            )
            for (number, course_id), reference in zip(
                sorted(courses.items()), new_references(len(courses)), strict=True
            )
        ],
        ignore_conflicts=True,
    )
    made = CourseSpace.objects.filter(line_key=order.line_key, ordinal__in=courses)
    ProductEvent.objects.bulk_create(
        [
            ProductEvent(
                reference=space.reference,
                at=order.starts_at,
                actor=SYSTEM.label,
                verb=BOUGHT,
                detail={"order": order.bill_number, "ends": iso(order.ends_at)},
                key=f"{space.reference}:{BOUGHT}",
            )
            for space in made
        ],
        ignore_conflicts=True,
    )
