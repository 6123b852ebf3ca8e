"""French spaces in texts that people typed."""

from __future__ import annotations

import re

NARROW = "\u202f"
_SPACES = "[ \t\u00a0\u2009\u202f]*"

# What holds these signs for another reason: addresses, tags, entities, code between backquotes, :names:. Repetitions
# are bounded where they may fail at their end, so that a long word without a space takes no longer than another.
_UNTOUCHED = (
    r"(?:\b[a-z][a-z0-9+.-]{0,15}://|www\.|mailto:|tel:)[^\s<>«»]+"
    r"|[^\s<>«»@]{1,64}@[^\s<>«»@]{1,250}\.\w+"
    r"|<[^<>]{0,2000}>|&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{0,30});|`[^`]{0,2000}`|(?<![^\s(]):[\w+-]{1,40}:"
)
# Before a sign only where it ends a word and is not glued to what follows: 10:30, a?b=c and :) stay.
_BEFORE = rf"(?<=[^\s(\[«]){_SPACES}(?<![;:!?])(?=[;:!?]+(?:[\s<)\]»”\"’,.…]|$))"
_OPEN = rf"«{_SPACES}(?=\S)"
_CLOSE = rf"(?<=[^\s«]){_SPACES}»"

_PATTERN = re.compile(
    rf"(?P<untouched>{_UNTOUCHED})|(?P<open>{_OPEN})|(?P<close>{_CLOSE})|(?P<before>{_BEFORE})", re.IGNORECASE
)


def french_spaces(text: str) -> str:
    """The text with a narrow no-break space (U+202F) before ; : ! ? » and after «.

    One is put in where nothing was typed, and takes the place of an ordinary space. URLs, e-mail addresses, tags and
    HTML entities are never touched, nor times such as 10:30. Doing it twice changes nothing.
    """
    return _PATTERN.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    if match["untouched"] is not None:
        return match["untouched"]
    if match["open"] is not None:
        return f"«{NARROW}"
    return f"{NARROW}»" if match["close"] is not None else NARROW
