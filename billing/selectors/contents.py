"""What orders hold: their articles, the people named for them, and the seats they brought."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max

from billing.models import BillLine, BillParticipant
from seats.seatrow import SeatCounts
from seats.selectors.states import seats_with_state

PEOPLE_PER_PAGE = 100


def item_names(bill_ids: Collection[int]) -> dict[int, list[str]]:
    """The names of the articles of each order, in its order: one query."""
    names: dict[int, list[str]] = {}
    lines = BillLine.objects.filter(bill__in=bill_ids, parent=None).order_by("bill_id", "position")
    for bill_id, name in lines.values_list("bill_id", "item_name"):
        names.setdefault(bill_id, []).append(name)
    return names


def people_of(bill_id: int, page: int | str = 1) -> tuple[Page[int], dict[int, list[BillParticipant]]]:
    """A page of the people named at checkout, by line: two queries. Every line shows the same positions."""
    named = BillParticipant.objects.filter(line__bill=bill_id)
    last = named.aggregate(last=Max("position"))["last"] or 0
    shown: Page[int] = Paginator(range(1, last + 1), PEOPLE_PER_PAGE).get_page(page)
    people: dict[int, list[BillParticipant]] = {}
    if last:
        positions = (shown.start_index(), shown.end_index())
        for person in named.filter(position__range=positions).order_by("line_id", "position"):
            people.setdefault(person.line_id, []).append(person)
    return shown, people


def seats_of(line_keys: Collection[UUID]) -> dict[UUID, SeatCounts]:
    """The seats that each of these lines brought, as they are now: one query. A line without seats is not in it."""
    states: dict[UUID, dict[str, int]] = {}
    found = seats_with_state().filter(pool__line_key__in=line_keys).order_by()
    for key, state, number in found.values_list("pool__line_key", "state").annotate(number=Count("id")):
        states.setdefault(key, {})[state] = number
    return {key: SeatCounts.from_states(numbers) for key, numbers in states.items()}
