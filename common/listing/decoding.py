"""From bytes to text, or the discovery that they are no text."""

from __future__ import annotations

import codecs
import re

from common.listing import shapes

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
# Files people attach by mistake, by how they begin. Beginnings that a name could have (RIFF, BM) are left to the count
# of control characters.
_OTHER_FILES = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x05\x06", b"PK\x07\x08", b"Rar!\x1a", b"7z\xbc\xaf",
    b"\x1f\x8b", b"{\\rtf", b"\x7fELF", b"SQLite format 3\x00", b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00",
)  # fmt: skip
_MARKUP = re.compile(
    r"\s*(?:<(?:!doctype|\?xml|html|head|body|table|svg|meta|style|div)\b|BEGIN:VCARD)", re.IGNORECASE
)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_LOST = "\ufffd"


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are an archive, as an XLSX file is. What it was named does not matter."""
    return data.startswith(_ZIP)


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 (both with or without a byte order mark), cp1252 or Mac Roman.

    Raises ListError(not_a_list or old_office_file) for what is no text.
    """
    if data.startswith(_OLD_OFFICE):
        raise shapes.old_office_file()
    if data.startswith(_OTHER_FILES):
        raise shapes.not_a_list()
    text = _decode(data)
    if _is_binary(text[:_SAMPLE]) or _MARKUP.match(text):
        raise shapes.not_a_list()
    return text


def _decode(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if (unmarked := _unmarked_utf16(data[:_SAMPLE])) is not None:
        return data.decode(unmarked, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_broken(data)


def _unmarked_utf16(sample: bytes) -> str | None:
    """UTF-16 shows by its zeros: in European text nearly every second byte is one."""
    half = len(sample) // 2
    if half < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _decode_broken(data: bytes) -> str:
    """Bytes that are not UTF-8 throughout.

    Where most of what is not ASCII is UTF-8, a few bytes of it were damaged, and the rest is worth keeping. Otherwise
    it is cp1252, as Excel saves it; five bytes do not exist there, but are common letters (è, ç, ê, ù) in the Mac Roman
    of Excel for Mac.
    """
    damaged = data.decode("utf-8", "replace")
    lost = damaged.count(_LOST)
    if sum(not character.isascii() for character in damaged) - lost > 2 * lost:
        return damaged
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("mac_roman")


def _is_binary(sample: str) -> bool:
    """Text may hold a stray control character; an image or a program is full of them."""
    share = len(_CONTROL.findall(sample)) / max(len(sample), 1)
    return share > (0.05 if len(sample) >= 256 else 0.3)
