"""Course lists: which courses unassigned seats cover (DESIGN section 5, `courselist`).

A list is short names separated by commas; `*` stands for any text; spaces around names do not count. Upper and
lower case differ, and nothing but `*` has a meaning of its own. It is evaluated when asked, so a course created
later counts. Percent forms are translated by the parameter language before they come here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup, Q
from django.db.models.sql.compiler import SQLCompiler

from courses.models import Course, CourseQuerySet

ANYTHING = "*"

Sql = tuple[str, tuple[str | int, ...]]


def matching_courses(courselist: str, *, now: datetime | None = None) -> CourseQuerySet:
    """The open courses a list covers; an empty list covers every open course. One query.

    Naming a course does not open it: a course space, a template, a support course, one not for seats, and one
    that is closed, hidden or ended is never covered.
    """
    return matching_any([courselist], now=now)


def matching_any(courselists: Iterable[str], *, now: datetime | None = None) -> CourseQuerySet:
    """The open courses at least one of the lists covers; without any list, none. One query."""
    names: set[str] = set()
    for courselist in courselists:
        if not courselist.strip():
            return Course.objects.open(now=now)
        names.update(_names(courselist))
    patterns = sorted(name for name in names if ANYTHING in name)
    condition = Q(shortname__in=names.difference(patterns))
    for pattern in patterns:
        condition |= Q(Matches(F("shortname"), pattern))
    return Course.objects.open(now=now).filter(condition)


def course_matches(courselist: str, course: Course, *, now: datetime | None = None) -> bool:
    """Whether the list covers this course. One query."""
    return matching_courses(courselist, now=now).filter(pk=course.pk).exists()


def names_match(courselist: str, shortname: str) -> bool:
    """Whether the list names this short name, without a query; says nothing about the course being open."""
    if not courselist.strip():
        return True
    return any(fnmatchcase(shortname, _glob(name)) for name in _names(courselist))


def _names(courselist: str) -> list[str]:
    return [name for part in courselist.split(",") if (name := part.strip())]


def _glob(name: str) -> str:
    """The pattern in the language of shells, in which SQLite and Python agree."""
    return name.replace("[", "[[]").replace("?", "[?]")


def _like(name: str) -> str:
    """The pattern in the language of SQL, with a backslash before what has a meaning there."""
    for special in ("\\", "%", "_"):
        name = name.replace(special, "\\" + special)
    return name.replace(ANYTHING, "%")


class Matches(Lookup[Any]):
    """Compares a text with a pattern of ours. SQLite's LIKE ignores case, so there it is GLOB."""

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} LIKE %s ESCAPE '\\'", (*params, _like(self.rhs))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} GLOB %s", (*params, _glob(self.rhs))
