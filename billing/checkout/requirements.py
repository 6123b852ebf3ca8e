"""What the automations of the articles need to know, unit by unit, and what the shop itself asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.models import CartLine
from billing.services.carts import handler_of, save_customer_data, save_line_answers
from catalog.models import ItemQuestion
from catalog.questions import AnswersForm, asked_once, asked_per_unit, units_asked
from handlers.contract import CustomerDataForm


@dataclass(frozen=True, slots=True)
class Asked:
    """A line about which something is asked: once, and for each unit."""

    line: CartLine
    once: forms.Form | None
    units: list[list[forms.Form]]

    @property
    def forms(self) -> list[forms.Form]:
        """All of them, as the page shows them."""
        return [*([self.once] if self.once else []), *(form for unit in self.units for form in unit)]


class Requirements(Step):
    """Asks the `CustomerData` of each automation once per unit, and the shop's own questions beside it."""

    code = "requirements"
    position = 10
    label = _("Details")
    keys = frozenset({"customer_data", "answers"})

    def applies(self, checkout: Checkout) -> bool:
        return any(_form_of(line) or _questions(line) for line in checkout.lines)

    def is_complete(self, checkout: Checkout) -> bool:
        # Questions that may be left out are shown before the buyer goes on all the same.
        shown = all(len(line.answers) >= _wanted(line) for line in checkout.lines)
        return shown and not checkout.problems_of(self.keys)

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        asked = list(_asked(checkout, insist="check" in query))
        return {"asked": asked, "forms": [form for one in asked for form in one.forms]}

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        for line in checkout.lines:
            form_class = _form_of(line)
            # What was answered for units that are no longer wanted stays.
            if form_class is not None:
                units = [
                    _typed(form_class(prefix=_prefix(line, unit)), data, files)
                    for unit in range(line.quantity)
                ]
                save_customer_data(line=line, units=[*units, *line.customer_data[line.quantity :]])
            if wanted := _wanted(line):
                answers = [_answered(line, unit, data, files) for unit in range(wanted)]
                save_line_answers(line=line, units=[*answers, *line.answers[wanted:]])
        checkout.forget()
        return Answer() if self.is_complete(checkout) else Answer(url=f"{self.url(checkout)}?check=1")


def _form_of(line: CartLine) -> type[CustomerDataForm] | None:
    handler = handler_of(line.item)
    return handler.CustomerData if handler else None


def _questions(line: CartLine) -> list[ItemQuestion]:
    return list(line.item.questions.all())


def _wanted(line: CartLine) -> int:
    """How many mappings of answers the line has once its questions were shown."""
    return units_asked(_questions(line), line.quantity)


def _prefix(line: CartLine, unit: int) -> str:
    return f"line{line.pk}-unit{unit}"


def _typed(form: forms.Form, data: QueryDict, files: Files) -> dict[str, Any]:
    """What was typed into a form, unchecked: it comes back as it was, and the checks read it when ordering."""
    return {
        name: _storable(field.widget.value_from_datadict(data, files, form.add_prefix(name)))
        for name, field in form.fields.items()
    }


def _storable(value: Any) -> Any:
    """The one character that PostgreSQL cannot store is left out."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def _answered(line: CartLine, unit: int, data: QueryDict, files: Files) -> dict[str, Any]:
    """The mapping of answers of one unit."""
    once = _typed(_once_form(line, None), data, files) if unit == 0 else {}
    return once | _typed(_unit_form(line, unit, None), data, files)


# --- the forms ----------------------------------------------------------------------------------------


def _asked(checkout: Checkout, *, insist: bool) -> Iterator[Asked]:
    for line in checkout.lines:
        form_class, questions = _form_of(line), _questions(line)
        if form_class is None and not questions:
            continue
        units = []
        for unit in range(line.quantity):
            found: list[forms.Form] = []
            if form_class is not None:
                prefix = _prefix(line, unit)
                bound = _bound(prefix, _at(line.customer_data, unit), form_class.base_fields, insist=insist)
                found.append(form_class(bound, prefix=prefix, account_id=checkout.account.pk))
            if asked_per_unit(questions):
                found.append(_unit_form(line, unit, _at(line.answers, unit), insist=insist))
            if found:
                units.append(found)
        once = _once_form(line, _at(line.answers, 0), insist=insist) if asked_once(questions) else None
        yield Asked(line, once, units)


def _once_form(line: CartLine, typed: Mapping[str, Any] | None, *, insist: bool = False) -> AnswersForm:
    return _answers_form(f"line{line.pk}-once", asked_once(_questions(line)), typed, insist=insist)


def _unit_form(
    line: CartLine, unit: int, typed: Mapping[str, Any] | None, *, insist: bool = False
) -> AnswersForm:
    prefix = f"line{line.pk}-asked{unit}"
    return _answers_form(prefix, asked_per_unit(_questions(line)), typed, insist=insist)


def _answers_form(
    prefix: str, questions: list[ItemQuestion], typed: Mapping[str, Any] | None, *, insist: bool
) -> AnswersForm:
    names = [question.name for question in questions]
    bound = None if typed is None else _bound(prefix, typed, names, insist=insist)
    return AnswersForm(bound, prefix=prefix, questions=questions)


def _at(units: Sequence[Mapping[str, Any]], unit: int) -> Mapping[str, Any]:
    return units[unit] if unit < len(units) else {}


def _bound(
    prefix: str, typed: Mapping[str, Any], names: Iterable[str], *, insist: bool
) -> dict[str, Any] | None:
    """What a form is bound to; nothing is wrong with one that nobody has touched yet."""
    shown = {f"{prefix}-{name}": typed[name] for name in names if name in typed}
    return shown if insist or any(shown.values()) else None
