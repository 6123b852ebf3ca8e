"""The registry: built-in handlers, those of packages, and what is refused at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.checks import run_checks

from handlers import registry
from handlers.base import Handler
from handlers.generateseats.handler import GenerateSeats
from handlers.params import ParamsForm
from handlers.registry import UnknownHandler, all_handlers, get_handler

BUILT_IN = ["generateseats", "setuponecoursesession", "buycourse", "enrolonecourse", "extendenrolperiod"]


class Hello(Handler):
    name = "hello"
    label = "Hello"
    Params = ParamsForm


class HelloAgain(Hello):
    pass


class SeatsAgain(Hello):
    name = "generateseats"


class Nameless(Hello):
    name = "Hello world"


class Formless(Hello):
    Params = forms.Form  # type: ignore[assignment]


class Unlabelled(Hello):
    label = ""


class AsksWrongly(Hello):
    CustomerData = forms.Form  # type: ignore[assignment]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make entry points of the group appear, as an installed package would."""

    def with_entries(**entries: str) -> None:
        points = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in entries.items())
        monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
        registry.load.cache_clear()

    # The classes of this module stand for a package whose app is installed.
    monkeypatch.setattr(apps, "get_containing_app_config", lambda module: object())
    yield with_entries
    registry.load.cache_clear()


def here(name: str) -> str:
    return f"{__name__}:{name}"


def complaints() -> list[tuple[str | None, str]]:
    return [(error.id, error.msg) for error in run_checks(tags=["handlers"])]


def test_the_built_in_handlers_are_there_and_sound() -> None:
    assert [handler.name for handler in all_handlers()] == BUILT_IN
    assert isinstance(get_handler("generateseats"), GenerateSeats)
    assert complaints() == []


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(UnknownHandler) as caught:
        get_handler("std_generateseats")
    assert str(caught.value) == (
        f"There is no automation “std_generateseats”. There are: {', '.join(BUILT_IN)}."
    )


def test_a_package_brings_a_handler(install: Callable[..., None]) -> None:
    install(hello=here("Hello"))
    assert [handler.name for handler in all_handlers()] == [*BUILT_IN, "hello"]
    assert type(get_handler("hello")).__name__ == "Hello"
    assert complaints() == []


@pytest.mark.parametrize(
    ("entry", "value", "code", "message"),
    [
        (
            "hello",
            "no.such.module:Hello",
            "handlers.E001",
            "Handler hello = no.such.module:Hello: cannot be imported: ModuleNotFoundError: No module named 'no'.",
        ),
        (
            "hello",
            here("Missing"),
            "handlers.E001",
            (
                f"Handler hello = {here('Missing')}: cannot be imported: AttributeError: module '{__name__}' has "
                "no attribute 'Missing'."
            ),
        ),
        (
            "hello",
            here("here"),
            "handlers.E002",
            f"Handler hello = {here('here')}: is not a class derived from handlers.base.Handler.",
        ),
        (
            "hello",
            here("Nameless"),
            "handlers.E004",
            "Handler hello: has no name of small letters, digits and underscores.",
        ),
        (
            "bonjour",
            here("Hello"),
            "handlers.E004",
            "Handler bonjour: calls itself hello: the entry must have the same name.",
        ),
        (
            "generateseats",
            here("SeatsAgain"),
            "handlers.E005",
            "Handler generateseats: the name generateseats is already taken by GenerateSeats.",
        ),
        (
            "hello",
            here("Formless"),
            "handlers.E006",
            "Handler hello: its Params is not derived from handlers.params.ParamsForm.",
        ),
        (
            "hello",
            here("AsksWrongly"),
            "handlers.E006",
            "Handler hello: its CustomerData is not derived from handlers.contract.CustomerDataForm.",
        ),
        ("hello", here("Unlabelled"), "handlers.E006", "Handler hello: has no label."),
    ],
)
def test_the_shop_does_not_start_with_a_broken_entry(
    install: Callable[..., None], entry: str, value: str, code: str, message: str
) -> None:
    install(**{entry: value})
    assert complaints() == [(code, message)]
    assert [handler.name for handler in all_handlers()] == BUILT_IN


def test_two_packages_may_not_bring_the_same_name(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = EntryPoints(EntryPoint("hello", here(name), registry.GROUP) for name in ("HelloAgain", "Hello"))
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.load.cache_clear()
    assert type(get_handler("hello")).__name__ == "Hello"
    assert complaints() == [("handlers.E005", "Handler hello: the name hello is already taken by Hello.")]


def test_a_handler_package_is_an_installed_app(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "get_containing_app_config", lambda module: None)
    install(hello=here("Hello"))
    assert complaints() == [
        (
            "handlers.E003",
            f"Handler hello = {here('Hello')}: its package {__name__} is not in INSTALLED_APPS.",
        )
    ]


def test_every_handler_can_be_shown_to_a_shop_admin() -> None:
    for handler in all_handlers():
        assert str(handler.label)
        forms_shown: list[Any] = [handler.Params, handler.CustomerData]
        for form in filter(None, forms_shown):
            for field in form.base_fields.values():
                assert str(field.label)
                assert str(field.help_text)
