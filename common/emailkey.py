"""E-mail addresses: the form that identifies a person, whether one can be written to, and likely slips."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# What the column of an address holds, and what SMTP allows.
LONGEST = 254


class EmailProblem(StrEnum):
    """Why an address cannot be used; `message` is the sentence for the reader."""

    MISSING = "missing"
    NO_AT = "no_at"
    SEVERAL_AT = "several_at"
    SPACE = "space"
    LOCAL_PART = "local_part"
    NO_DOT = "no_dot"
    DOMAIN = "domain"
    TOO_LONG = "too_long"

    @property
    def message(self) -> str | Promise:
        """A lazily translated sentence."""
        return _MESSAGES[self]


_MESSAGES: dict[EmailProblem, str | Promise] = {
    EmailProblem.MISSING: _("The e-mail address is missing."),
    EmailProblem.NO_AT: _("An e-mail address has an @ in it."),
    EmailProblem.SEVERAL_AT: _("There is more than one @ here: give one address per person."),
    EmailProblem.SPACE: _("An e-mail address has no space in it."),
    EmailProblem.LOCAL_PART: _(
        "The part before the @ is not valid: letters without accents, digits, dots and dashes."
    ),
    EmailProblem.NO_DOT: _("The part after the @ is not complete: it has a dot, as in example.org."),
    EmailProblem.DOMAIN: _("The part after the @ is not valid."),
    EmailProblem.TOO_LONG: _("The e-mail address is too long."),
}

# RFC 5322's dot-atom: what may stand before the @ without quotes.
_LONGEST_LOCAL = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")

# Spaces of all kinds, control and zero-width characters, as they come along when an address is copied.
_UNSEEN = re.compile(
    r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x1f\x7f-\x9f]"
)


def clean_email(text: str) -> str:
    """The address as typed, without invisible characters and surrounding spaces, in NFC."""
    if text.isascii() and text.isprintable():
        return text.strip()
    # A line break or a tab between two addresses must stay a space, or the two would become one.
    spaced = re.sub(r"[\t\n\r\f\v\x1c-\x1f\x85]", " ", text)
    return unicodedata.normalize("NFC", _UNSEEN.sub("", spaced)).strip()


def email_key(text: str) -> str:
    """What identifies the address: cleaned, NFC, lower case. The same for every way of typing it."""
    return unicodedata.normalize("NFC", clean_email(text).lower())


def check_email(text: str) -> EmailProblem | None:
    """Why nobody can be written to at this address, or None. Nothing is looked up.

    Domains in any script are accepted, and so are the reserved ones of tests (`.test`, `.example`, `.invalid`, …).
    Before the @ only ASCII is: mail servers commonly refuse anything else, and nearly always an accent there is a slip.
    """
    address = clean_email(text)
    if (problem := _plain_problem(address)) is not None:
        return problem
    local, domain = address.rsplit("@", 1)
    if len(local) > _LONGEST_LOCAL or not _LOCAL_PART.fullmatch(local):
        return EmailProblem.LOCAL_PART
    return None if _is_domain(domain) else EmailProblem.DOMAIN


def _plain_problem(address: str) -> EmailProblem | None:
    """What anybody would see."""
    if not address:
        return EmailProblem.MISSING
    if len(address) > LONGEST:
        return EmailProblem.TOO_LONG
    if "@" not in address:
        return EmailProblem.NO_AT
    if address.count("@") > 1:
        return EmailProblem.SEVERAL_AT
    if re.search(r"\s", address):
        return EmailProblem.SPACE
    if "." not in address.rsplit("@", 1)[1].strip("."):
        return EmailProblem.NO_DOT
    return None


@lru_cache(maxsize=4096)
def _is_domain(domain: str) -> bool:
    """Whether mail may be addressed to this domain. Cached: a list of people has few, and scripts are slow to check."""
    stem, _dot, ending = domain.rpartition(".")
    # The library refuses what is reserved for tests; its form is checked under an ending it does not refuse.
    ordinary = f"{stem}.example" if ending.lower() in SPECIAL_USE_DOMAIN_NAMES else domain
    try:
        validate_email(f"anybody@{ordinary}", check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


# --- likely slips -------------------------------------------------------------------------------

# Providers by name: the endings they use, the usual one first.
_PROVIDERS = {
    "gmail": ("com",),
    "hotmail": ("com", "fr", "be", "ch", "it", "es", "de", "co.uk", "ca"),
    "outlook": ("com", "fr", "be", "it", "es", "de"),
    "yahoo": ("fr", "com", "be", "it", "es", "de", "ca", "co.uk"),
    "orange": ("fr", "com", "be", "es"),
    "wanadoo": ("fr",),
    "laposte": ("net", "fr"),
    "icloud": ("com",),
    "live": ("fr", "com", "be"),
    "free": ("fr",),
    "sfr": ("fr", "com"),
    "bbox": ("fr",),
    "neuf": ("fr",),
}
_MISTYPED_ENDINGS = {
    "fr": {"f", "r", "rf", "ft", "fe", "fer", "frr", "ffr", "dr", "gr", "fr.fr"},
    "com": {"c", "co", "cm", "om", "con", "cmo", "ocm", "cim", "comm", "coom", "cpm", "vom", "xom", "com.fr"},
    "net": {"ne", "nt", "et", "nte", "ent", "bet", "nett"},
}
# Real domains one letter away from a provider.
_NEIGHBOURS = {"mail", "email", "ymail", "cloud", "orage", "range"}
_SHORTEST_GUESSED = 5


def suspect_domain(email: str) -> str | None:
    """The address that was probably meant (gmial.com → gmail.com, orange.f → orange.fr), or None.

    Only well-known providers are guessed; a suggestion is a question to the reader, never a correction.
    """
    local, _at, domain = clean_email(email).rpartition("@")
    meant = _meant(domain.lower()) if local else None
    return f"{local}@{meant}" if meant else None


@lru_cache(maxsize=4096)
def _meant(domain: str) -> str | None:
    name, _dot, ending = domain.partition(".")
    provider = name if name in _PROVIDERS else _near_provider(name)
    if provider is None:
        return None
    endings = _PROVIDERS[provider]
    if ending not in endings:
        near = [right for right in endings if ending in _MISTYPED_ENDINGS.get(right, ())]
        # "gmail" alone is as clear; any other ending may be somebody's real domain.
        if not near and ending:
            return None
        ending = near[0] if near else endings[0]
    meant = f"{provider}.{ending}"
    return meant if meant != domain else None


def _near_provider(name: str) -> str | None:
    if name in _NEIGHBOURS:
        return None
    near = (known for known in _PROVIDERS if len(known) >= _SHORTEST_GUESSED and _one_slip_apart(name, known))
    return next(near, None)


def _one_slip_apart(typed: str, meant: str) -> bool:
    """Whether one letter was left out, added or replaced, or two neighbours changed places."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    left, right = typed[start:], meant[start:]
    if len(left) == len(right):
        swapped = left[1:2] + left[:1] == right[:2] and left[2:] == right[2:]
        return left[1:] == right[1:] or swapped
    return left[1:] == right if len(left) > len(right) else left == right[1:]
