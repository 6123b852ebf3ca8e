"""The paste box "from local_shop": parameter strings of the predecessor, written in this shop's language.

The predecessor never decoded its strings: it cut them at & and =, took every character as it stood, and read % in
a list of courses as the wildcard of its database.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from handlers.encoding import WILDCARD, encode, printable, split

# Old key → key of today.
_KEYS = {
    "enrol": "enrolname",
    "enroltype": "enrolname",
    "enabledcourses": "courselist",
    "startdate": "starttime",
    "enddate": "endtime",
    "timeshift": "extension",
}
_HANDLERS = {
    "createcourse": "buycourse",
    "setuponecourseession": "setuponecoursesession",
    "setupcoursession": "setuponecoursesession",
    "prorogate": "extendenrolperiod",
}
_DATES = {"starttime", "endtime"}


@dataclass(frozen=True, slots=True)
class LocalShopPaste:
    """What was understood: the string of today, the handler if the paste names one, and a note per change."""

    string: str
    notes: tuple[str, ...]
    handler: str = ""


def from_local_shop(string: str) -> LocalShopPaste:
    """Translate a pasted string of the predecessor. Never raises; `parse` then judges the result."""
    pairs: list[str] = []
    notes: list[str] = []
    handler = ""
    for key, value in split(string):
        if key == "handler":
            handler = handler_name(value or "")
            notes.append(_("Automation: %(name)s.") % {"name": printable(handler)})
            continue
        name = _KEYS.get(key, key)
        if name != key:
            notes.append(_("%(old)s is called %(new)s here.") % {"old": key, "new": name})
        if name in _DATES and value == "0":
            notes.append(_("%(key)s=0 meant “no date”: left out.") % {"key": name})
            continue
        if value is None:
            pairs.append(name)
            continue
        if name == "courselist" and "%" in value:
            value = value.replace("%", WILDCARD)
            notes.append(_("%% is the wildcard: courselist is %(value)s.") % {"value": printable(value)})
        written = encode(value)
        if written != value:
            notes.append(
                _("%(key)s is taken literally, as %(value)s.")
                % {"key": printable(name), "value": printable(value)}
            )
        pairs.append(f"{name}={written}")
    return LocalShopPaste("&".join(pairs), tuple(notes), handler)


def handler_name(old: str) -> str:
    """The name of today of a predecessor's handler: `std_createcourse` → `buycourse`."""
    name = old.strip().removeprefix("std_")
    return _HANDLERS.get(name, name)
