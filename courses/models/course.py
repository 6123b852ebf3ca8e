"""Courses, wherever they live."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Cast, Concat, Left
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

NAME_KEPT = 230  # signs that are left of a short name that is given up

NOT_IN_SHORTNAMES = ",*%/"  # the first three mean something in course lists, the last one in addresses


def validate_shortname(name: str) -> None:
    """Refuse a short name that could not be written in a course list or in an address."""
    if name != name.strip() or name in {".", ".."} or not name.isprintable():
        raise ValidationError(_("This short name cannot be used: choose letters, digits, hyphens."))
    if found := [sign for sign in NOT_IN_SHORTNAMES if sign in name]:
        raise ValidationError(_("A short name may not contain “%(sign)s”."), params={"sign": found[0]})


class CourseCategory(models.Model):
    """Where courses are filed.

    The number that handler parameters name is the platform's: `remote_id` where it is remote, else `id`.
    """

    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent category"),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    remote_id = models.BigIntegerField(null=True, blank=True, unique=True, editable=False)
    # Since when a remote platform no longer has it.
    missing_since = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("position", "name", "id")
        verbose_name = _("course category")
        verbose_name_plural = _("course categories")
        constraints: ClassVar = [
            # Of our own: a remote platform may have two of one name.
            models.UniqueConstraint(
                fields=["parent", "name"],
                condition=Q(remote_id=None),
                name="course_category_name_once",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(parent=None, remote_id=None),
                name="course_category_top_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def number(self) -> int:
        """What handler parameters call it."""
        return self.pk if self.remote_id is None else self.remote_id


class GroupMode(models.TextChoices):
    NONE = "none", _("no groups")
    VISIBLE = "visible", _("visible groups")
    SEPARATE = "separate", _("separate groups")


class CourseQuerySet(models.QuerySet["Course"]):
    def open(self, *, now: datetime | None = None) -> CourseQuerySet:
        """Courses a seat without a course list covers (DESIGN section 5, `generateseats`)."""
        now = now or timezone.now()
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            visible=True,
            closed_at=None,
            missing_since=None,
            takes_enrolments=True,
            is_template=False,
            is_support=False,
            is_space=False,
            not_for_seats=False,
        )

    def sellable(self, *, now: datetime | None = None) -> CourseQuerySet:
        """Courses that an item may name to put people into; `not_for_seats` and hidden ones are among them."""
        now = now or timezone.now()
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            closed_at=None,
            missing_since=None,
            is_template=False,
            is_space=False,
        )

    def give_up_names(self) -> int:
        """Free the short names of these rows, because other courses of the platform have them now. One statement."""
        mark = Concat(Value(" ("), Cast("pk", models.CharField()), Value(")"))
        return self.update(shortname=Concat(Left("shortname", NAME_KEPT), mark))


class Course(models.Model):
    """A course: of the built-in platform, or the mirror of one on a remote platform."""

    shortname = models.CharField(
        _("short name"), max_length=255, unique=True, validators=[validate_shortname]
    )
    fullname = models.CharField(_("full name"), max_length=254)
    summary = models.TextField(_("summary"), blank=True)
    category = models.ForeignKey(
        CourseCategory, on_delete=models.PROTECT, related_name="courses", verbose_name=_("category")
    )
    visible = models.BooleanField(_("visible"), default=True)
    groups_mode = models.CharField(_("groups"), max_length=10, choices=GroupMode, default=GroupMode.NONE)
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    is_template = models.BooleanField(_("template"), default=False)
    is_support = models.BooleanField(_("customer support course"), default=False)
    is_space = models.BooleanField(_("course space of a customer"), default=False, editable=False)
    not_for_seats = models.BooleanField(_("not for unassigned seats"), default=False)
    remote_id = models.BigIntegerField(
        _("number on the course platform"), null=True, blank=True, unique=True, editable=False
    )
    # Of a remote platform, as the last synchronisation found it: since when the course is no longer there, whether it
    # has a way of enrolment we can use, and how many groups a copy would bring along.
    missing_since = models.DateTimeField(
        _("no longer on the course platform since"), null=True, blank=True, editable=False
    )
    takes_enrolments = models.BooleanField(_("takes enrolments"), default=True, editable=False)
    groups_found = models.PositiveIntegerField(_("groups that a copy would have"), default=0, editable=False)
    # The key it was copied under: the same key again is this course.
    copy_key = models.CharField(max_length=80, null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ("fullname", "id")
        verbose_name = _("course")
        verbose_name_plural = _("courses")

    def __str__(self) -> str:
        return f"{self.fullname} ({self.shortname})"

    def is_open(self, *, now: datetime | None = None) -> bool:
        """The same rule as `open()`, on a row already read."""
        ended = self.ends_at is not None and self.ends_at <= (now or timezone.now())
        kept_out = self.is_template or self.is_support or self.is_space or self.not_for_seats
        there = self.closed_at is None and self.missing_since is None and self.takes_enrolments
        return self.visible and there and not ended and not kept_out

    def is_sellable(self, *, now: datetime | None = None) -> bool:
        """The same rule as `sellable()`, on a row already read."""
        ended = self.ends_at is not None and self.ends_at <= (now or timezone.now())
        there = self.closed_at is None and self.missing_since is None
        return there and not (ended or self.is_template or self.is_space)
