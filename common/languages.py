"""The languages of the screen as locales of Babel."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    # English on screen is British: "31 July 2027", "US$10.00".
    if language == "en":
        return Locale("en", "GB")
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en", "GB")


def locale_for(language: str | None = None) -> Locale:
    """The Babel locale for a language code of Django such as "fr" or "en-gb".

    None means the active language (or the site's own where translation is off). English without a country is
    British, and so is a language that Babel does not know.
    """
    return _locale(language or get_language() or settings.LANGUAGE_CODE)


def is_french(language: str | None = None) -> bool:
    """Whether texts in this language follow French typography. None means the active language."""
    return locale_for(language).language == "fr"
