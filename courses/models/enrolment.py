"""People in courses. For the built-in platform these rows are the enrolments; of a remote one they are what we had it do.

A remote platform tells no dates, so the rows of what it confirmed are where they are known. Who was enrolled there by
somebody else has no row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.models.content import Page, PageDone
from courses.models.course import Course
from courses.platform import EnrolmentRow, Pair


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def holding(self, *, now: datetime) -> EnrolmentQuerySet:
        """Unsuspended, and the end has not passed; the start may lie ahead."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now), status=Enrolment.Status.ACTIVE)

    def among(self, pairs: Iterable[Pair]) -> EnrolmentQuerySet:
        """Exactly these pairs of course and person; no pair: nobody."""
        people: dict[int, set[int]] = {}
        for course_id, person_id in pairs:
            people.setdefault(course_id, set()).add(person_id)
        found = Q(pk__in=())
        for course_id, persons in people.items():
            found |= Q(course=course_id, person__in=persons)
        return self.filter(found)

    def put(self, rows: Iterable[EnrolmentRow]) -> None:
        """Make the enrolments be exactly these rows, which are told then. Of two rows for one pair the later holds."""
        last = {(row.course_id, row.person_id): row for row in rows}
        # Always in the same order, so that two batches wait for each other instead of locking each other out.
        self.bulk_create(
            [Enrolment.of(last[pair]) for pair in sorted(last)],
            update_conflicts=True,
            unique_fields=["course", "person"],
            update_fields=["role", "status", "starts_at", "ends_at", "waits"],
        )

    def told(self) -> EnrolmentQuerySet:
        """Without those that a remote platform was only asked for: it has not said yet that there is such an enrolment."""
        return self.exclude(waits=True)

    def with_progress(self) -> EnrolmentQuerySet:
        """Fills `pages_total` and `pages_done`, within the same statement."""
        pages = Page.objects.filter(course=OuterRef("course")).order_by().values("course")
        marks = PageDone.objects.filter(page__course=OuterRef("course"), person=OuterRef("person"))
        counts = {
            "pages_total": Coalesce(Subquery(pages.annotate(count=Count("pk")).values("count")), 0),
            "pages_done": Coalesce(
                Subquery(marks.order_by().values("person").annotate(count=Count("pk")).values("count")), 0
            ),
        }
        return self.annotate(**counts)


class Enrolment(models.Model):
    """A person in a course, with a role and dates. `ends_at` is exclusive; none is unlimited."""

    pages_total: int  # both are filled by with_progress()
    pages_done: int

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("enrolment", "active")
        SUSPENDED = "suspended", pgettext_lazy("enrolment", "suspended")

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="enrolments", verbose_name=_("course")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="enrolments",
        verbose_name=_("person"),
    )
    role = models.CharField(_("role"), max_length=40)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    # The first time the person was in the course since `starts_at`; an older instant belongs to an earlier enrolment.
    opened_at = models.DateTimeField(_("opened by the participant"), null=True, blank=True)
    # Moodle has been asked to let the person in, and what came of it is not known. Such a row is suspended.
    waits = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "person"], name="enrolment_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="enrolment_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.course_id}"

    @classmethod
    def of(cls, row: EnrolmentRow) -> Enrolment:
        """The enrolment that a row asks for, not yet in the database."""
        return cls(
            course_id=row.course_id,
            person_id=row.person_id,
            role=row.role,
            status=cls.Status.SUSPENDED if row.suspended else cls.Status.ACTIVE,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )

    @property
    def was_opened(self) -> bool:
        """Whether the person was in the course since this enrolment starts."""
        return self.opened_at is not None and self.opened_at >= self.starts_at


class Group(models.Model):
    """A group of a course; in separate-groups mode people of different groups do not see each other."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)
    remote_id = models.BigIntegerField(null=True, blank=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "name"], name="group_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "person"], name="group_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.group_id}"
