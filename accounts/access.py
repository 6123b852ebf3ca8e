"""Who may do what: the account a visitor acts for, and what his role there allows (DESIGN section 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import CustomerAccount, Member, Person, Role

Capability = Literal["shop", "seats.read", "seats.write", "people", "members"]

SESSION_KEY = "account"

_ROLES: dict[Capability, frozenset[Role]] = {
    "shop": frozenset({Role.OWNER, Role.BUYER}),
    "seats.read": frozenset({Role.OWNER, Role.MANAGER, Role.VIEWER}),
    "seats.write": frozenset({Role.OWNER, Role.MANAGER}),
    "people": frozenset({Role.OWNER, Role.MANAGER, Role.VIEWER}),
    "members": frozenset({Role.OWNER}),
}


def roles_with(capability: Capability) -> frozenset[Role]:
    """The roles that have a capability."""
    return _ROLES[capability]


def capabilities_of(role: str) -> frozenset[Capability]:
    """What a role may do."""
    return frozenset(capability for capability, roles in _ROLES.items() if role in roles)


@dataclass(frozen=True, slots=True)
class Access:
    """The account the visitor acts for now, his role in it, and every membership he has (oldest first)."""

    account: CustomerAccount
    role: Role
    capabilities: frozenset[Capability]
    memberships: tuple[Member, ...]


class AccountRequest(HttpRequest):
    """A request that passed `account_required`."""

    user: Person
    account: CustomerAccount


def signed_in(request: HttpRequest) -> Person | None:
    """The person behind a request, or None for an anonymous visitor."""
    user = request.user
    return user if isinstance(user, Person) and user.is_authenticated else None


def current(request: HttpRequest) -> Access | None:
    """The visitor's access, or None without any membership. One query, kept on the request.

    The account chosen is in the session; without a choice, or when that membership is gone, the oldest one.
    """
    if not hasattr(request, "account_access"):
        request.account_access = _read(request)  # type: ignore[attr-defined]
    access: Access | None = request.account_access  # type: ignore[attr-defined]
    return access


def forget(request: HttpRequest) -> None:
    """Read the access again at the next question: a membership was made or chosen in this request."""
    if hasattr(request, "account_access"):
        del request.account_access


def _read(request: HttpRequest) -> Access | None:
    person = signed_in(request)
    if person is None:
        return None
    memberships = tuple(Member.objects.filter(person=person).select_related("account").order_by("id"))
    if not memberships:
        return None
    chosen = request.session.get(SESSION_KEY)
    member = next((one for one in memberships if one.account_id == chosen), memberships[0])
    return Access(member.account, Role(member.role), capabilities_of(member.role), memberships)


def require(request: HttpRequest, capability: Capability) -> CustomerAccount:
    """The account the visitor acts for, if his role there has the capability.

    Raises Http404 for somebody without any membership, PermissionDenied for a member without the right.
    """
    access = current(request)
    if access is None:
        raise Http404
    if capability not in access.capabilities:
        raise PermissionDenied
    return access.account


def accounts_with(person: Person, capability: Capability) -> QuerySet[CustomerAccount]:
    """The accounts in which a person has a capability: fetch objects with `account__in` of this."""
    return CustomerAccount.objects.filter(members__person=person, members__role__in=roles_with(capability))


P = ParamSpec("P")
M = TypeVar("M", bound=Model)
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def account_required(
    capability: Capability, *, create: bool = False
) -> Callable[[Callable[Concatenate[AccountRequest, P], HttpResponseBase]], Page[P]]:
    """A view for signed-in members with a capability; it finds `request.account` set.

    With `create`, somebody without any organisation is first asked for its name and then comes back here.
    """

    def decorate(view: Callable[Concatenate[AccountRequest, P], HttpResponseBase]) -> Page[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if create and current(request) is None:
                return ask_for_organisation(request)
            request.account = require(request, capability)  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        return login_required(checked)

    return decorate


def ask_for_organisation(request: HttpRequest) -> HttpResponse:
    """Send a person without organisation to the page that asks for its name, and back here afterwards."""
    back = request.get_full_path() if request.method == "GET" else request.path
    return HttpResponseRedirect(f"{reverse('accounts:create')}?{urlencode({'next': back})}")


def fetch(request: HttpRequest, rows: QuerySet[M], capability: Capability) -> M:
    """The one row of `rows` (whose model has an `account`) that belongs to an account of the visitor.

    Whichever account is chosen in the session. Raises Http404 for a stranger to that account, PermissionDenied for
    a member of it without the capability.
    """
    person = signed_in(request)
    if person is None:
        raise Http404
    row = get_object_or_404(rows.filter(account__members__person=person))
    account_id: int = row.account_id  # type: ignore[attr-defined]
    if not accounts_with(person, capability).filter(pk=account_id).exists():
        raise PermissionDenied
    return row
