"""How a parameter string is written: pairs, escapes, and what a plus or a percent sign means in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, unquote, unquote_to_bytes

from django.utils.translation import gettext as _

WILDCARD = "*"
# Left as they are in a value: they mean nothing in a query string and read better unescaped.
_SAFE = "*,:/@!'()"
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_WILDCARDS = re.compile(r"\*{2,}")


class UnreadableValue(ValueError):
    """A value that cannot be decoded; the message says what to write instead."""


def split(string: str) -> Iterator[tuple[str, str | None]]:
    """The (key, raw value) pairs of a string: cut at each & and at the first =, nothing decoded.

    The value is None where there is no = at all. White space around keys and values is dropped, and so are empty
    pieces (`&&`, a trailing &).
    """
    for piece in string.split("&"):
        if piece.strip():
            key, equals, value = piece.partition("=")
            yield key.strip(), value.strip() if equals else None


def encode(text: str) -> str:
    """A value as it is written in a parameter string: a space is %20, a plus %2B. Never raises."""
    return quote(text, safe=_SAFE, errors="surrogatepass")


def decode(raw: str, *, plus_is_space: bool = False, wildcard: bool = False) -> str:
    """The text that a raw value stands for.

    With `plus_is_space` (dates) an unencoded + is a space. With `wildcard` (lists of courses) a % that does not begin
    an escape is the wildcard *, and so is an encoded one. Raises UnreadableValue for any other +, for an escape that
    is not UTF-8 and for characters that no value may hold.
    """
    if any(unicodedata.category(character) == "Cs" for character in raw):
        raise UnreadableValue(_("This is not UTF-8 text."))
    text = _BARE_PERCENT.sub(WILDCARD, raw) if wildcard else raw
    if plus_is_space:
        text = text.replace("+", " ")
    elif "+" in text:
        written = encode(_lenient(text))
        raise UnreadableValue(
            _("A + must be written %%2B, and a space %%20. If you mean the sign, write: %(encoded)s")
            % {"encoded": written}
        )
    if _BARE_PERCENT.search(text):
        raise UnreadableValue(
            _("A %% sign must be written %%25. Write: %(encoded)s") % {"encoded": encode(_lenient(raw))}
        )
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise UnreadableValue(_not_utf8(raw, wildcard)) from None
    if any(unicodedata.category(character) == "Cc" for character in decoded):
        raise UnreadableValue(_("A line break or another control character cannot be part of a value."))
    if wildcard:
        decoded = _WILDCARDS.sub(WILDCARD, decoded.replace("%", WILDCARD))
    return decoded


def printable(text: str) -> str:
    """A piece of a string as it can be shown and logged: no lone surrogates, no control characters."""
    return "".join("\ufffd" if unicodedata.category(c) in {"Cs", "Cc"} else c for c in text)


def _not_utf8(raw: str, wildcard: bool) -> str:
    if wildcard:
        return _(
            "An escape in this value is not UTF-8. If %% is the wildcard, write: %(encoded)s or %(stars)s"
        ) % {
            "encoded": encode(raw),
            "stars": encode(raw.replace("%", WILDCARD)),
        }
    return _("An escape in this value is not UTF-8. If the %% sign itself is meant, write: %(encoded)s") % {
        "encoded": encode(raw)
    }


def _lenient(raw: str) -> str:
    """What the writer probably meant: escapes decoded where they are sound, else the text as it stands."""
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return raw
