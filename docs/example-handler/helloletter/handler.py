"""`helloletter`: a welcome letter by post for each unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from common.zone import add_exact
from handlers.base import Handler
from handlers.contract import (
    Delivered,
    Delivery,
    Feedback,
    Finding,
    HandlerError,
    Message,
    Offer,
    Purchase,
)
from helloletter.forms import LetterParams, PostalAddress
from helloletter.models import WelcomeLetter

SHEETS = ("welcome", "badge")


class HelloLetter(Handler):
    """Puts one letter per unit on the post room's list."""

    name = "helloletter"
    label = gettext_lazy("Welcome letter by post")
    Params = LetterParams
    CustomerData = PostalAddress
    max_quantity = 50
    messages = {
        "ready": ngettext_lazy(
            "%(letters)d welcome letter will be posted.",
            "%(letters)d welcome letters will be posted.",
            "letters",
        ),
        "to_print": ngettext_lazy(
            "Order %(order)s: %(letters)d letter to print (%(sheet)s).",
            "Order %(order)s: %(letters)d letters to print (%(sheet)s).",
            "letters",
        ),
    }

    def examine(self, offer: Offer, values: Mapping[str, Any]) -> Iterator[Finding]:
        """What the shop admin should know before the item is on sale. An error keeps it off sale."""
        yield from super().examine(offer, values)
        if values["sheet"] not in SHEETS:
            yield Finding("error", "sheet_unknown", _no_sheet(values["sheet"]), "sheet")
        if values["days"] > 30:
            yield Finding("warning", "slow", _("The customer waits more than a month."), "days")

    def deliver(self, purchase: Purchase) -> Delivery:
        """List the letters of the line, or find them listed. Raises HandlerError."""
        sheet = purchase.params["sheet"]
        if sheet not in SHEETS:
            # Sold, and then taken away: somebody has to repair it, trying again does not help.
            raise HandlerError(_no_sheet(sheet), permanent=True, field="sheet")
        before = add_exact(purchase.purchased_at, days=purchase.params["days"], zone=purchase.zone)
        letters = [
            WelcomeLetter(
                line_key=purchase.line_key,
                unit=unit,
                order=purchase.bill_number,
                sheet=sheet,
                post_before=before,
                # The item's own questions are answered in the same place: take what this form asked.
                **{name: address[name] for name in PostalAddress.base_fields},
            )
            for unit, address in enumerate(purchase.customer_data, start=1)
        ]
        # Run again after a crash at any line, this leaves the same rows: the constraint says which are there.
        WelcomeLetter.objects.bulk_create(letters, ignore_conflicts=True)
        data: dict[str, str | int] = {
            "letters": len(letters),
            "order": purchase.bill_number,
            "sheet": sheet,
        }
        ready = Message("ready", data)
        return Delivery(Feedback(public=ready, private=ready, sales=Message("to_print", data)), Delivered())


def _no_sheet(sheet: str) -> str:
    return _("There is no sheet %(sheet)s. There are: %(sheets)s.") % {
        "sheet": sheet,
        "sheets": ", ".join(SHEETS),
    }
