"""Make somebody a member of an organisation, or give a member another role."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from accounts.models import CustomerAccount, Role
from accounts.services import LastOwner, set_member
from common.audit import OPERATOR
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Make somebody a member of an organisation, or give a member another role."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="Short name of the organisation.")
        parser.add_argument("email", help="Address of the person.")
        parser.add_argument("--role", required=True, help=f"One of {', '.join(Role.values)}.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = CustomerAccount.objects.filter(slug=options["slug"]).first()
        if account is None:
            self.refuse("slug", f"There is no organisation “{options['slug']}”.")
        try:
            member = set_member(account=account, email=options["email"], role=options["role"], actor=OPERATOR)
        except ValidationError as error:
            key, texts = next(iter(error.message_dict.items()))
            self.refuse(key, texts[0])
        except LastOwner:
            self.refuse("role", "An organisation keeps at least one owner.")
        document = {"account": account.slug, "email": member.person.email, "role": member.role}
        self.emit(document, f"{account.slug}: {member.person.email} is {member.role}")
