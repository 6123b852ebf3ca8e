"""Tables every app builds on: mails to send, audit, jobs with progress, counters."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from common.leases import LeasedRow, PatientRow


class OutboxMail(LeasedRow):
    """A mail to send. It holds kind and ids only: text and secrets are made while sending."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        CANCELLED = "cancelled"

    CLAIMABLE = (State.QUEUED.value,)
    RUNNING = State.SENDING.value

    kind = models.CharField(max_length=60)
    to = models.EmailField(max_length=254)
    language = models.CharField(max_length=8, default="fr")
    ids = models.JSONField(default=dict)
    # One mail per event: the same event queued twice is one row.
    event_key = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["not_before"],
                name="outbox_waiting",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(fields=["to"], name="outbox_to"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.to}"


class AuditEntry(models.Model):
    """Who did what to what, once per operation. Rows are never changed or deleted."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=120)  # "person:12", "operator", "system"
    verb = models.CharField(max_length=60)
    object = models.CharField(max_length=120)  # "bill:CMD-2026-000001", "account:demo"
    scope = models.CharField(max_length=120, blank=True, db_index=True)
    counts = models.JSONField(default=dict)
    why = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object}"


class Job(PatientRow):
    """Long work with true progress. `kind` names the function that does it, `object_id` what it works on."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    CLAIMABLE = (State.QUEUED.value,)
    RUNNING = State.RUNNING.value

    kind = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["not_before"],
                name="job_waiting",
                condition=models.Q(state__in=["queued", "running"]),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="job_once_per_object"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"

    @property
    def percent(self) -> int:
        return 100 if self.state == self.State.DONE else (100 * self.done // self.total if self.total else 0)


class Counter(models.Model):
    """The last number given in a series."""

    name = models.CharField(max_length=60, unique=True)
    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
