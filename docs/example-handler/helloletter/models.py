"""Letters to print and post."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class WelcomeLetter(models.Model):
    """One letter: the unit `unit` (from 1) of the order line `line_key`. There is never a second one.

    The line is known by its key: a handler sees no order and points to none.
    """

    line_key = models.UUIDField()
    unit = models.PositiveIntegerField()
    order = models.CharField(max_length=40)
    sheet = models.CharField(max_length=20)
    addressee = models.CharField(max_length=120)
    street = models.CharField(max_length=120)
    postcode = models.CharField(max_length=10)
    town = models.CharField(max_length=80)
    post_before = models.DateTimeField()
    posted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[WelcomeLetter]] = models.Manager()

    class Meta:
        ordering = ("post_before", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line_key", "unit"], name="helloletter_once_per_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.order}/{self.unit}: {self.addressee}"
