"""Which handlers there are: the built-in ones and those of installed packages.

A package offers handlers under the entry point group `shopseats.handlers`, as `name = "module:Class"`, and is itself
a Django app in INSTALLED_APPS. `handlers.checks` refuses to start when an entry cannot be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from handlers.base import Handler
from handlers.buycourse.handler import BuyCourse
from handlers.contract import CustomerDataForm, Message
from handlers.enrolonecourse.handler import EnrolOneCourse
from handlers.extendenrolperiod.handler import ExtendEnrolPeriod
from handlers.generateseats.handler import GenerateSeats
from handlers.params import ParamsForm
from handlers.setuponecoursesession.handler import SetUpOneCourseSession

GROUP = "shopseats.handlers"
BUILT_IN: tuple[type[Handler], ...] = (
    GenerateSeats,
    SetUpOneCourseSession,
    BuyCourse,
    EnrolOneCourse,
    ExtendEnrolPeriod,
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class UnknownHandler(LookupError):
    """No handler has this name."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be used, and why. `code` is that of the system check."""

    entry: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The usable handlers by name, and what was wrong with the others."""

    handlers: dict[str, Handler]
    problems: tuple[Problem, ...]


def get_handler(name: str) -> Handler:
    """The handler of this name. Raises UnknownHandler, with the names there are."""
    handlers = load().handlers
    if name not in handlers:
        raise UnknownHandler(
            _("There is no automation “%(name)s”. There are: %(names)s.")
            % {"name": name, "names": ", ".join(handlers)}
        )
    return handlers[name]


def all_handlers() -> list[Handler]:
    """Every usable handler: the built-in ones first, then those of packages by name."""
    return list(load().handlers.values())


def say(handler: str, document: dict[str, object]) -> str:
    """Put a stored message into words in the active language; "" when its handler is no longer installed."""
    known = load().handlers.get(handler)
    return known.say(Message.from_json(document)) if known else ""


@cache
def load() -> Registry:
    """Find and judge all handlers, once per process."""
    handlers: dict[str, Handler] = {}
    problems: list[Problem] = []
    for entry, found in _candidates():
        problem = found if isinstance(found, Problem) else _problem(entry, found, handlers)
        if problem:
            problems.append(problem)
        elif isinstance(found, type):
            handlers[found.name] = found()
    return Registry(handlers, tuple(problems))


def _candidates() -> Iterator[tuple[str, type[Handler] | Problem]]:
    for built_in in BUILT_IN:
        yield built_in.name, built_in
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        yield point.name, _loaded(point)


def _loaded(point: EntryPoint) -> type[Handler] | Problem:
    shown = f"{point.name} = {point.value}"
    try:
        found = point.load()
    except Exception as error:  # noqa: BLE001 - importing a package may raise anything; the check reports it
        return Problem(shown, f"cannot be imported: {type(error).__name__}: {error}", "handlers.E001")
    if not (isinstance(found, type) and issubclass(found, Handler)):
        return Problem(shown, "is not a class derived from handlers.base.Handler", "handlers.E002")
    if found not in BUILT_IN and apps.get_containing_app_config(found.__module__) is None:
        return Problem(shown, f"its package {found.__module__} is not in INSTALLED_APPS", "handlers.E003")
    return found


def _problem(entry: str, found: type[Handler], known: dict[str, Handler]) -> Problem | None:
    name = getattr(found, "name", None)
    params = getattr(found, "Params", None)
    asked: Any = found.CustomerData
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return Problem(entry, "has no name of small letters, digits and underscores", "handlers.E004")
    if name != entry:
        return Problem(entry, f"calls itself {name}: the entry must have the same name", "handlers.E004")
    if name in known:
        return Problem(
            entry, f"the name {name} is already taken by {type(known[name]).__name__}", "handlers.E005"
        )
    if not (isinstance(params, type) and issubclass(params, ParamsForm)):
        return Problem(entry, "its Params is not derived from handlers.params.ParamsForm", "handlers.E006")
    if asked is not None and not (isinstance(asked, type) and issubclass(asked, CustomerDataForm)):
        return Problem(
            entry, "its CustomerData is not derived from handlers.contract.CustomerDataForm", "handlers.E006"
        )
    if not getattr(found, "label", ""):
        return Problem(entry, "has no label", "handlers.E006")
    return None
