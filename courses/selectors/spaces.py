"""Course spaces: what an account owns, who is in them, what happened to a product, and backups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from courses.builtin.roles import LEARNERS
from courses.models import (
    Backup,
    CourseSpace,
    Enrolment,
    ProductEvent,
    SpaceChange,
    SpaceChangePerson,
    SpaceState,
)

COMING = (SpaceChange.Verb.PUT, SpaceChange.Verb.LET_IN)


@dataclass(frozen=True, slots=True)
class SpaceLine:
    """A course space of an account. `ends_at` is exclusive; `places_left` is none without a limit."""

    space_id: int
    reference: str
    course_id: int
    course: str  # short name
    course_name: str
    category: str
    owner_id: int
    owner_email: str
    owner_name: str
    item_code: str
    item_name: str
    bill_number: str
    state: SpaceState
    starts_at: datetime
    ends_at: datetime
    renewable: bool
    max_participants: int | None
    participants: int  # people who hold a learner's place now
    coming: int  # learners on their way into it: each has his place already

    @property
    def places_left(self) -> int | None:
        if self.max_participants is None:
            return None
        return max(0, self.max_participants - self.participants - self.coming)


def spaces_of(account_id: int, *, now: datetime | None = None) -> list[SpaceLine]:
    """The course spaces of an account, in the order they were bought. One query."""
    return _lines(CourseSpace.objects.filter(account=account_id), now or timezone.now())


def space_line(space: CourseSpace, *, now: datetime | None = None) -> SpaceLine:
    """One space as `spaces_of` tells it. One query."""
    return _lines(CourseSpace.objects.filter(pk=space.pk), now or timezone.now())[0]


def space_documents(account_id: int, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """Spaces as `listspaces` prints them (DESIGN section 9). One query."""
    return [
        {
            "reference": line.reference,
            "course": line.course,
            "category": line.category,
            "owner": line.owner_email,
            "state": line.state.value,
            "starts": line.starts_at,
            "ends": line.ends_at,
        }
        for line in spaces_of(account_id, now=now)
    ]


def space_givers(course_ids: Iterable[int]) -> dict[int, str]:
    """The organisation whose space each of these courses is; those that are none are left out. One query."""
    found = CourseSpace.objects.filter(course__in=list(course_ids))
    return dict(found.values_list("course_id", "account__name"))


@dataclass(frozen=True, slots=True)
class SpacePlace:
    """A person in a course space of an account."""

    reference: str
    course: str  # short name
    course_name: str
    role: str
    suspended: bool
    starts_at: datetime
    opened_at: datetime | None
    ends_at: datetime  # when the space ends
    state: SpaceState


def space_places(
    account_id: int, person_ids: Iterable[int], *, now: datetime | None = None
) -> dict[int, list[SpacePlace]]:
    """In which spaces of this account each of these people is; of other accounts nothing is told. One query."""
    now = now or timezone.now()
    found = Enrolment.objects.told().filter(course__space__account=account_id, person__in=list(person_ids))
    places: dict[int, list[SpacePlace]] = {}
    for row in found.select_related("course__space").order_by("-course__space__id"):
        space = row.course.space
        places.setdefault(row.person_id, []).append(
            SpacePlace(
                reference=space.reference,
                course=row.course.shortname,
                course_name=row.course.fullname,
                role=row.role,
                suspended=row.status == Enrolment.Status.SUSPENDED,
                starts_at=row.starts_at,
                opened_at=row.opened_at if row.was_opened else None,
                ends_at=space.ends_at,
                state=space.state(now=now),
            )
        )
    return places


def on_their_way(space_id: int) -> QuerySet[SpaceChangePerson]:
    """Who waits to be put into a space of a remote platform, taken out or let in again; the first asked first."""
    waiting = SpaceChangePerson.objects.filter(space=space_id, state=SpaceChangePerson.State.WAITING)
    return waiting.select_related("change").order_by("pk")


def learners_coming(*, now: datetime) -> QuerySet[SpaceChangePerson]:
    """Learners on their way into spaces in which they hold no place yet."""
    inside = Enrolment.objects.holding(now=now).filter(
        course=OuterRef("space__course"), person=OuterRef("person"), role__in=LEARNERS
    )
    waiting = SpaceChangePerson.objects.filter(
        ~Exists(inside),
        state=SpaceChangePerson.State.WAITING,
        change__verb__in=COMING,
        role__in=LEARNERS,
    )
    return waiting.order_by()


def product_events(reference: str) -> QuerySet[ProductEvent]:
    """What happened to a product, oldest first."""
    return ProductEvent.objects.filter(reference=reference).order_by("at", "id")


def backups_of(course_id: int) -> QuerySet[Backup]:
    """The backups of a course, newest first."""
    return Backup.objects.filter(course=course_id)


def _lines(spaces: QuerySet[CourseSpace], now: datetime) -> list[SpaceLine]:
    learners = (
        Enrolment.objects.holding(now=now)
        .filter(course=OuterRef("course"), role__in=LEARNERS)
        .order_by()
        .values("course")
        .annotate(count=Count("pk"))
        .values("count")
    )
    coming = (
        learners_coming(now=now)
        .filter(space=OuterRef("pk"))
        .values("space")
        .annotate(count=Count("pk"))
        .values("count")
    )
    found = (
        spaces.select_related("course__category", "owner")
        .annotate(participants=Coalesce(Subquery(learners), 0), coming=Coalesce(Subquery(coming), 0))
        .order_by("id")
    )
    return [
        SpaceLine(
            space_id=space.pk,
            reference=space.reference,
            course_id=space.course_id,
            course=space.course.shortname,
            course_name=space.course.fullname,
            category=space.course.category.name,
            owner_id=space.owner_id,
            owner_email=space.owner.email,
            owner_name=space.owner.name,
            item_code=space.item_code,
            item_name=space.item_name,
            bill_number=space.bill_number,
            state=space.state(now=now),
            starts_at=space.starts_at,
            ends_at=space.ends_at,
            renewable=space.renewable,
            max_participants=space.max_participants,
            participants=space.participants,
            coming=space.coming,
        )
        for space in found
    ]
