"""Everything that is checked again when an order is placed, whatever the pages before have checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import roles_with
from accounts.models import CustomerAccount, Member, Person
from billing.models import BillParty
from billing.services.errors import Problem
from billing.services.shapes import Identity, OrderLine, Party
from catalog.models import CatalogItem, SeatMode, Shop, Visibility
from catalog.questions import Answered, check_answers
from catalog.selectors import seller_problems, unit_price
from common.emailkey import check_email, clean_email, email_key
from handlers import contract
from handlers.base import Handler
from handlers.contract import Offer, ParticipantEntry, Wish
from handlers.params import serialise
from handlers.registry import UnknownHandler, get_handler

# More units than this in one line are a slip of the keyboard.
MOST_UNITS = 1_000_000
ROLES = ("learner", "tutor")
# The one character that PostgreSQL cannot store.
NUL = "\x00"


@dataclass(slots=True)
class CheckedLine:
    """A line as it will be frozen. Amounts are minor units."""

    item: CatalogItem
    quantity: int
    unit_price: int = 0
    params: str = ""
    customer_data: list[dict[str, Any]] = field(default_factory=list)
    participants: list[ParticipantEntry] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)


def offer_of(item: CatalogItem) -> Offer:
    """An item as handlers see it."""
    return Offer(
        code=item.code,
        name=item.name,
        params=item.params,
        seat_mode=contract.SeatMode(item.seat_mode),
        renewable=item.renewable,
    )


def most_units(item: CatalogItem, handler: Handler | None) -> int:
    """How many units of an item one order may have: its own limit, its automation's, and that of MOST_UNITS."""
    limits = [MOST_UNITS, item.max_quantity, handler.quantity_limit(offer_of(item)) if handler else None]
    return min(limit for limit in limits if limit is not None)


def check_buyer(account: CustomerAccount, buyer: Person) -> Iterator[Problem]:
    """A buyer is an owner or a buyer of the organisation."""
    allowed = Member.objects.filter(
        account=account, person=buyer, role__in=roles_with("shop"), person__is_active=True
    )
    if not allowed.exists():
        yield Problem("buyer", _("This person may not order for this organisation."))


def check_seller(shop: Shop, terms_version: str) -> Iterator[Problem]:
    """A complete seller, whose present terms were agreed to."""
    for reason in seller_problems(shop):
        yield Problem("seller", reason)
    if terms_version != shop.terms_version:
        yield Problem("terms", _("Agree to the terms of sale in force: they are shown before you order."))


def check_identity(identity: Identity) -> Iterator[Problem]:
    """Every party can be stored and printed as it was typed."""
    for kind, party in parties_of(identity):
        try:
            party_row(kind, party).full_clean(exclude=["bill"], validate_constraints=False)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                yield Problem(kind, messages[0], field=name)
        for part in fields(party):
            if NUL in getattr(party, part.name):
                yield Problem(kind, _unstorable(), field=part.name)
    if len(identity.purchase_order) > 60:
        yield Problem("customer", _("At most 60 characters."), field="purchase_order")
    elif NUL in identity.purchase_order:
        yield Problem("customer", _unstorable(), field="purchase_order")


def _unstorable() -> str:
    return _("There is a character here that cannot be stored.")


def parties_of(identity: Identity) -> list[tuple[str, Party]]:
    """The parties that were given, by kind."""
    given = [
        (BillParty.Kind.CUSTOMER.value, identity.customer),
        (BillParty.Kind.PAYER.value, identity.payer),
        (BillParty.Kind.RECIPIENT.value, identity.recipient),
    ]
    return [(kind, party) for kind, party in given if party is not None]


def party_row(kind: str, party: Party) -> BillParty:
    """A party as a row, not saved."""
    return BillParty(kind=kind, **{field.name: getattr(party, field.name).strip() for field in fields(party)})


def objections(
    item: CatalogItem, handler: Handler, wish: Wish, *, place: int | None = None
) -> Iterator[Problem]:
    """What an item's automation has against a purchase: about the item, or about somebody named for it."""
    for found in handler.check_purchase(offer_of(item), wish):
        key = "item" if found.row is None else "participants"
        yield Problem(key, found.message, place, found.row, found.field)


def check_lines(
    lines: Sequence[OrderLine], *, shop: Shop, account: CustomerAccount, buyer: Person
) -> tuple[list[CheckedLine], list[Problem]]:
    """Read the items anew and check every line; the lines are only usable when there is no problem."""
    if not lines:
        return [], [Problem("lines", _("There is nothing in this order."))]
    ids = [line.item.pk for line in lines]
    items = CatalogItem.objects.filter(shop=shop).prefetch_related("tiers", "questions").in_bulk(ids)
    checked: list[CheckedLine] = []
    problems: list[Problem] = []
    units: Counter[int] = Counter()
    for place, line in enumerate(lines):
        item = items.get(line.item.pk)
        if item is None or item.visibility == Visibility.INACTIVE:
            message = _("“%(item)s” is not on sale any more.") % {"item": line.item.name}
            problems.append(Problem("item", message, place))
            continue
        units[item.pk] += line.quantity
        check = _LineCheck(place, line, item, account, buyer)
        checked.append(check.run(units[item.pk]))
        problems += check.problems
    return checked, problems


class _LineCheck:
    """The checks of one line, collecting problems."""

    def __init__(
        self, place: int, line: OrderLine, item: CatalogItem, account: CustomerAccount, buyer: Person
    ) -> None:
        self.place = place
        self.line = line
        self.item = item
        self.account = account
        self.buyer = buyer
        self.problems: list[Problem] = []

    def run(self, units: int) -> CheckedLine:
        """The line as it will be frozen; `units` is how many of the item the order holds so far."""
        checked = CheckedLine(self.item, self.line.quantity)
        handler = self._handler()
        if self._quantity(handler, units):
            checked.unit_price = 0 if self.line.is_gift else unit_price(self.item, self.line.quantity)
            checked.participants = self._participants()
            checked.customer_data = self._customer_data(handler)
            checked.answers = [] if self.line.is_gift else self._answers()
        if handler is not None:
            checked.params = self._params(handler)
        return checked

    def _add(self, key: str, message: str, row: int | None = None, name: str = "") -> None:
        self.problems.append(Problem(key, message, self.place, row, name))

    def _handler(self) -> Handler | None:
        if not self.item.handler:
            return None
        try:
            return get_handler(self.item.handler)
        except UnknownHandler:
            self._add("item", _("This item is not available for now."))
            return None

    def _quantity(self, handler: Handler | None, units: int) -> bool:
        most = most_units(self.item, handler)
        if self.line.quantity < 1:
            self._add("quantity", _("Order at least 1."))
        elif units > most:
            message = ngettext(
                "At most %(most)d of “%(item)s” can be ordered at once.",
                "At most %(most)d of “%(item)s” can be ordered at once.",
                most,
            )
            self._add("quantity", message % {"most": most, "item": self.item.name})
        return self.line.quantity >= 1 and units <= most

    def _params(self, handler: Handler) -> str:
        """The parameter string in its one canonical form."""
        available = handler.is_available(offer_of(self.item), self.account.pk)
        if not available:
            self._add("item", available.reason)
            return self.item.params
        wish = Wish(
            self.account.pk, self.buyer.pk, self.line.quantity, participants=tuple(self.line.participants)
        )
        self.problems += objections(self.item, handler, wish, place=self.place)
        return serialise(handler.read(self.item.params).values, form=handler.Params)

    def _participants(self) -> list[ParticipantEntry]:
        wanted = {
            SeatMode.NONE.value: 0,
            SeatMode.ONE.value: 1,
            SeatMode.QUANTITY.value: self.line.quantity,
        }[self.item.seat_mode]
        given = len(self.line.participants)
        if given != wanted:
            message = ngettext(
                "%(wanted)d participant is to be named here, not %(given)d.",
                "%(wanted)d participants are to be named here, not %(given)d.",
                wanted,
            )
            self._add("participants", message % {"wanted": wanted, "given": given})
        seen: dict[str, int] = {}
        return [self._participant(row, entry, seen) for row, entry in enumerate(self.line.participants)]

    def _participant(self, row: int, entry: ParticipantEntry, seen: dict[str, int]) -> ParticipantEntry:
        problem = check_email(entry.email)
        first = seen.setdefault(email_key(entry.email), row)
        if problem is not None:
            self._add("participants", str(problem.message), row, "email")
        elif first != row:
            message = _("This address is already that of participant %(row)d.") % {"row": first + 1}
            self._add("participants", message, row, "email")
        if entry.role not in ROLES:
            self._add("participants", _("The role is learner or tutor."), row, "role")
        for name in ("firstname", "lastname"):
            if len(getattr(entry, name)) > 150:
                self._add("participants", _("At most 150 characters."), row, name)
            elif NUL in getattr(entry, name):
                self._add("participants", _unstorable(), row, name)
        return ParticipantEntry(
            clean_email(entry.email), entry.firstname.strip(), entry.lastname.strip(), entry.role
        )

    def _customer_data(self, handler: Handler | None) -> list[dict[str, Any]]:
        form_class = handler.CustomerData if handler else None
        given = list(self.line.customer_data)
        wanted = self.line.quantity if form_class else 0
        if len(given) != wanted:
            message = ngettext(
                "Details are to be given for %(wanted)d unit here, not %(given)d.",
                "Details are to be given for %(wanted)d units here, not %(given)d.",
                wanted,
            )
            self._add("customer_data", message % {"wanted": wanted, "given": len(given)})
            return []
        if form_class is None:
            return []
        return [self._unit(form_class, row, unit) for row, unit in enumerate(given)]

    def _answers(self) -> list[Answered]:
        """The shop's own questions with their answers."""
        frozen, flaws = check_answers(list(self.item.questions.all()), self.line.answers, self.line.quantity)
        for flaw in flaws:
            self._add("answers", flaw.message, flaw.unit, flaw.name)
        return frozen

    def _unit(
        self, form_class: type[contract.CustomerDataForm], row: int, unit: Mapping[str, Any]
    ) -> dict[str, Any]:
        form = form_class(dict(unit), account_id=self.account.pk)
        for name in sorted(set(unit) - set(form.fields)):
            self._add("customer_data", _("This is not asked here."), row, name)
        for name, messages in form.errors.items():
            self._add("customer_data", str(messages[0]), row, "" if name == "__all__" else name)
        return dict(form.cleaned_data) if form.is_valid() else {}
