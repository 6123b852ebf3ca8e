"""Courses that a remote platform is making for us."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

TEMPORARY = "shopseats-"
"""What the short names of courses begin with that are not ready yet; nobody else has a reason to use it."""


class CourseMaking(models.Model):
    """A course of a remote platform from before the first call until our row of it stands.

    A copy is not one step there: a call that was cut leaves a course that is half filled. So each attempt has a short
    name of its own, and what is there under the name of an attempt nobody confirmed is not trusted.
    """

    class State(models.TextChoices):
        PLANNED = "planned"  # nothing is there under the temporary name
        CALLED = "called"  # the platform was asked, and has not confirmed
        COPIED = "copied"  # confirmed: complete, hidden, under its temporary name
        DONE = "done"

    key = models.CharField(max_length=80, unique=True)
    attempt = models.PositiveIntegerField(default=1)
    remote_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    called_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"
