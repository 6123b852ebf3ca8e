"""What the back office's pages on orders and deliveries share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts.access import signed_in
from billing.production import retry
from common.audit import OPERATOR, Actor


class ReadOnly:
    """Seen by staff who may see it, changed by nobody: what changes orders are the services."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whoever may change orders may tell that money came, and step in with deliveries."""
        return bool(request.user.has_perm("billing.change_bill"))


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff who acts."""
    person = signed_in(request)
    return Actor.person(person.pk) if person else OPERATOR


def retry_runs(page: admin.ModelAdmin[Any], request: HttpRequest, run_ids: list[int]) -> None:
    """Queue failed runs again and say how many."""
    queued = sum(retry(run_id=run_id, actor=actor_of(request)) for run_id in run_ids)
    text = ngettext("%(count)d delivery is tried again.", "%(count)d deliveries are tried again.", queued)
    page.message_user(request, text % {"count": queued}, messages.SUCCESS if queued else messages.WARNING)
