"""Seats in the back office: everything is read, nothing is edited. What changes seats are the services."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from seats.models import Assignment, AssignmentBatch

AnyModel = TypeVar("AnyModel", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[AnyModel]):
    """Rows that operators may look at."""

    show_full_result_count = False  # tables of many rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin[Assignment]):
    list_display = ("email", "course", "account", "state", "starts_at", "ends_at", "opened_at", "end_reason")
    list_select_related = ("account", "course")
    list_filter = ("state", "end_reason")
    search_fields = ("email", "seat__reference", "account__slug", "course__shortname")


@admin.register(AssignmentBatch)
class AssignmentBatchAdmin(ReadOnlyAdmin[AssignmentBatch]):
    list_display = ("id", "account", "course", "state", "source", "created_by", "created_at", "applied_at")
    list_select_related = ("account", "course")
    list_filter = ("state", "source")
    search_fields = ("account__slug", "course__shortname")
