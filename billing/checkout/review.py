"""Everything once more, and the agreement to the terms of sale."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from billing.checkout.people import wanted
from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.forms import TermsForm
from billing.models import CartLine
from billing.services.carts import handler_of, save_answers
from catalog.questions import check_answers, only_asked, shown_answers


class Review(Step):
    """Shows what will be ordered and records the agreement: to these terms, for this total."""

    code = "review"
    position = 40
    label = _("Review")
    keys = frozenset({"terms", "total"})

    def is_complete(self, checkout: Checkout) -> bool:
        agreed = checkout.answers.get("terms", {})
        return (agreed.get("version"), agreed.get("gross")) == _shown(checkout)

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        return self._context(checkout, self._form(checkout))

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        form = self._form(checkout, data)
        valid = form.is_valid()
        seen = (form.cleaned_data.get("version"), form.cleaned_data.get("gross"))
        if seen != _shown(checkout):
            return Answer(context=self._context(checkout, self._form(checkout)) | {"changed": True})
        if not valid:
            return Answer(context=self._context(checkout, form))
        version, gross = seen
        terms = {"version": version, "gross": gross, "agreed_at": timezone.now().isoformat()}
        save_answers(cart=checkout.cart, terms=terms)
        return Answer()

    def _form(self, checkout: Checkout, data: QueryDict | None = None) -> TermsForm:
        version, gross = _shown(checkout)
        return TermsForm(data, version=version, gross=gross)

    def _context(self, checkout: Checkout, form: TermsForm) -> dict[str, Any]:
        return {
            "form": form,
            "identity": checkout.identity,
            "country_name": countries.name(checkout.identity.customer.country),
            "recipient": checkout.answers.get("recipient_email", ""),
            "lines": [
                {
                    "row": row,
                    "details": _details(row.line),
                    "people": row.line.participants[: wanted(row.line)],
                }
                for row in checkout.view.rows
            ],
        }


def _shown(checkout: Checkout) -> tuple[str, int]:
    """What is agreed to: the version of the terms, and the total in minor units."""
    return checkout.shop.terms_version, checkout.view.gross


def _details(line: CartLine) -> list[list[tuple[Any, Any]]]:
    """What was answered: to the shop's own questions, then for each unit, as pairs of question and answer."""
    questions = list(line.item.questions.all())
    answers = only_asked(questions, line.answers, line.quantity)
    frozen, _flaws = check_answers(questions, answers, line.quantity)
    own = list(shown_answers(frozen, quantity=line.quantity))
    handler = handler_of(line.item)
    form_class = handler.CustomerData if handler else None
    fields = form_class().fields if form_class else {}
    units = [
        [(field.label, unit.get(name)) for name, field in fields.items() if unit.get(name)]
        for unit in line.customer_data[: line.quantity]
    ]
    return [own, *units]
