"""The shop's own questions on an item: kept sound in the admin, asked, checked, frozen in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from accounts.models import Person
from catalog.models import CatalogItem, ItemQuestion
from catalog.questions import AnswersForm, check_answers, only_asked, shown_answers, units_asked
from tests.catalog.factories import make_item


@pytest.fixture(autouse=True)
def _english(db: None) -> None:
    translation.activate("en")


@pytest.fixture
def item() -> CatalogItem:
    found: Any = make_item()
    return CatalogItem.objects.get(pk=found.pk)


def ask(item: CatalogItem, name: str = "size", **values: Any) -> ItemQuestion:
    """A question that the admin would take."""
    question = ItemQuestion(item=item, name=name, **({"label_fr": f"{name} ?", "label_en": name} | values))
    question.full_clean()
    question.save()
    return question


def choice(item: CatalogItem, **values: Any) -> ItemQuestion:
    texts = {"choices_fr": "Petit\nGrand", "choices_en": "Small\nLarge"}
    return ask(item, "size", kind="choice", **(texts | values))


def problems(item: CatalogItem, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as error:
        ask(item, **values)
    assert not ItemQuestion.objects.exists()
    return error.value.message_dict


# --- what a question may be ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"kind": "text", "choices_fr": "A\nB"},
            {"choices_fr": ["Only a question of the kind choice has choices."]},
        ),
        ({"kind": "choice", "choices_fr": "\n A \n"}, {"choices_fr": ["Give at least two choices."]}),
        (
            {"kind": "choice", "choices_fr": "A\nB", "choices_en": "A"},
            {"choices_en": ["Give as many choices as in French, or none at all."]},
        ),
        (
            {"kind": "choice", "choices_fr": "A\nA "},
            {"choices_fr": ["The same choice is there twice."]},
        ),
        (
            {"kind": "choice", "choices_fr": "A\nB", "choices_en": "C\nC"},
            {"choices_en": ["The same choice is there twice."]},
        ),
        ({"label_fr": ""}, {"label_fr": ["This field cannot be blank."]}),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_its_field(item, values, expected):
    assert problems(item, **values) == expected


def test_a_short_name_is_one_question_of_an_item(item):
    ask(item, "size")
    with pytest.raises(ValidationError):
        ask(item, "size")
    ask(CatalogItem.objects.get(pk=make_item().pk), "size")


def test_questions_are_edited_beside_their_item(client: Client, item):
    client.force_login(Person.objects.create_superuser("staff@shop.example", language="en"))
    client.cookies.load({"django_language": "en"})
    url = f"/admin/catalog/catalogitem/{item.pk}/change/"
    posted = {
        "shop": item.shop_id,
        "code": item.code,
        "name_fr": "Siège",
        "price": "12.50",
        "tax_rate": "20.00",
        "seat_mode": "none",
        "visibility": "public",
        "unassigned_end": "extend",
        "position": "0",
        "tiers-TOTAL_FORMS": "0",
        "tiers-INITIAL_FORMS": "0",
        "questions-TOTAL_FORMS": "1",
        "questions-INITIAL_FORMS": "0",
        "questions-0-name": "size",
        "questions-0-position": "1",
        "questions-0-kind": "choice",
        "questions-0-scope": "unit",
        "questions-0-label_fr": "Taille",
        "questions-0-choices_fr": "Petit",
    }
    refused = client.post(url, posted)
    assert "Give at least two choices." in refused.content.decode()
    assert not ItemQuestion.objects.exists()
    assert client.post(url, posted | {"questions-0-choices_fr": "Petit\r\n Grand "}).status_code == 302
    question = item.questions.get()
    assert (question.label, question.scope, question.choices) == (
        "Taille",
        "unit",
        [("Petit", "Petit"), ("Grand", "Grand")],
    )


# --- asking -------------------------------------------------------------------------------------------


def test_the_form_speaks_the_readers_language_and_takes_no_markup(item):
    choice(item, required=True, help_fr="<b>Aide</b>", help_en="<b>Help</b>")
    field = AnswersForm(questions=item.questions.all()).fields["size"]
    assert (field.label, field.help_text) == ("size", "&lt;b&gt;Help&lt;/b&gt;")
    assert field.choices == [("", "Choose…"), ("Petit", "Small"), ("Grand", "Large")]  # type: ignore[attr-defined]
    with translation.override("fr"):
        field = AnswersForm(questions=item.questions.all()).fields["size"]
        assert field.label == "size ?"
        assert field.choices[1:] == [("Petit", "Petit"), ("Grand", "Grand")]  # type: ignore[attr-defined]


def test_how_many_mappings_a_line_has(item):
    assert units_asked([], 5) == 0
    ask(item, "once")
    assert units_asked(list(item.questions.all()), 5) == 1
    ask(item, "each", scope="unit")
    assert units_asked(list(item.questions.all()), 5) == 5


# --- checking and freezing ----------------------------------------------------------------------------


def checked(
    item: CatalogItem, *given: dict[str, Any], quantity: int = 1
) -> tuple[Any, list[tuple[int, str, str]]]:
    frozen, flaws = check_answers(list(item.questions.all()), given, quantity)
    return frozen, [(flaw.unit, flaw.name, flaw.message) for flaw in flaws]


def test_answers_are_frozen_with_their_questions_in_both_languages(item):
    ask(item, "ref", position=1)
    ask(item, "notes", kind="long", position=2)
    choice(item, scope="unit", position=3)
    ask(item, "agreed", kind="tick", scope="unit", position=4)
    frozen, flaws = checked(
        item,
        {"ref": " R7 ", "notes": "", "size": "Grand", "agreed": True},
        {"size": "Small", "agreed": False},
        quantity=2,
    )
    assert flaws == []
    assert frozen == [
        {
            "name": "ref",
            "unit": None,
            "label": {"fr": "ref ?", "en": "ref"},
            "answer": {"fr": "R7", "en": "R7"},
        },
        {
            "name": "size",
            "unit": 1,
            "label": {"fr": "size ?", "en": "size"},
            "answer": {"fr": "Grand", "en": "Large"},
        },
        {
            "name": "agreed",
            "unit": 1,
            "label": {"fr": "agreed ?", "en": "agreed"},
            "answer": {"fr": "oui", "en": "yes"},
        },
        {
            "name": "size",
            "unit": 2,
            "label": {"fr": "size ?", "en": "size"},
            "answer": {"fr": "Petit", "en": "Small"},
        },
        {
            "name": "agreed",
            "unit": 2,
            "label": {"fr": "agreed ?", "en": "agreed"},
            "answer": {"fr": "non", "en": "no"},
        },
    ]
    assert list(shown_answers(frozen, quantity=2))[:2] == [("ref", "R7"), ("size (unit 1)", "Large")]
    assert list(shown_answers(frozen[:2], quantity=1))[1] == ("size", "Large")
    with translation.override("fr"):
        assert list(shown_answers(frozen, quantity=1))[1] == ("size", "Grand")


@pytest.mark.parametrize("kind", ["text", "long", "choice", "tick"])
def test_what_is_required_is_named_when_it_is_missing(item, kind):
    choices = {"choices_fr": "A\nB"} if kind == "choice" else {}
    ask(item, "thing", kind=kind, required=True, **choices)
    expected = [(0, "thing", "“thing”: This field is required.")]
    assert checked(item) == ([], expected)
    assert checked(item, {"thing": "" if kind != "tick" else False}) == ([], expected)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("text", "x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("long", "x" * 2001, "Ensure this value has at most 2000 characters (it has 2001)."),
        ("text", ["a"], "Give a text."),
        ("text", "a\x00b", "Null characters are not allowed."),
        ("choice", "C", "Select a valid choice. C is not one of the available choices."),
        ("tick", "no", "Say true or false."),
    ],
)
def test_an_answer_that_is_none_is_refused(item, kind, value, message):
    ask(item, "thing", kind=kind, **({"choices_fr": "A\nB"} if kind == "choice" else {}))
    assert checked(item, {"thing": value}) == ([], [(0, "thing", f"“thing”: {message}")])


def test_what_is_not_asked_there_is_refused(item):
    ask(item, "once")
    ask(item, "each", scope="unit")
    frozen, flaws = checked(item, {"once": "a", "odd": "x"}, {"once": "b"}, {"each": "c"}, quantity=2)
    assert [one["name"] for one in frozen] == ["once"]
    message = "This is not asked here."
    assert flaws == [(0, "odd", message), (1, "once", message), (2, "each", message)]


def test_answers_to_questions_that_are_gone_are_left_out(item):
    ask(item, "once")
    questions = list(item.questions.all())
    assert only_asked(questions, [{"once": "a", "gone": "x"}, {"gone": "y"}], 3) == [{"once": "a"}]
    assert only_asked([], [{"gone": "x"}], 3) == []
