"""Reads of organisations and their members."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import CustomerAccount, Member


def members_of(account: CustomerAccount) -> QuerySet[Member]:
    """The members of an account, oldest first, with their people."""
    return Member.objects.filter(account=account).select_related("person").order_by("id")
