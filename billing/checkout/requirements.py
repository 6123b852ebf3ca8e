"""What the automations of the articles need to know, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.models import CartLine
from billing.services.carts import handler_of, save_customer_data
from handlers.contract import CustomerDataForm


@dataclass(frozen=True, slots=True)
class Asked:
    """A line about which something is asked: one form per unit."""

    line: CartLine
    forms: list[CustomerDataForm]


class Requirements(Step):
    """Asks the `CustomerData` of each automation, once per unit."""

    code = "requirements"
    position = 10
    label = _("Details")
    keys = frozenset({"customer_data"})

    def applies(self, checkout: Checkout) -> bool:
        return any(_form_of(line) for line in checkout.lines)

    def is_complete(self, checkout: Checkout) -> bool:
        return not checkout.problems_of(self.keys)

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        asked = list(_asked(checkout, insist="check" in query))
        return {"asked": asked, "forms": [form for one in asked for form in one.forms]}

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        for line in checkout.lines:
            form_class = _form_of(line)
            if form_class is not None:
                units = [_typed(form_class, data, files, line, unit) for unit in range(line.quantity)]
                # What was answered for units that are no longer wanted stays.
                save_customer_data(line=line, units=[*units, *line.customer_data[line.quantity :]])
        checkout.forget()
        return Answer() if self.is_complete(checkout) else Answer(url=f"{self.url(checkout)}?check=1")


def _form_of(line: CartLine) -> type[CustomerDataForm] | None:
    handler = handler_of(line.item)
    return handler.CustomerData if handler else None


def _prefix(line: CartLine, unit: int) -> str:
    return f"line{line.pk}-unit{unit}"


def _typed(
    form_class: type[CustomerDataForm], data: QueryDict, files: Files, line: CartLine, unit: int
) -> dict[str, Any]:
    """What was typed for a unit, unchecked: it comes back as it was, and the checks read it when ordering."""
    form = form_class(prefix=_prefix(line, unit))
    return {
        name: field.widget.value_from_datadict(data, files, form.add_prefix(name))
        for name, field in form.fields.items()
    }


def _asked(checkout: Checkout, *, insist: bool) -> Iterator[Asked]:
    for line in checkout.lines:
        form_class = _form_of(line)
        if form_class is None:
            continue
        forms = []
        for unit in range(line.quantity):
            prefix = _prefix(line, unit)
            typed = line.customer_data[unit] if unit < len(line.customer_data) else {}
            shown = {f"{prefix}-{name}": value for name, value in typed.items()}
            # Nothing is wrong with a form that nobody has touched yet.
            bound = shown if insist or any(typed.values()) else None
            forms.append(form_class(bound, prefix=prefix, account_id=checkout.account.pk))
        yield Asked(line, forms)
