"""Descriptions of arguments, and Moodle's strict check of what was sent against them.

An unknown key, a missing one, a wrong type and a list where a scalar belongs all end in the same error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.moodle.peer.errors import invalid_parameter

Clean = Callable[[str], str]

USERNAME_CHARACTERS = re.compile(r"[^-.@_a-z0-9]")
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def clean_int(text: str) -> str:
    found = re.match(r"\s*([+-]?\d+)", text)
    return str(int(found.group(1))) if found else "0"


def clean_username(text: str) -> str:
    return USERNAME_CHARACTERS.sub("", text.strip().lower())


def is_email(text: str) -> bool:
    return EMAIL.fullmatch(text) is not None


def keep_only(pattern: str) -> Clean:
    unwanted = re.compile(f"[^{pattern}]")
    return lambda text: unwanted.sub("", text)


def without_tags(text: str) -> str:
    return re.sub(r"<[^>]*>", "", text)


CLEANERS: dict[str, Clean] = {
    "int": clean_int,
    "raw": lambda text: text,
    "raw_trimmed": lambda text: text.strip(),
    "text": without_tags,
    "notags": without_tags,
    "alpha": keep_only("A-Za-z"),
    "alphanumext": keep_only("A-Za-z0-9_-"),
    "plugin": keep_only("a-z0-9_"),
    "safedir": keep_only("A-Za-z0-9_-"),
    "username": clean_username,
    "email": lambda text: text if is_email(text) else "",
}


@dataclass(frozen=True)
class Value:
    """A scalar. `default` is taken when an optional one is not sent; None leaves its key away."""

    kind: str
    required: bool = True
    default: Any = None

    def check(self, sent: Any, path: str) -> Any:
        if not isinstance(sent, str):
            raise invalid_parameter(f"{path} => Scalar type expected, array or object received.")
        if self.kind == "bool":
            if sent not in {"0", "1"}:
                raise invalid_parameter(f"{path} => Invalid external api parameter: the value is '{sent}'")
            return sent == "1"
        cleaned = CLEANERS[self.kind](sent)
        if self.kind == "int":
            # PHP compares the cleaned number with what was sent; blanks and leading zeros do not matter.
            if not re.fullmatch(r"\s*[+-]?\d+\s*", sent):
                raise invalid_parameter(f"{path} => Invalid external api parameter: the value is '{sent}'")
            return int(cleaned)
        if cleaned != sent:
            raise invalid_parameter(f"{path} => Invalid external api parameter: the value is '{sent}'")
        return cleaned


@dataclass(frozen=True)
class Fields:
    """An object with exactly these keys."""

    keys: dict[str, Description]
    required: bool = True
    default: Any = None

    def check(self, sent: Any, path: str) -> dict[str, Any]:
        if not isinstance(sent, dict):
            raise invalid_parameter(f"{path} => Only arrays accepted. The bad value is: '{sent}'")
        result: dict[str, Any] = {}
        for key, description in self.keys.items():
            if key in sent:
                result[key] = description.check(sent[key], key)
            elif description.required:
                raise invalid_parameter(f"{path} => Missing required key in single structure: {key}")
            elif description.default is not None:
                result[key] = description.default
        unexpected = [key for key in sent if key not in self.keys]
        if unexpected:
            raise invalid_parameter(
                f"{path} => Unexpected keys ({', '.join(unexpected)}) detected in parameter array."
            )
        return result


@dataclass(frozen=True)
class Many:
    """A list. An empty one cannot be sent: without any variable its key is missing."""

    of: Description
    required: bool = True
    default: Any = None

    def check(self, sent: Any, path: str) -> list[Any]:
        if not isinstance(sent, dict):
            raise invalid_parameter(f"{path} => Only arrays accepted. The bad value is: '{sent}'")
        return [self.of.check(item, path) for item in sent.values()]


Description = Value | Fields | Many


def need(kind: str) -> Value:
    return Value(kind)


def may(kind: str, default: Any = None) -> Value:
    return Value(kind, required=False, default=default)
