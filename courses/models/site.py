"""What we know of a remote platform: its state as seen from here, and who has a login on it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class PlatformLogin(models.Model):
    """The login of a person on the course platform.

    The row stands before the platform is asked to make it, so that the user name is the same at every attempt;
    `remote_id` is known once the platform has confirmed it.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="platform_login"
    )
    platform = models.CharField(max_length=20)
    username = models.CharField(max_length=254)
    remote_id = models.BigIntegerField(null=True, blank=True)
    # Made by us; else it was there before, and nothing of it is ever changed.
    is_ours = models.BooleanField(default=False)
    # When its owner chose its password through us; of a login that is ours nobody knows the password until then.
    password_set_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "username"], name="platform_login_once"),
            models.UniqueConstraint(
                fields=["platform", "remote_id"],
                condition=Q(remote_id__isnull=False),
                name="platform_login_of_one_person",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def needs_password(self) -> bool:
        """Whether nobody can use this login yet, because its owner has not chosen a password."""
        return self.is_ours and self.password_set_at is None


class PlatformSite(models.Model):
    """A remote platform as all processes see it: whether it answers, and who is writing to it.

    `failures`: calls in a row without an answer. Until `open_until` it is not asked (circuit breaker). Writes are
    serialised by the lease, because the platform itself keeps nothing from happening twice.
    """

    platform = models.CharField(max_length=20, unique=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    # It answers, and refuses us until somebody changes something there.
    needs_admin = models.BooleanField(default=False)
    lease_holder = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_attempt = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.platform

    @classmethod
    def try_now(cls, platform: str) -> None:
        """Let the platform be asked again at once, whatever happened; one failure more and the pause is as long as it
        was. Other processes see it within a second.
        """
        cls.objects.filter(platform=platform).update(open_until=None)
