"""What is in a built-in course: its pages, who has done them, and its backups."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.media import private_storage
from courses.models.course import Course


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
