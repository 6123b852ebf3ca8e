"""Who answers for whom, in the back office: read only. What changes it are the services."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from delegation.models import Delegation


@admin.register(Delegation)
class DelegationAdmin(admin.ModelAdmin[Delegation]):
    list_display = ("email", "account", "created_login", "since", "accepted_at", "ended_at")
    list_select_related = ("account",)
    list_filter = ("created_login",)
    search_fields = ("email", "account__slug", "account__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
