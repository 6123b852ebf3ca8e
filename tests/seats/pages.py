"""What tests of pages share: who looks, what a page says, and everything it may change."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import CustomerAccount, Invitation, Person, Role
from common.models import AuditEntry, Job, OutboxMail
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool
from tests.accounts.factories import make_account, make_member
from tests.accounts.helpers import browser

TABLES = (
    Assignment, AssignmentBatch, AssignmentRow, AuditEntry, Delegation, Invitation, Job, OutboxMail, Person, Seat, SeatPool,
)  # fmt: skip


@dataclass
class House:
    """An organisation with somebody in each role, each with a browser of their own."""

    account: CustomerAccount = field(default_factory=make_account)

    def __post_init__(self) -> None:
        self.members = {role: make_member(role, account=self.account) for role in Role}

    def browser(self, role: Role = Role.MANAGER) -> Client:
        return browser(self.members[role].person)


def words(response: Any) -> str:
    """What a page says, without its tags, in single spaces."""
    assert response.status_code == 200, response.status_code
    return plain(response.content.decode())


def plain(source: str) -> str:
    main = source.partition("<main")[2].partition(">")[2].partition("</main>")[0] or source
    main = re.sub(r"<template\b.*?</template>|<svg.*?</svg>", " ", main, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def everything() -> list[Any]:
    """All rows that a page about seats may change; a sign-in is none of them."""
    return [
        list(
            table.objects.order_by("pk").values(
                *[f.attname for f in table._meta.concrete_fields if f.name != "last_login"]
            )
        )
        for table in TABLES
    ]
