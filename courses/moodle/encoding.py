"""Arguments as PHP reads them from a form, and lists cut so that PHP reads all of them.

PHP drops what comes after its first 1,000 variables (`max_input_vars`) without a word, and Moodle then does a part of
what was asked: of 250 enrolments 200, one of them without its end. Hence three guards. A call has at most 900
variables. The token is the last of them, so that a call cut short is refused as a whole. And a key that Moodle
requires stands last in its item, so that an item cut short is refused too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote_plus

MOST_VARIABLES = 900
ADDED = 3  # format, function and token
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"

Params = Mapping[str, Any]
"""Names to texts, whole numbers, truth values, and lists and mappings of these."""

T = TypeVar("T")


def pairs(params: Params, *, last: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The arguments as `users[0][username]` and its value, in their own order.

    In each mapping the keys named in `last` come at its end. Truth values are 1 and 0. Instants are whole numbers of
    seconds already. Raises TypeError for any other type and ValueError for an empty list, which Moodle refuses.
    """
    found: list[tuple[str, str]] = []
    _walk(params, "", tuple(last), found)
    return found


def variables(params: Params) -> int:
    """How many variables a call with these arguments has, token and all."""
    return len(pairs(params)) + ADDED


def form(token: str, function: str, params: Params, *, last: Sequence[str] = ()) -> bytes:
    """The body of a call. Raises TypeError and ValueError, whose text names an argument and never its value."""
    sent = pairs(params, last=last)
    if len(sent) + ADDED > MOST_VARIABLES:
        raise ValueError(f"{function}: {len(sent) + ADDED} variables, more than {MOST_VARIABLES}")
    sent += [("moodlewsrestformat", "json"), ("wsfunction", function), ("wstoken", token)]
    return "&".join(f"{quote_plus(name)}={_quoted(name, value)}" for name, value in sent).encode("ascii")


def batches(
    items: Sequence[T], make_params: Callable[[list[T]], Params], *, most: int | None = None
) -> Iterator[tuple[list[T], Params]]:
    """Cut a list into as few calls as the limit allows: the items of each, and its arguments.

    `make_params` turns some of the items into the arguments of a call. `most`: items a call has at most. Nothing comes
    of an empty list. Raises ValueError for an item that does not fit into a call of its own.
    """
    batch: list[T] = []
    fixed = 0
    if len(items) > 1:  # what a call has besides its items: two calls have it twice, one call with both once
        one, other = items[:2]
        apart = variables(make_params([one])) + variables(make_params([other]))
        fixed = apart - variables(make_params([one, other]))
    size = fixed
    for item in items:
        cost = variables(make_params([item])) - fixed
        if fixed + cost > MOST_VARIABLES:
            raise ValueError(f"one item has {cost} variables")
        if batch and (size + cost > MOST_VARIABLES or len(batch) == most):
            yield batch, make_params(batch)
            batch, size = [], fixed
        batch.append(item)
        size += cost
    if batch:
        yield batch, make_params(batch)


def _walk(value: Any, name: str, last: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    if isinstance(value, int):  # truth values are whole numbers, too
        found.append((name, str(int(value))))
    elif isinstance(value, str):
        found.append((name, value))
    elif isinstance(value, Mapping):
        if not value and name:
            raise ValueError(f"{name} is empty")
        ordered = [key for key in value if key not in last] + [key for key in last if key in value]
        for key in ordered:
            _walk(value[key], f"{name}[{key}]" if name else str(key), last, found)
    elif isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"{name} is an empty list")
        for place, item in enumerate(value):
            _walk(item, f"{name}[{place}]", last, found)
    else:
        raise TypeError(f"{name} is of type {type(value).__name__}")


def _quoted(name: str, value: str) -> str:
    try:
        return quote_plus(value)
    except UnicodeEncodeError:
        raise ValueError(f"{name} is no text that can be sent") from None
