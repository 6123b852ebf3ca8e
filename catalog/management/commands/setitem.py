"""`manage.py setitem`: create or update an item."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from catalog.documents import item_document
from catalog.models import SeatMode, Visibility
from catalog.selectors import get_shop
from catalog.services import set_item
from common.audit import OPERATOR
from common.commands import JsonCommand
from seats.models import UnassignedEnd

# Option → form value, where the names differ.
NAMES = {"name": "name_fr", "tax": "tax_rate"}


class Command(JsonCommand):
    help = "Create or update an item, validated exactly as in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--name", help="Name (French, and the fallback of English).")
        parser.add_argument("--name-en", help="Name in English.")
        parser.add_argument("--price", help="Unit price, e.g. 10.00.")
        parser.add_argument("--price-includes-tax", action="store_const", const=True)
        parser.add_argument("--tax", help="Tax rate in per cent, e.g. 20.0.")
        parser.add_argument("--category", help="Name of the category; made when it is new.")
        parser.add_argument("--handler", help="Automation, e.g. generateseats.")
        parser.add_argument("--params", help="Parameter string of the automation.")
        parser.add_argument("--seat-mode", choices=SeatMode.values)
        parser.add_argument("--renewable", action="store_const", const=True)
        parser.add_argument(
            "--unassigned-end",
            choices=UnassignedEnd.values,
            help="What follows for seats that were not given within their validity (extend by default).",
        )
        parser.add_argument("--max-quantity", type=int)
        parser.add_argument("--inactive", action="store_const", const=Visibility.INACTIVE, dest="visibility")

    def handle(self, *args: Any, **options: Any) -> None:
        known = [
            "name",
            "name_en",
            "price",
            "price_includes_tax",
            "tax",
            "category",
            "handler",
            "params",
            "seat_mode",
            "renewable",
            "unassigned_end",
            "max_quantity",
            "visibility",
        ]
        values = {NAMES.get(key, key): options[key] for key in known if options[key] is not None}
        try:
            item = set_item(shop=get_shop(), code=options["code"], values=values, actor=OPERATOR)
        except ValidationError as error:
            key, messages = next(iter(error.message_dict.items()))
            shown = next((option for option, field in NAMES.items() if field == key), key)
            self.refuse(shown, " ".join(messages))
        document = item_document(item)
        self.emit(document, f"{item.code}: {item.name}, {document['price']} {document['currency']}")
