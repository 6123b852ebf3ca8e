"""`manage.py checkitems`: what there is to say about items before they are on sale."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from catalog.models import CatalogItem, Visibility
from catalog.offers import item_findings
from catalog.selectors import get_shop
from common.commands import JsonCommand


class Command(JsonCommand):
    help = "Check items on sale (or the named ones); exit 1 if there is any error."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        items = CatalogItem.objects.filter(shop=get_shop()).order_by("code")
        codes = options["code"]
        if codes:
            items = items.filter(code__in=codes)
            missing = set(codes) - {item.code for item in items}
            if missing:
                self.refuse("code", f"There is no item {', '.join(sorted(missing))}.")
        else:
            items = items.exclude(visibility=Visibility.INACTIVE)
        document = [
            {"item": item.code, "level": one.level, "code": one.code, "message": one.message}
            for item in items
            for one in item_findings(item)
        ]
        self.emit(document, [f"{one['item']}: {one['level']}: {one['message']}" for one in document])
        if any(one["level"] == "error" for one in document):
            self.fail("At least one item cannot be delivered as it is configured.")
