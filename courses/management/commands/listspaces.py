"""The course spaces of an organisation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.models import CustomerAccount
from common.commands import JsonCommand
from common.zone import iso
from courses.selectors import space_documents


class Command(JsonCommand):
    help = "The course spaces of an organisation, in the order they were bought."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="The slug of the organisation.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = CustomerAccount.objects.filter(slug=options["account"]).first()
        if account is None:
            self.refuse("account", f"there is no organisation “{options['account']}”.")
        documents = space_documents(account.pk)
        self.emit(documents, [_line(document) for document in documents])


def _line(document: dict[str, Any]) -> str:
    dates = f"{iso(document['starts'])} – {iso(document['ends'])}"
    return f"{document['reference']}  {document['course']}  {document['state']}  {dates}  {document['owner']}"
