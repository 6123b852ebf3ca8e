"""Who learns and who tutors: exactly as many people as seats are ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.checkout.people import (
    NAMES,
    PersonProblem,
    as_rows,
    is_settled,
    merge,
    people_problems,
    roles_offered,
    tidy,
    wanted,
)
from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.forms import ListForm, PersonRows, person_rows
from billing.models import CartLine
from billing.services import Refused
from billing.services.carts import add_item, save_participants
from common.listing import MAX_BYTES, ListError, PeopleList, read_list
from common.listing.shapes import too_large

PER_PAGE = 50
PREFIX = "people"


@dataclass(frozen=True, slots=True)
class Place:
    """Which line the page is about (its place in the cart), and which of its people."""

    line: int
    page: int

    @property
    def start(self) -> int:
        return (self.page - 1) * PER_PAGE


class Participants(Step):
    """Names the people of each line that needs them, in rows, from a paste or from a file."""

    code = "participants"
    position = 20
    label = gettext_lazy("Participants")
    keys = frozenset({"participants"})

    def applies(self, checkout: Checkout) -> bool:
        return bool(_places(checkout))

    def is_complete(self, checkout: Checkout) -> bool:
        return all(is_settled(checkout, place) for place in _places(checkout))

    def url(self, checkout: Checkout) -> str:
        open_places = [place for place in _places(checkout) if not is_settled(checkout, place)]
        return self._page_of(checkout, open_places[0]) if open_places else super().url(checkout)

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        return self._context(checkout, _asked(checkout, query), ListForm(), insist="check" in query)

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        place = _asked(checkout, data)
        self._save_rows(checkout, place, data)
        action = data.get("action", "")
        if action == "read":
            return self._read(checkout, place, data, files)
        if action == "clear":
            self._save(checkout, place, [])
            return Answer(url=self._url(checkout, place))
        if action == "resize":
            return self._resize(checkout, place)
        if is_settled(checkout, place.line):
            return Answer()
        target = self._first_open(checkout, place.line)
        return Answer(url=self._url(checkout, target, check=target == place))

    # --- what the buttons do -----------------------------------------------------------------------

    def _save_rows(self, checkout: Checkout, place: Place, data: QueryDict) -> None:
        """Keep the rows of this page as typed; those of other pages stay."""
        line = checkout.lines[place.line]
        rows = person_rows(roles_offered(line))(data, prefix=PREFIX)
        if not rows.management_form.is_valid():
            return
        typed = [{name: str(form[name].data or "") for name in form.fields} for form in rows]
        before = line.participants[: place.start]
        after = line.participants[place.start + PER_PAGE :]
        self._save(checkout, place, tidy([*before, *typed, *after], line))

    def _read(self, checkout: Checkout, place: Place, data: QueryDict, files: Files) -> Answer:
        form = ListForm(data, files)
        line = checkout.lines[place.line]
        try:
            people = _read_form(form)
        except ListError as error:
            form.add_error("file" if files.get("file") else "paste", str(error))
            return Answer(context=self._context(checkout, place, form))
        self._save(checkout, place, merge(line.participants, as_rows(people, line)))
        target = self._first_open(checkout, place.line)
        return Answer(url=self._url(checkout, target), message=_what_was_read(people))

    def _resize(self, checkout: Checkout, place: Place) -> Answer:
        line = checkout.lines[place.line]
        try:
            add_item(cart=checkout.cart, item=line.item, quantity=len(line.participants))
        except Refused as refused:
            return Answer(context=self._context(checkout, place, ListForm()) | {"refused": refused.problems})
        checkout.forget()
        return Answer(message=_("The order is now for %(seats)d seats.") % {"seats": len(line.participants)})

    def _save(self, checkout: Checkout, place: Place, people: list[dict[str, str]]) -> None:
        save_participants(line=checkout.lines[place.line], people=people)
        checkout.forget()

    # --- what the page shows -------------------------------------------------------------------------

    def _context(
        self, checkout: Checkout, place: Place, list_form: ListForm, *, insist: bool = False
    ) -> dict[str, Any]:
        line = checkout.lines[place.line]
        named, needed = len(line.participants), wanted(line)
        rows = self._rows(line, place, people_problems(checkout, place.line))
        return {
            "line": line,
            "row": checkout.view.rows[place.line],
            "others": [
                {"line": checkout.lines[other], "url": self._page_of(checkout, other), "here": other == place.line,
                 "done": is_settled(checkout, other)}
                for other in _places(checkout)
            ],
            "named": named,
            "wanted": needed,
            "missing": max(needed - named, 0),
            "too_many": max(named - needed, 0),
            "can_resize": line.item.seat_mode == "quantity" and 0 < named != needed,
            "insist": insist and named != needed,
            "rows": rows,
            "first": place.start + 1,
            "last": place.start + len(rows.forms),
            "list_form": list_form,
            "place": place,
            "pages": self._pages(checkout, place),
            "roles": roles_offered(line),
        }  # fmt: skip

    def _rows(self, line: CartLine, place: Place, problems: list[PersonProblem]) -> PersonRows:
        """The rows of a page, filled with who is named, empty ones up to what is ordered."""
        people = line.participants[place.start : place.start + PER_PAGE]
        count = min(PER_PAGE, max(wanted(line), len(line.participants)) - place.start)
        data = {f"{PREFIX}-TOTAL_FORMS": str(count), f"{PREFIX}-INITIAL_FORMS": "0"}
        for number, person in enumerate(people):
            for name in (*NAMES, "role"):
                data[f"{PREFIX}-{number}-{name}"] = person.get(name, "")
        for number in range(len(people), count):
            data[f"{PREFIX}-{number}-role"] = "learner"
        rows = person_rows(roles_offered(line))(data, prefix=PREFIX)
        rows.is_valid()
        for problem in problems:
            number = problem.row - place.start
            if 0 <= number < len(people) and problem.field in rows.forms[number].fields:
                rows.forms[number].add_error(problem.field, problem.message)
        return rows

    def _pages(self, checkout: Checkout, place: Place) -> list[dict[str, Any]]:
        """The pages of a long list, by the numbers of the people on them."""
        line = checkout.lines[place.line]
        people = max(wanted(line), len(line.participants))
        if people <= PER_PAGE:
            return []
        return [
            {
                "first": start + 1,
                "last": min(start + PER_PAGE, people),
                "here": start == place.start,
                "url": self._url(checkout, Place(place.line, start // PER_PAGE + 1)),
            }
            for start in range(0, people, PER_PAGE)
        ]

    # --- where things are -------------------------------------------------------------------------------

    def _first_open(self, checkout: Checkout, line: int) -> Place:
        """The page with the first problem, or else the one on which the first person is missing."""
        problems = people_problems(checkout, line)
        people, needed = len(checkout.lines[line].participants), wanted(checkout.lines[line])
        row = problems[0].row if problems else people if people < needed else 0
        return Place(line, row // PER_PAGE + 1)

    def _page_of(self, checkout: Checkout, line: int) -> str:
        return self._url(checkout, self._first_open(checkout, line))

    def _url(self, checkout: Checkout, place: Place, *, check: bool = False) -> str:
        query: dict[str, Any] = {"line": checkout.lines[place.line].pk}
        if place.page > 1:
            query["page"] = place.page
        if check:
            query["check"] = 1
        return f"{reverse('billing:checkout_step', args=[self.code])}?{urlencode(query)}"


def _places(checkout: Checkout) -> list[int]:
    """The places of the lines for which people are named."""
    return [place for place, line in enumerate(checkout.lines) if wanted(line)]


def _asked(checkout: Checkout, query: QueryDict) -> Place:
    """The line and page that the address or the form names; the first ones when it names none."""
    places = _places(checkout)
    chosen = next(
        (place for place in places if str(checkout.lines[place].pk) == query.get("line")), places[0]
    )
    line = checkout.lines[chosen]
    pages = (max(wanted(line), len(line.participants)) - 1) // PER_PAGE + 1
    page = query.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    return Place(chosen, min(max(number, 1), pages))


def _read_form(form: ListForm) -> PeopleList:
    """The people of the file or of the paste. Raises ListError."""
    form.is_valid()
    upload = form.cleaned_data.get("file")
    if upload is not None:
        if upload.size > MAX_BYTES:
            raise too_large(MAX_BYTES)
        return read_list(upload.read(), filename=upload.name or "")
    return read_list(form.cleaned_data.get("paste") or "")


def _what_was_read(people: PeopleList) -> str:
    """How many were read, and what of the list was not used."""
    count = len(people.rows)
    parts = [ngettext("%(count)d person was read.", "%(count)d people were read.", count) % {"count": count}]
    if people.ignored_columns:
        columns = ", ".join(people.ignored_columns)
        parts.append(_("Columns that are not needed: %(columns)s.") % {"columns": columns})
    if people.ignored_sheets:
        sheets = ", ".join(people.ignored_sheets)
        parts.append(_("Only the first sheet was read, not: %(sheets)s.") % {"sheets": sheets})
    return " ".join(parts)
