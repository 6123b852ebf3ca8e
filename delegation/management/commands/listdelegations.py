"""The people an account answers for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.models import CustomerAccount
from common.commands import JsonCommand
from delegation.selectors import all_delegations


class Command(JsonCommand):
    help = "List the people an account answers for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        account = CustomerAccount.objects.filter(slug=options["account"]).first()
        if account is None:
            self.refuse("account", f"there is no account “{options['account']}”.")
        rows = all_delegations(account.pk)
        document = [
            {
                "email": row.email,
                "created_by_account": row.created_by_account,
                "status": row.status.value,
                "since": row.since,
            }
            for row in rows
        ]
        self.emit(document, [f"{row.email}  {row.status}  {row.since:%Y-%m-%d}" for row in rows])
