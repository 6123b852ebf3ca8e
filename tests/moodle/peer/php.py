"""How PHP reads a form: nested names, and a limit on the number of variables that nobody hears of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

MAX_INPUT_VARS = 1000
NAME = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)")


@dataclass(frozen=True)
class Form:
    """What PHP hands on: `nested` as arrays (dicts) and strings, `names` in the order of the body."""

    nested: dict[str, Any]
    names: tuple[str, ...]
    sent: int


def read_form(encoded: bytes, limit: int = MAX_INPUT_VARS) -> Form:
    """Read a form. One variable more than the limit passes, the rest vanish in the order of the body."""
    pieces = [piece for piece in encoded.decode("ascii", "replace").split("&") if piece]
    nested: dict[str, Any] = {}
    names = []
    for piece in pieces[: limit + 1]:
        name, _, value = piece.partition("=")
        name = unquote_plus(name, errors="replace")
        names.append(name)
        put(nested, name, unquote_plus(value, errors="replace"))
    return Form(nested, tuple(names), len(pieces))


def put(nested: dict[str, Any], name: str, value: str) -> None:
    """Set `a[b][c]`; a later value replaces an earlier one, whatever it was."""
    found = NAME.fullmatch(name)
    if found is None:
        nested[re.sub(r"[ .\[]", "_", name)] = value
        return
    keys = [re.sub(r"[ .]", "_", found.group(1).lstrip()), *re.findall(r"\[([^\]]*)\]", found.group(2))]
    place = nested
    for key in keys[:-1]:
        key = key or next_index(place)
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[keys[-1] or next_index(place)] = value


def next_index(place: dict[str, Any]) -> str:
    """The key that `[]` stands for."""
    return str(1 + max((int(key) for key in place if key.isdigit()), default=-1))
