"""The people named for a line of a cart: merging lists, and what is wrong with each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing.checkout.state import Checkout
from billing.models import CartLine
from billing.services.carts import handler_of
from billing.services.checks import ROLES
from catalog.models import SeatMode
from common.emailkey import email_key
from common.listing import ListError, PeopleList, from_rows

NAMES = ("email", "firstname", "lastname")


@dataclass(frozen=True, slots=True)
class PersonProblem:
    """What is wrong with the person at a place (from 0), in one field."""

    row: int
    field: str
    message: str


def wanted(line: CartLine) -> int:
    """How many people are to be named for a line."""
    return {SeatMode.ONE.value: 1, SeatMode.QUANTITY.value: line.quantity}.get(line.item.seat_mode, 0)


def roles_offered(line: CartLine) -> tuple[str, ...]:
    """The roles in which people may be named: what the item's automation says, else both."""
    handler = handler_of(line.item)
    values: Mapping[str, Any] = handler.read(line.item.params).values if handler else {}
    return tuple(values.get("requiredroles", ROLES))


def tidy(rows: Iterable[Mapping[str, str]], line: CartLine) -> list[dict[str, str]]:
    """Typed rows as they are kept: cleaned, without the empty ones. Where one role is offered everybody has it."""
    try:
        return as_rows(from_rows(rows), line)
    except ListError:
        return []


def as_rows(people: PeopleList, line: CartLine) -> list[dict[str, str]]:
    """A list that was read, as it is kept. A role that was not understood stays empty: it must be chosen."""
    offered = roles_offered(line)
    rows = []
    for entry in people.rows:
        unknown = any(problem.field == "role" for problem in entry.problems)
        role = offered[0] if len(offered) == 1 else "" if unknown else entry.role or "learner"
        row = {name: getattr(entry, name) for name in NAMES}
        rows.append(row | {"role": role})
    return rows


def merge(known: Sequence[dict[str, str]], read: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The people known and those of a list just read: who is known already is replaced, not named twice."""
    merged = list(known)
    places = {email_key(person["email"]): place for place, person in enumerate(known) if person["email"]}
    for person in read:
        place = places.get(email_key(person["email"]))
        if place is None:
            merged.append(person)
        else:
            merged[place] = person
    return merged


def people_problems(checkout: Checkout, place: int) -> list[PersonProblem]:
    """What is wrong with the people of the line at this place, person by person."""
    line = checkout.lines[place]
    found: dict[tuple[int, str], str] = {}
    for row, field, message in (*_of_list(line), *_of_checks(checkout, place), *_of_roles(line)):
        found.setdefault((row, field), message)
    return [PersonProblem(row, field, message) for (row, field), message in sorted(found.items())]


def is_settled(checkout: Checkout, place: int) -> bool:
    """Whether exactly the people ordered are named for a line, each without a problem."""
    line = checkout.lines[place]
    return len(line.participants) == wanted(line) and not people_problems(checkout, place)


def _of_list(line: CartLine) -> Iterator[tuple[int, str, str]]:
    try:
        people = from_rows(line.participants)
    except ListError:
        return
    for entry in people.rows:
        for problem in entry.problems:
            yield entry.row - 1, problem.field, str(problem.message)


def _of_checks(checkout: Checkout, place: int) -> Iterator[tuple[int, str, str]]:
    for problem in checkout.problems_of(("participants",), place):
        if problem.row is not None:
            yield problem.row, problem.field, str(problem.message)


def _of_roles(line: CartLine) -> Iterator[tuple[int, str, str]]:
    offered = roles_offered(line)
    for row, person in enumerate(line.participants):
        if person.get("role") not in offered:
            yield row, "role", _("Choose the role.")
