"""Where the post room sees what to print, and says what has left."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helloletter.models import WelcomeLetter


@admin.register(WelcomeLetter)
class WelcomeLetterAdmin(admin.ModelAdmin[WelcomeLetter]):
    list_display = ("__str__", "sheet", "town", "post_before", "posted_at")
    list_filter = (("posted_at", admin.EmptyFieldListFilter), "sheet")
    readonly_fields = ("line_key", "unit", "order", "sheet", "post_before")
    actions = ("mark_posted",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Letters come from orders."""
        return False

    @admin.action(description=_("Mark as posted now"))
    def mark_posted(self, request: HttpRequest, queryset: QuerySet[WelcomeLetter]) -> None:
        queryset.filter(posted_at=None).update(posted_at=timezone.now())
