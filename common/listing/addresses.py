"""A paste of addresses: from a mail program, or one person per line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from common.listing.cells import clean_cell, split_name, unquote

_TOKEN = re.compile(
    r'(?P<quoted>"[^"]*")|<(?P<address>[^<>]*)>|(?P<hard>[;\t|])|(?P<soft>,)|(?P<text>[^"<;\t|,]+|["<])'
)
# What a copied message has before its addresses.
_MAIL_HEADER = re.compile(r"^\s*(?:to|cc|bcc|from|à|a|cci|de)\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)|[\W_]+")
_AROUND_NAME = " \u00a0,()<>–—:-"
_AROUND_ADDRESS = "<>()[]'\"“”«».,:;"


class NamedAddress(NamedTuple):
    """An address as typed and the name that stood with it; either may be empty."""

    email: str
    firstname: str
    lastname: str


def read_addresses(text: str) -> Iterator[NamedAddress]:
    """The people of a paste such as `Ann Lee <a@x.org>; "Roe, Jo" <j@x.org>, zoe@x.org`.

    A line break, `;` and a tab end a person; a comma does where an address stood before it, so that an unquoted
    "Last, First <…>" is one person. Words around a bare address are its name. Text without any address is a person
    whose address is missing: nothing is dropped.
    """
    for line in text.split("\n"):
        if not line.strip():
            continue
        line = _MAIL_HEADER.sub("", line)
        person = _Person()
        for token in _TOKEN.finditer(line):
            if token["hard"]:
                yield from person.end()
            elif token["soft"]:
                yield from person.comma()
            elif token["address"] is not None:
                yield from person.angle(token["address"])
            else:
                person.text(token.group())
        yield from person.end()


class _Person:
    """What has been read of the present person."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.has_address = False

    def text(self, words: str) -> None:
        self.words.append(words)
        self.has_address = self.has_address or "@" in words

    def comma(self) -> Iterator[NamedAddress]:
        if self.has_address:
            yield from self.end()
        elif self.words:
            self.words.append(",")

    def angle(self, content: str) -> Iterator[NamedAddress]:
        """An address in angle brackets, which ends a person."""
        before = self._take()
        yield _named(content.replace("mailto:", ""), before)

    def end(self) -> Iterator[NamedAddress]:
        text = self._take().strip(" ,")
        if not text or _COMMENT.fullmatch(text):
            return
        words = text.split()
        places = [place for place, word in enumerate(words) if "@" in word]
        if not places:
            yield _named("", text)
            return
        # Names stand before their addresses, except "a@x.org Ann Lee", a single one at the beginning.
        if places == [0]:
            yield _named(words[0].strip(_AROUND_ADDRESS), " ".join(words[1:]))
            return
        start = 0
        for place in places:
            yield _named(words[place].strip(_AROUND_ADDRESS), " ".join(words[start:place]))
            start = place + 1
        if start < len(words):
            yield _named("", " ".join(words[start:]))

    def _take(self) -> str:
        text = "".join(self.words)
        self.words, self.has_address = [], False
        return text


def _named(email: str, name: str) -> NamedAddress:
    first, last = split_name(clean_cell(name.strip(_AROUND_NAME)))
    return NamedAddress(clean_cell(unquote(email)), clean_cell(first), clean_cell(last))
