"""Create or rename an organisation, and give it an owner."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from accounts.models import CustomerAccount
from accounts.selectors import members_of
from accounts.services import set_account
from common.audit import OPERATOR
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Create or rename an organisation, and give it an owner (other owners stay)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="Short name, as other commands use it: letters, digits, - and _.")
        parser.add_argument("--name", required=True, help="Name of the organisation.")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="Address of an owner.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            account = set_account(
                slug=options["slug"], name=options["name"], owner_email=options["owner"], actor=OPERATOR
            )
        except ValidationError as error:
            key, texts = next(iter(error.message_dict.items()))
            self.refuse(key, texts[0])
        document = account_document(account)
        self.emit(document, [f"{account.slug}: {account.name}", *map(_line, document["members"])])


def account_document(account: CustomerAccount) -> dict[str, Any]:
    """`{"slug", "name", "members": [{"email", "role"}]}`, the oldest member first."""
    return {
        "slug": account.slug,
        "name": account.name,
        "members": [{"email": one.person.email, "role": one.role} for one in members_of(account)],
    }


def _line(member: dict[str, str]) -> str:
    return f"  {member['role']}: {member['email']}"
