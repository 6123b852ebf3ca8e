"""The parameter language: a parameter string is the data of a handler's `Params` form.

`key1=value1&key2=value2`, URL-encoded. Here a string becomes typed values (`parse`) and typed values a string
(`serialise`); `period` gives them instants, `from_local_shop` reads the strings of the predecessor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _

from handlers.encoding import UnreadableValue, decode, encode, printable, split
from handlers.fields import ParamField
from handlers.localshop import LocalShopPaste, from_local_shop
from handlers.moments import Period, PeriodError, both_given, period

__all__ = [
    "LocalShopPaste",
    "ParamError",
    "ParamsForm",
    "Parsed",
    "Period",
    "PeriodError",
    "from_local_shop",
    "parse",
    "period",
    "serialise",
]

MAX_LENGTH = 20_000
# The key of errors that concern the string as a whole.
WHOLE = "params"


class ParamsForm(forms.Form):
    """The parameters of a handler: one field per key, each field's name being the key.

    The fields come from `handlers.fields`, so that a value can be read from the string and written back.
    """

    use_required_attribute = False
    # Other spellings of a key, for the fields that the form has.
    aliases: ClassVar[Mapping[str, str]] = {"startdate": "starttime", "enddate": "endtime"}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("duration") is not None and cleaned.get("endtime") is not None:
            self.add_error("duration", both_given())
        return cleaned


@dataclass(frozen=True, slots=True)
class ParamError:
    """What is wrong with one key: as it was typed, and the form's field that it belongs to ("" for none)."""

    key: str
    message: str
    field: str = ""

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "message": self.message}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parameter string, read.

    `values` is the form's cleaned data (empty when there is any error); `texts` the decoded text of each field, which
    shows the same string as fields; `keys` the spelling in which each field was given.
    """

    values: dict[str, Any] = field(default_factory=dict)
    errors: tuple[ParamError, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def error(self, name: str, message: str) -> ParamError:
        """An error about a field, under the key that was typed for it."""
        return ParamError(self.keys.get(name, name), message, name)


def parse(string: str, *, form: type[ParamsForm]) -> Parsed:
    """Read a parameter string. Never raises: whatever is wrong is in `errors`, each with its key."""
    if len(string) > MAX_LENGTH:
        message = _("This is longer than %(most)s characters.") % {"most": MAX_LENGTH}
        return Parsed(errors=(ParamError(WHOLE, message),))
    texts: dict[str, str] = {}
    keys: dict[str, str] = {}
    errors: list[ParamError] = []
    for key, raw in split(string):
        name = _field_name(key, form)
        if error := _misplaced(key, raw, name, keys, form):
            errors.append(error)
            continue
        keys[name] = key
        kind = form.base_fields[name]
        try:
            texts[name] = decode(
                raw or "",
                plus_is_space=getattr(kind, "plus_is_space", False),
                wildcard=getattr(kind, "wildcard", False),
            ).strip()
        except UnreadableValue as reason:
            errors.append(ParamError(key, str(reason), name))
    read = form(texts)
    blamed = {error.field for error in errors}
    parsed = Parsed(texts=texts, keys=keys)
    for name, messages in read.errors.items():
        if name not in blamed:
            where = "" if name == NON_FIELD_ERRORS else name
            errors.extend(parsed.error(where or WHOLE, str(message)) for message in messages)
    values = {} if errors else read.cleaned_data
    return Parsed(values=values, errors=tuple(errors), texts=texts, keys=keys)


def serialise(values: Mapping[str, Any], *, form: type[ParamsForm]) -> str:
    """Write typed values (a form's cleaned data) as a parameter string, in the order of the form's fields.

    What is empty or equal to the default is left out: `parse` gives it back.
    """
    pairs = []
    for name, kind in form.base_fields.items():
        value = values.get(name)
        if value in (None, "", ()) or value == getattr(kind, "default", kind.initial):
            continue
        pairs.append(f"{name}={encode(as_text(kind, value))}")
    return "&".join(pairs)


def as_text(kind: forms.Field, value: Any) -> str:
    """The text of a typed value, before encoding."""
    if isinstance(value, str):
        return value
    return kind.write(value) if isinstance(kind, ParamField) else str(kind.prepare_value(value))


def _field_name(key: str, form: type[ParamsForm]) -> str:
    """The field that a key means, or "" for none."""
    name = key if key in form.base_fields else form.aliases.get(key, "")
    return name if name in form.base_fields else ""


def _misplaced(
    key: str, raw: str | None, name: str, keys: Mapping[str, str], form: type[ParamsForm]
) -> ParamError | None:
    """What is wrong with a pair before its value is looked at."""
    shown = printable(key)
    if not key:
        return ParamError(
            WHOLE, _("There is a value without a key: “=%(value)s”.") % {"value": printable(raw or "")}
        )
    if not name:
        near = get_close_matches(key, form.base_fields, n=1)
        if near:
            return ParamError(shown, _("Unknown parameter. Do you mean %(key)s?") % {"key": near[0]})
        known = ", ".join(form.base_fields)
        return ParamError(shown, _("Unknown parameter. Known here: %(keys)s.") % {"keys": known})
    if name in keys:
        if keys[name] == key:
            return ParamError(key, _("This parameter is given more than once."), name)
        return ParamError(
            key, _("This is another name of %(key)s, which is given as well.") % {"key": keys[name]}, name
        )
    if raw is None:
        return ParamError(key, _("Write a value: %(key)s=…") % {"key": key}, name)
    return None
