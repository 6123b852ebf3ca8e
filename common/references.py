"""References people read out, copy and type: `XXXX-XXXX-XXXX-XXCC`.

Fourteen random characters (69 bits) and two of checksum. The alphabet has 31 characters, a prime, so the checksum is
a Reed-Solomon code over the field of 31 elements: the sixteen values add up to 0, and so do the values times their
place. Such a code has distance 3, which means that any two wrong characters are noticed, and with them any
transposition.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from operator import mul

# Without 0 O, 1 I L: nothing can be read as something else.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_SIZE = len(ALPHABET)
_RANDOM = 14
_LENGTH = 16
_PLACES = range(1, _LENGTH + 1)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}

# Bytes below the largest multiple of 31 become values without bias; the others are thrown away.
_FAIR = 256 - 256 % _SIZE
_TO_VALUE = bytes(byte % _SIZE for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))
_TO_CHARACTER = ALPHABET.encode() + bytes(256 - _SIZE)


def new_reference() -> str:
    """One new reference."""
    return new_references(1)[0]


def new_references(count: int) -> list[str]:
    """So many new references, from one draw of randomness; the column's unique constraint is the last word."""
    values = _random_values(count * _RANDOM)
    text = values.translate(_TO_CHARACTER).decode("ascii")
    return [
        f"{text[at : at + 4]}-{text[at + 4 : at + 8]}-{text[at + 8 : at + 12]}-{text[at + 12 : at + 14]}"
        f"{_checksum(values[at : at + _RANDOM])}"
        for at in range(0, len(text), _RANDOM)
    ]


def check_reference(text: str) -> bool:
    """Whether this is a well-formed reference as `new_reference` writes it; `normalise_reference` first if typed."""
    bare = text.replace("-", "")
    if text != _with_dashes(bare) or len(bare) != _LENGTH or not set(bare) <= _VALUE.keys():
        return False
    values = [_VALUE[character] for character in bare]
    return sum(values) % _SIZE == 0 and sum(map(mul, values, _PLACES)) % _SIZE == 0


def normalise_reference(text: str) -> str:
    """The reference as it is written: upper case, no spaces, dashes after every four characters.

    Whatever is no reference comes back in the same form; `check_reference` tells.
    """
    wide = unicodedata.normalize("NFKC", text).upper()
    return _with_dashes(re.sub(r"[\W_]+", "", wide))


def _with_dashes(bare: str) -> str:
    return "-".join(bare[at : at + 4] for at in range(0, len(bare), 4))


def _random_values(count: int) -> bytes:
    values = b""
    while len(values) < count:
        wanted = count - len(values)
        values += secrets.token_bytes(wanted + wanted // 16 + 16).translate(_TO_VALUE, delete=_UNFAIR)
    return values[:count]


def _checksum(values: bytes) -> str:
    """The two characters at places 15 and 16 that make both sums 0."""
    plain, weighted = sum(values), sum(map(mul, values, _PLACES))
    last = (15 * plain - weighted) % _SIZE
    return ALPHABET[(-plain - last) % _SIZE] + ALPHABET[last]
