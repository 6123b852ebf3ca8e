"""Courses, wherever they live, and the tables of the built-in platform."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import CustomerAccount
from common.media import private_storage

NOT_IN_SHORTNAMES = ",*%/"  # the first three mean something in course lists, the last one in addresses


def validate_shortname(name: str) -> None:
    """Refuse a short name that could not be written in a course list or in an address."""
    if name != name.strip() or name in {".", ".."} or not name.isprintable():
        raise ValidationError(_("This short name cannot be used: choose letters, digits, hyphens."))
    if found := [sign for sign in NOT_IN_SHORTNAMES if sign in name]:
        raise ValidationError(_("A short name may not contain “%(sign)s”."), params={"sign": found[0]})


class CourseCategory(models.Model):
    """Where courses are filed; `id` is the numeric id that handler parameters name."""

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

    class Meta:
        ordering = ("position", "name", "id")
        verbose_name = _("course category")
        verbose_name_plural = _("course categories")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parent", "name"], name="course_category_name_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(parent=None), name="course_category_top_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
            is_template=False,
            is_support=False,
            is_space=False,
            not_for_seats=False,
        )

    def sellable(self, *, now: datetime | None = None) -> CourseQuerySet:
        """Courses that an item may name to put people into; `not_for_seats` and hidden ones are among them."""
        now = now or timezone.now()
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=now), closed_at=None, is_template=False, is_space=False
        )


class Course(models.Model):
    """A course: of the built-in platform, or the mirror of one on a remote platform."""

    shortname = models.CharField(
        _("short name"), max_length=100, unique=True, validators=[validate_shortname]
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
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_template = models.BooleanField(_("template"), default=False)
    is_support = models.BooleanField(_("customer support course"), default=False)
    is_space = models.BooleanField(_("course space of a customer"), default=False, editable=False)
    not_for_seats = models.BooleanField(_("not for unassigned seats"), default=False)
    remote_id = models.BigIntegerField(null=True, blank=True, unique=True, editable=False)
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
        return self.visible and self.closed_at is None and not ended and not kept_out

    def is_sellable(self, *, now: datetime | None = None) -> bool:
        """The same rule as `sellable()`, on a row already read."""
        ended = self.ends_at is not None and self.ends_at <= (now or timezone.now())
        return self.closed_at is None and not (ended or self.is_template or self.is_space)


class PlatformLogin(models.Model):
    """The login of a person on the course platform."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="platform_login"
    )
    platform = models.CharField(max_length=20)
    username = models.CharField(max_length=254)
    remote_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "username"], name="platform_login_once"),
        ]

    def __str__(self) -> str:
        return self.username


# --- What customers own ----------------------------------------------------------------------------


class SpaceState(StrEnum):
    """What a course space is at a given instant, whether or not `expire` has run."""

    OPEN = "open"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class CourseSpace(models.Model):
    """A course an account owns for a time, born from (line, ordinal). `ends_at` is exclusive."""

    reference = models.CharField(_("reference"), max_length=19, unique=True)
    account = models.ForeignKey(
        CustomerAccount, on_delete=models.PROTECT, related_name="spaces", verbose_name=_("organisation")
    )
    line_key = models.UUIDField()
    ordinal = models.PositiveIntegerField()  # which unit of the line, from 1
    course = models.OneToOneField(
        Course, on_delete=models.PROTECT, related_name="space", verbose_name=_("course")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="spaces",
        verbose_name=_("owner of the course"),
    )
    item_code = models.CharField(max_length=40)
    item_name = models.CharField(_("item"), max_length=200)
    bill_number = models.CharField(_("order"), max_length=40)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    # When the platform closed the course, because the time is over or the space was withdrawn.
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    # The most people with a learner role; whoever enrols, the platform holds to it.
    max_participants = models.PositiveIntegerField(_("most participants"), null=True, blank=True)
    renewable = models.BooleanField(_("renewable"), default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)
        verbose_name = _("course space")
        verbose_name_plural = _("course spaces")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line_key", "ordinal"], name="space_once_per_unit"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="space_ends_after_start"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ends_at"], name="space_ending", condition=Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return self.reference

    def lasts(self, *, now: datetime | None = None) -> bool:
        """Whether its people are to be let in at `now`: it is theirs, and its end has not come."""
        return self.withdrawn_at is None and self.ends_at > (now or timezone.now())

    def state(self, *, now: datetime | None = None) -> SpaceState:
        """The first that applies of withdrawn, expired (by date, or closed by `expire`) and open."""
        if self.withdrawn_at is not None:
            return SpaceState.WITHDRAWN
        return SpaceState.OPEN if self.lasts(now=now) and self.closed_at is None else SpaceState.EXPIRED


class ProductEvent(models.Model):
    """What happened to a product (a seat, a session, a course space), known by its reference. Never changed."""

    reference = models.CharField(max_length=19, db_index=True)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=120)  # an audit actor
    verb = models.CharField(max_length=40)
    detail = models.JSONField(default=dict, blank=True)
    # Of an event that may happen once only, such as the extension that an order line brings.
    key = models.CharField(max_length=120, null=True, blank=True, unique=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.reference} {self.verb}"


# --- Tables of the built-in platform -----------------------------------------------------------


class Page(models.Model):
    """A page of a built-in course: Markdown a participant reads and marks as done."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="pages")
    position = models.PositiveIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), blank=True, help_text=_("Markdown."))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("page")
        verbose_name_plural = _("pages")

    def __str__(self) -> str:
        return self.title


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def holding(self, *, now: datetime) -> EnrolmentQuerySet:
        """Unsuspended, and the end has not passed; the start may lie ahead."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now), status=Enrolment.Status.ACTIVE)

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
    """A person in a built-in course, with a role and dates. `ends_at` is exclusive; none is unlimited."""

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

    @property
    def was_opened(self) -> bool:
        """Whether the person was in the course since this enrolment starts."""
        return self.opened_at is not None and self.opened_at >= self.starts_at


class PageDone(models.Model):
    """A participant has marked a page as done."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="done")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["page", "person"], name="page_done_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} did {self.page_id}"


class Group(models.Model):
    """A group of a built-in course; in separate-groups mode people of different groups do not see each other."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)

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


def backup_path(backup: Backup, filename: str) -> str:
    """A name nobody can guess; what the file is called when it is downloaded is another matter."""
    return f"backups/{backup.course_id}/{uuid4().hex}.json"


class Backup(models.Model):
    """What was in a built-in course at a moment: its pages, and with user data also its people and their marks."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="backups")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=120)  # an audit actor
    with_users = models.BooleanField(default=False)
    pages = models.PositiveIntegerField()
    people = models.PositiveIntegerField(default=0)
    file = models.FileField(storage=private_storage, upload_to=backup_path, max_length=200)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes: ClassVar = [models.Index(fields=["course", "-created_at"], name="backup_of_course")]

    def __str__(self) -> str:
        return f"backup {self.pk} of {self.course_id}"
