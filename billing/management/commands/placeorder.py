"""`manage.py placeorder`: place an order for an organisation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.access import roles_with
from accounts.models import CustomerAccount, Member, Person
from billing.management.base import BillCommand
from billing.models import Bill
from billing.services import OrderLine, Refused, identity_of, place
from billing.services.carts import handler_of
from catalog.models import CatalogItem
from catalog.selectors import find_item, get_shop, unit_price
from common.audit import OPERATOR
from common.emailkey import email_key
from common.listing import ListError, read_list
from handlers.contract import ParticipantEntry


class Command(BillCommand):
    help = "Place an order, checked exactly as the shop does, and print it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="Slug of the organisation.")
        parser.add_argument("--item", required=True, help="Code of the item.")
        parser.add_argument("--quantity", required=True, type=int)
        parser.add_argument("--buyer", help="E-mail address; by default who has been an owner longest.")
        parser.add_argument(
            "--customer-data",
            help="JSON list, one object per unit. Its key “answers” is an object with the answers to the shop's own "
            "questions by their short names; the first also answers what is asked once.",
        )
        parser.add_argument("--participants", help="CSV or XLSX file: email, firstname, lastname, role.")
        parser.add_argument(
            "--paymode", choices=Bill.Paymode.values, help="By default transfer, or free when nothing is due."
        )
        parser.add_argument("--at", help="When it is placed, ISO 8601; now by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = CustomerAccount.objects.filter(slug=options["account"]).first()
        if account is None:
            self.refuse("account", f"there is no organisation {options['account']}.")
        shop = get_shop()
        item = find_item(shop, options["item"])
        if item is None:
            self.refuse("item", f"there is no item {options['item']} on sale.")
        buyer = self._buyer(account, options["buyer"])
        units, answers = self._split(item, self._customer_data(options["customer_data"]))
        people = self._participants(options["participants"])
        line = OrderLine(item, options["quantity"], units, people, answers)
        at = self.instant("at", options["at"])
        try:
            bill = place(
                account=account,
                buyer=buyer,
                lines=[line],
                identity=identity_of(account, buyer),
                paymode=options["paymode"] or _paymode(item, line.quantity),
                # Who places orders here has agreed with the customer outside the shop.
                terms_version=shop.terms_version,
                at=at,
                actor=OPERATOR,
            )
        except Refused as refused:
            self.refuse_all(refused)
        self.emit_bill(bill.number)

    def _buyer(self, account: CustomerAccount, email: str | None) -> Person:
        members = Member.objects.filter(account=account, role__in=roles_with("shop")).select_related("person")
        if email is not None:
            member = members.filter(person__email_key=email_key(email)).first()
            if member is None:
                self.refuse("buyer", f"{email} may not order for {account.slug}.")
        else:
            # "owner" sorts after "buyer": the longest-standing owner, else the longest-standing buyer.
            member = members.order_by("-role", "id").first()
            if member is None:
                self.refuse("buyer", f"nobody may order for {account.slug}: name an owner or a buyer.")
        return member.person

    def _customer_data(self, text: str | None) -> list[Mapping[str, Any]]:
        if text is None:
            return []
        try:
            units = json.loads(text)
        except json.JSONDecodeError as error:
            self.refuse("customer-data", f"this is not JSON: {error}.")
        if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
            self.refuse("customer-data", "this is not a JSON list of objects, one per unit.")
        return units

    def _split(
        self, item: CatalogItem, units: list[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """What the automation asks, and the answers to the shop's own questions."""
        if not any("answers" in unit for unit in units):
            return units, []
        answers = [unit.get("answers", {}) for unit in units]
        if not all(isinstance(one, dict) for one in answers):
            self.refuse("customer-data", "“answers” is an object: the answers by the questions' short names.")
        handler = handler_of(item)
        rest: list[Mapping[str, Any]] = [
            {name: value for name, value in unit.items() if name != "answers"} for unit in units
        ]
        # An automation that asks nothing is told nothing, unless somebody says more than answers.
        asks = handler is not None and handler.CustomerData is not None
        return (rest if asks or any(rest) else []), answers

    def _participants(self, path: str | None) -> list[ParticipantEntry]:
        if path is None:
            return []
        try:
            people = read_list(Path(path).read_bytes(), filename=path)
        except OSError as error:
            self.refuse("participants", f"{path} cannot be read: {error.strerror}.")
        except ListError as error:
            self.refuse("participants", str(error.message))
        for row in people.rows:
            for problem in row.problems:
                self.refuse("participants", f"row {row.row}, {problem.field}: {problem.message}")
        if people.ignored_columns:
            self.stderr.write(f"participants: not used: {', '.join(people.ignored_columns)}")
        return [
            ParticipantEntry(row.email, row.firstname, row.lastname, row.role or "learner")
            for row in people.rows
        ]


def _paymode(item: CatalogItem, quantity: int) -> str:
    free = unit_price(item, quantity) == 0
    return Bill.Paymode.FREE.value if free else Bill.Paymode.TRANSFER.value
