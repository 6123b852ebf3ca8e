"""The shop's own questions about an item: asked in a form, checked again when ordering, frozen with their answers.

Answers travel as one mapping per unit, from a question's short name to what was typed; the first mapping also answers
what is asked once. An item of which nothing is asked for each unit needs that first mapping only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from django import forms
from django.utils.html import escape
from django.utils.translation import get_language, override, pgettext
from django.utils.translation import gettext as _

from catalog.models import ItemQuestion, in_language

LONGEST = {ItemQuestion.Kind.TEXT.value: 200, ItemQuestion.Kind.LONG.value: 2000}


class Answered(TypedDict):
    """A question with its answer, frozen into an order in both languages. `unit` counts from 1; None: asked once."""

    name: str
    unit: int | None
    label: dict[str, str]
    answer: dict[str, str]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an answer cannot be taken. `unit` counts from 0; `name` is the question's short name."""

    unit: int
    name: str
    message: str


class AnswersForm(forms.Form):
    """Asks some questions of an item; its fields are called by their short names."""

    def __init__(self, *args: Any, questions: Iterable[ItemQuestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {question.name: _field(question) for question in questions}


def _field(question: ItemQuestion) -> forms.Field:
    # The pages draw the help as it is; that of a question is plain text.
    shared: dict[str, Any] = {
        "label": question.label,
        "help_text": escape(question.help),
        "required": question.required,
    }
    if question.kind == ItemQuestion.Kind.TICK:
        return forms.BooleanField(**shared)
    if question.kind == ItemQuestion.Kind.CHOICE:
        choices = [(french, in_language(french, english)) for french, english in question.choices]
        return forms.ChoiceField(choices=[("", _("Choose…")), *choices], **shared)
    widget = (
        forms.Textarea(attrs={"rows": 4}) if question.kind == ItemQuestion.Kind.LONG else forms.TextInput()
    )
    return forms.CharField(max_length=LONGEST[question.kind], widget=widget, **shared)


# --- what is asked where ------------------------------------------------------------------------------


def asked_once(questions: Iterable[ItemQuestion]) -> list[ItemQuestion]:
    """The questions for the whole line."""
    return [question for question in questions if question.scope == ItemQuestion.Scope.ONCE]


def asked_per_unit(questions: Iterable[ItemQuestion]) -> list[ItemQuestion]:
    """The questions for each unit."""
    return [question for question in questions if question.scope == ItemQuestion.Scope.UNIT]


def units_asked(questions: Sequence[ItemQuestion], quantity: int) -> int:
    """How many mappings of answers a line of so many units has."""
    return quantity if asked_per_unit(questions) else min(len(questions), 1)


def asked_of(questions: Sequence[ItemQuestion], unit: int) -> list[ItemQuestion]:
    """What the mapping of a unit (from 0) answers."""
    once = asked_once(questions) if unit == 0 else []
    return [*once, *asked_per_unit(questions)]


def only_asked(
    questions: Sequence[ItemQuestion], given: Sequence[Mapping[str, Any]], quantity: int
) -> list[dict[str, Any]]:
    """The answers to what is (still) asked, whatever was answered before."""
    return [
        {question.name: unit[question.name] for question in asked_of(questions, row) if question.name in unit}
        for row, unit in enumerate(given[: units_asked(questions, quantity)])
    ]


# --- checking and freezing ----------------------------------------------------------------------------


def check_answers(
    questions: Sequence[ItemQuestion], given: Sequence[Mapping[str, Any]], quantity: int
) -> tuple[list[Answered], list[Flaw]]:
    """The answers as they are frozen, and what is wrong with them; what is optional may be left out."""
    units = units_asked(questions, quantity)
    frozen: list[Answered] = []
    flaws: list[Flaw] = []
    for row in range(max(units, len(given))):
        asked = asked_of(questions, row) if row < units else []
        typed = given[row] if row < len(given) else {}
        names = {question.name for question in asked}
        flaws += [Flaw(row, name, _("This is not asked here.")) for name in sorted(set(typed) - names)]
        form = AnswersForm(_typed(asked, typed), questions=asked)
        for question in asked:
            errors = [_misfit(question, typed.get(question.name)), *form.errors.get(question.name, ())]
            reason = next((str(error) for error in errors if error), "")
            if reason:
                flaws.append(Flaw(row, question.name, _named(question, reason)))
            elif (answer := _words(question, form.cleaned_data[question.name])) is not None:
                unit = row + 1 if question.scope == ItemQuestion.Scope.UNIT else None
                label = {"fr": question.label_fr, "en": question.label_en or question.label_fr}
                frozen.append(Answered(name=question.name, unit=unit, label=label, answer=answer))
    return frozen, flaws


def _misfit(question: ItemQuestion, value: Any) -> str:
    """Why a value that no page would send is none; "" where the form may judge."""
    if question.kind == ItemQuestion.Kind.TICK:
        return "" if value in (None, "", True, False, "true", "false") else _("Say true or false.")
    return "" if value is None or isinstance(value, str | int | float) else _("Give a text.")


def _named(question: ItemQuestion, reason: str) -> str:
    return _("“%(question)s”: %(reason)s") % {"question": question.label, "reason": reason}


def _typed(asked: Iterable[ItemQuestion], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as form data; a choice may also be named by its English line."""
    typed = {}
    for question in asked:
        value = given.get(question.name)
        if question.kind == ItemQuestion.Kind.CHOICE:
            french = [one for one, _english in question.choices]
            english = {english: one for one, english in question.choices}
            value = value if value in french else english.get(str(value), value)
        typed[question.name] = value
    return typed


def _words(question: ItemQuestion, value: Any) -> dict[str, str] | None:
    """An answer in both languages; None where nothing was answered. A box that was not ticked is a no."""
    if question.kind == ItemQuestion.Kind.TICK:
        return {language: _yes_or_no(bool(value), language) for language in ("fr", "en")}
    if not value:
        return None
    if question.kind == ItemQuestion.Kind.CHOICE:
        return {"fr": value, "en": dict(question.choices)[value]}
    return {"fr": value, "en": value}


def _yes_or_no(value: bool, language: str) -> str:
    with override(language):
        return pgettext("an answer", "yes") if value else pgettext("an answer", "no")


# --- showing ------------------------------------------------------------------------------------------


def shown_answers(answers: Iterable[Answered], *, quantity: int) -> Iterator[tuple[str, str]]:
    """Frozen questions and answers in the active language; units are told apart where there are several.

    A question is shown as a label, without what ends its sentence.
    """
    language = "en" if (get_language() or "fr").startswith("en") else "fr"
    for one in answers:
        label = one["label"][language].rstrip("?:. \u00a0\u202f")
        if one["unit"] is not None and quantity > 1:
            label = _("%(question)s (unit %(unit)d)") % {"question": label, "unit": one["unit"]}
        yield label, one["answer"][language]
