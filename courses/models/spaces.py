"""What customers own: course spaces, and what happened to every product."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from courses.models.course import Course


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
    # Of a remote platform, where others may enrol people too: how many learned there when it was last looked at.
    learners_found = models.PositiveIntegerField(null=True, blank=True, editable=False)
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


class SpaceChange(models.Model):
    """People to be put into a space of a remote platform, or taken out of it: asked on a page, done by a job.

    What the platform has confirmed is an `Enrolment`; until then the wish stands here, with everything that the mail and
    the delegation need.
    """

    class Verb(models.TextChoices):
        PUT = "put"
        TAKE_OUT = "take_out"
        LET_IN = "let_in"

    space = models.ForeignKey(CourseSpace, on_delete=models.CASCADE, related_name="changes")
    verb = models.CharField(max_length=10, choices=Verb)
    actor = models.CharField(max_length=120)  # an audit actor
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.verb} {self.space_id}"


class SpaceChangePerson(models.Model):
    """One person of such a change, named as the organisation typed him."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        ALREADY = "already"  # somebody else had enrolled him: he keeps what he has
        REFUSED = "refused"  # nothing was changed; `code` says why

    change = models.ForeignKey(SpaceChange, on_delete=models.CASCADE, related_name="people")
    space = models.ForeignKey(CourseSpace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=40)
    email = models.CharField(max_length=254)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    created_login = models.BooleanField(default=False)
    # The platform has said that he was not in the course: whoever finds him there afterwards knows that it was us.
    was_outside = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    code = models.CharField(max_length=40, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["space", "person"], condition=Q(state="waiting"), name="space_change_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.state}"

    @property
    def name(self) -> str:
        """What to call him: as he was typed."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


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
