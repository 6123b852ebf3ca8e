"""One cell: without what nobody sees, and its names taken apart."""

from __future__ import annotations

import re
import unicodedata

from common.csvsafe import restore

# Zero-width joiners stay: they belong to the spelling of names in several scripts.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    r"\ud800-\udfff]"
)
_LINE_BREAKS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# How XLSX writes control characters.
_ESCAPED = re.compile(r"_x00[01][0-9A-Fa-f]_")
_ADDRESSED = re.compile(r"[^\s(@]@[^\s)@]")
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "‘": "’"}


def clean_text(text: str) -> str:
    """A whole list without control and zero-width characters, every line break a plain one."""
    return _UNSEEN.sub("", _LINE_BREAKS.sub("\n", text))


def clean_cell(text: str) -> str:
    """One cell: trimmed, white space of any kind or length one space, accents composed."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", _LINE_BREAKS.sub(" ", text)))
    return " ".join(restore(text.strip()).split())


def clean_xlsx_cell(text: str) -> str:
    """The same for a cell of a workbook."""
    return clean_cell(_ESCAPED.sub(" ", text))


def holds_address(text: str) -> bool:
    """Whether there is an address in it, unlike the lone sign of a header such as "Adresse @"."""
    return _ADDRESSED.search(text) is not None


def fold(text: str) -> str:
    """For comparing words: lower case, no accents, only letters and digits between single spaces.

    What stands in brackets is left out, and so are the endings of inclusive spelling: "Apprenant·e" is "apprenant".
    """
    text = re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}", " ", text.casefold())
    text = re.sub(r"[·•∙.]e(?:[·•∙.]?s)?\b", "", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a display name.

    "Last, First" has a comma. Without one the first word is the first name and the rest the last name; nothing is
    guessed from capitals, because a manager sees and corrects the result more easily than a clever mistake.
    """
    name = unquote(name)
    if "@" in name:
        return "", ""
    if "," in name:
        last, first = name.split(",", 1)
        return unquote(first), unquote(last)
    first, _space, last = name.partition(" ")
    return first, last.strip()


def split_last_first(name: str) -> tuple[str, str]:
    """First and last name where the column says that the last name comes first ("Nom et prénom").

    Words in capitals at the beginning are the last name, as French forms have it; else its first word is.
    """
    if "," in name:
        return split_name(name)
    words = name.split()
    capitals = 0
    while capitals < len(words) and words[capitals].isupper():
        capitals += 1
    cut = capitals if 0 < capitals < len(words) else 1
    return " ".join(words[cut:]), " ".join(words[:cut])


def unquote(text: str) -> str:
    """The text without the quotation marks around it."""
    text = text.strip()
    for _pair in range(3):
        if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
            break
        text = text[1:-1].strip()
    return text
