"""What several pages of seats need: fetching (which is authorising), who acts, who may buy, lists cut in pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.access import current, fetch, roles_with, signed_in
from accounts.links import safe_next
from accounts.models import CustomerAccount, Member, Person
from common.audit import Actor
from common.references import normalise_reference
from seats.models import AssignmentBatch, Seat

Item = TypeVar("Item")


class Counted(Protocol):
    """A page as selectors give it."""

    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def number(self) -> int: ...
    @property
    def total(self) -> int: ...


class _Shown(Sequence[Any]):
    """As long as the whole list, with only the rows of one page in it."""

    def __init__(self, rows: Sequence[Any], total: int) -> None:
        self._rows, self._total = rows, total

    def __len__(self) -> int:
        return self._total

    def __getitem__(self, index: Any) -> Any:
        return self._rows


def as_page(found: Counted, per_page: int) -> Page[Any]:
    """The page of a selector as Django's, for the `pager` tag."""
    return Paginator(_Shown(found.rows, found.total), per_page).page(found.number)


def asked_page(request: HttpRequest) -> int:
    """The page number in the address; 1 for anything else. Selectors keep it within what there is."""
    asked = request.GET.get("page", "")
    return int(asked) if asked.isdecimal() and len(asked) < 8 else 1


def actor(request: HttpRequest) -> Actor:
    """Who acts, for the audit trail."""
    person = signed_in(request)
    return Actor.person(person.pk) if person else Actor("anonymous")


def fetch_list(request: HttpRequest, pk: int, *, write: bool) -> AssignmentBatch:
    """A list of one of the visitor's organisations. Raises Http404 for a stranger, PermissionDenied without the right."""
    rows = AssignmentBatch.objects.filter(pk=pk).select_related("account", "course", "job", "pool")
    return fetch(request, rows, "seats.write" if write else "seats.read")


def fetch_seat(request: HttpRequest, reference: str, *, write: bool) -> Seat:
    """A seat of one of the visitor's organisations, by its reference as somebody may type it. Raises as `fetch_list`."""
    rows = Seat.objects.filter(reference=normalise_reference(reference)).select_related("account")
    return fetch(request, rows, "seats.write" if write else "seats.read")


def object_context(request: HttpRequest, account: CustomerAccount) -> dict[str, Any]:
    """What a page about one thing knows of the organisation that owns it, which need not be the one chosen now."""
    access = current(request)
    member = (
        next((one for one in access.memberships if one.account_id == account.pk), None) if access else None
    )
    role = member.role if member else ""
    return {
        "owner": account,
        "elsewhere": access is not None and access.account.pk != account.pk,
        "may_write": role in roles_with("seats.write"),
        "may_buy": role in roles_with("shop"),
        "place": "seats:my",
    }


def buyers(account: CustomerAccount) -> list[str]:
    """Those of an organisation who may buy seats, by name once they have come. One query."""
    members = Member.objects.filter(account=account, role__in=roles_with("shop")).select_related("person")
    return [
        member.person.name if member.accepted_at else member.person.email for member in members.order_by("id")
    ]


def names_of_actors(account: CustomerAccount, labels: Iterable[str]) -> Mapping[str, str]:
    """Who stands behind the audit actors of a history, as far as an organisation may know. One query."""
    known = {"operator": _("the shop"), "system": _("automatically"), "": ""}
    ids = {
        int(label.partition(":")[2])
        for label in labels
        if label.startswith("person:") and label[7:].isdecimal()
    }
    if not ids:
        return known
    member = Exists(Member.objects.filter(account=account, person=OuterRef("pk")))
    people = Person.objects.filter(pk__in=ids).annotate(is_member=member)
    names = {
        f"person:{person.pk}": person.name if person.is_member else known["operator"]
        for person in people
        if person.is_member or person.is_staff
    }
    return known | names


def back(request: HttpRequest, fallback: str, *args: object) -> HttpResponse:
    """To the page the button stood on, if it said so, or else to the given one."""
    return redirect(safe_next(request.POST.get("next")) or fallback, *args)
