"""Reading parameter strings in tests."""

from __future__ import annotations

from typing import Any

from handlers.params import ParamsForm, parse
from handlers.setuponecoursesession.forms import SessionParams


def errors(string: str, form: type[ParamsForm] = SessionParams) -> list[tuple[str, str]]:
    parsed = parse(string, form=form)
    assert parsed.errors
    assert parsed.values == {}
    return [(error.key, error.message) for error in parsed.errors]


def value(string: str, key: str, form: type[ParamsForm] = SessionParams) -> Any:
    parsed = parse(string, form=form)
    assert parsed.errors == ()
    return parsed.values[key]
