"""What reading a list gives: rows of people, or one reason why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from babel.numbers import format_decimal
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.emailkey import EmailProblem
from common.languages import locale_for

Role = Literal["", "learner", "tutor"]
Field = Literal["email", "firstname", "lastname", "role"]
Source = Literal["csv", "xlsx", "paste", "form"]

LONGEST_NAME = 150

_MESSAGES: dict[str, str | Promise] = {
    "formula": _("This cell is a formula: put its value in its place."),
    "name_too_long": format_lazy(_("This name has more than {limit} characters."), limit=LONGEST_NAME),
    "unreadable": _("Some characters of this name were lost: type it again."),
    "unknown_role": _("The role is learner or tutor."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one field of a row.

    `field`: `email`, `firstname`, `lastname` or `role`. `code`: a value of `EmailProblem` or `formula` for an e-mail,
    `name_too_long` or `unreadable` for a name, `unknown_role` for a role.
    """

    field: Field
    code: str

    @property
    def message(self) -> str | Promise:
        """A lazily translated sentence for the reader."""
        return _MESSAGES[self.code] if self.code in _MESSAGES else EmailProblem(self.code).message


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One person as typed: trimmed, the case kept, an absent name or role empty. `row` counts people from 1."""

    row: int
    email: str
    firstname: str = ""
    lastname: str = ""
    role: Role = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleList:
    """The people of a list in its order, repeated addresses included.

    `ignored_columns` names the columns that were not used (by their number where the list has no header), and
    `ignored_sheets` the sheets of a workbook that hold addresses too but were not read: one list is one sheet.
    """

    rows: tuple[PersonEntry, ...]
    source: Source
    ignored_columns: tuple[str, ...] = ()
    ignored_sheets: tuple[str, ...] = ()


class ListError(Exception):
    """There is no list to work with.

    `code`: `empty`, `no_address`, `not_a_list`, `old_office_file`, `damaged_workbook`, `too_large` or
    `too_many_rows`; `message` is a lazily translated sentence that says what to do.
    """

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


def _number(value: float) -> str:
    return format_decimal(value, locale=locale_for())


_lazy_number: Callable[[float], str] = lazy(_number, str)


def empty() -> ListError:
    """Nothing was given."""
    return ListError("empty", _("The list is empty: nobody is in it."))


def no_address() -> ListError:
    """Nothing in it looks like an e-mail address."""
    return ListError(
        "no_address",
        _("No e-mail address was found in this list. Each person needs one, in a column of its own."),
    )


def not_a_list() -> ListError:
    """An image, a PDF, an archive, a web page…"""
    return ListError(
        "not_a_list",
        _("This file is not a list of people. Save the list as CSV or XLSX, or paste it instead."),
    )


def old_office_file() -> ListError:
    """The old binary format of Office, which also wraps what is protected by a password."""
    return ListError(
        "old_office_file",
        _(
            "This file is in an old Office format or protected by a password. Save it as XLSX without one, or as CSV."
        ),
    )


def damaged_workbook() -> ListError:
    """It claims to be XLSX and cannot be read."""
    return ListError(
        "damaged_workbook",
        _("This workbook cannot be read. Open it, save it again as XLSX or CSV, and try again."),
    )


def too_large(limit: int) -> ListError:
    """More bytes than the limit, as sent or unpacked."""
    megabytes = _lazy_number(round(limit / (1024 * 1024), 1))
    return ListError(
        "too_large",
        format_lazy(
            _("This list is too large: at most {limit} MB can be read. Cut it into parts."), limit=megabytes
        ),
    )


def too_many_rows(limit: int) -> ListError:
    """More people than the limit."""
    return ListError(
        "too_many_rows",
        format_lazy(
            _("This list is too long: at most {limit} people can be read at once. Cut it into parts."),
            limit=_lazy_number(limit),
        ),
    )
