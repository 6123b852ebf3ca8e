"""What a participant has to read, and how far he is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from courses.builtin.roles import EDITORS
from courses.builtin.state import enrolment_state, progress_of
from courses.models import Course, CourseSpace, Enrolment, Page, PageDone
from courses.platform import CourseProgress, EnrolmentReason
from courses.platforms import get_platform

# Open courses come first, then those that will open, then those that no longer do.
_ORDER = (
    EnrolmentReason.NONE,
    EnrolmentReason.NOT_STARTED,
    EnrolmentReason.COURSE_HIDDEN,
    EnrolmentReason.ENDED,
    EnrolmentReason.SUSPENDED,
    EnrolmentReason.COURSE_CLOSED,
)


@dataclass(frozen=True, slots=True)
class MyCourse:
    """A course as one of its people sees it; `reason` says why he cannot enter it now."""

    course: Course
    enrolment: Enrolment
    reason: EnrolmentReason
    progress: CourseProgress
    address: str = ""  # where the course is opened; empty where its pages are ours

    @property
    def ends_at(self) -> datetime | None:
        """Until when the person may be in the course: his own end, or that of the course space, if it comes first."""
        space: CourseSpace | None = getattr(self.course, "space", None)
        ends = [self.enrolment.ends_at, space.ends_at if space else None]
        return min((end for end in ends if end is not None), default=None)

    @property
    def may_edit(self) -> bool:
        """Whether he may change the pages here: the role edits, and the enrolment holds."""
        return not self.address and self.enrolment.role in EDITORS and self.may_enter

    @property
    def may_enter(self) -> bool:
        """Whether he may read the pages now. Who edits a course gets in before it is shown to others."""
        return self.reason is EnrolmentReason.NONE or (
            self.reason is EnrolmentReason.COURSE_HIDDEN and self.enrolment.role in EDITORS
        )


def my_courses(person_id: int, *, now: datetime | None = None) -> list[MyCourse]:
    """Every course of a person, the open ones first. One query; one more where courses live elsewhere."""
    now = now or timezone.now()
    rows = list(_enrolments(person_id).order_by("course__fullname", "course_id"))
    addresses = get_platform().course_urls([row.course_id for row in rows]) if rows else []
    mine = [_seen(row, address, now) for row, address in zip(rows, addresses, strict=True)]
    return sorted(mine, key=lambda one: _ORDER.index(one.reason))


def my_course(person_id: int, shortname: str, *, now: datetime | None = None) -> MyCourse | None:
    """One course of a person by its exact short name; none for strangers. Queries as `my_courses`."""
    row = _enrolments(person_id).filter(course__shortname=shortname).first()
    if row is None:
        return None
    [address] = get_platform().course_urls([row.course_id])
    return _seen(row, address, now or timezone.now())


@dataclass(frozen=True, slots=True)
class PageLine:
    """A page in the table of contents; `number` counts from 1."""

    id: int
    number: int
    title: str
    done: bool


def page_lines(*, course_id: int, person_id: int) -> list[PageLine]:
    """The pages of a course in order, with the marks of this person. One query."""
    mark = PageDone.objects.filter(page=OuterRef("pk"), person=person_id)
    pages = Page.objects.filter(course=course_id).annotate(is_done=Exists(mark))
    return [
        PageLine(pk, number, title, done)
        for number, (pk, title, done) in enumerate(pages.values_list("pk", "title", "is_done"), start=1)
    ]


def find_page(*, course_id: int, page_id: int) -> Page | None:
    """A page of this course. One query."""
    return Page.objects.filter(course=course_id, pk=page_id).first()


def _enrolments(person_id: int) -> QuerySet[Enrolment]:
    return (
        Enrolment.objects.told()
        .filter(person=person_id)
        .select_related("course__category", "course__space")
        .with_progress()
    )


def _seen(row: Enrolment, address: str, now: datetime) -> MyCourse:
    _, reason = enrolment_state(row, now=now)
    if row.course.missing_since is not None or (not address and get_platform().is_remote):
        reason = EnrolmentReason.COURSE_CLOSED  # the platform does not have it, or no longer
    return MyCourse(row.course, row, reason, progress_of(row), address)
