"""Roles, the account one acts for, and what pages know about the visitor."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import access
from accounts.access import (
    SESSION_KEY,
    AccountRequest,
    account_required,
    accounts_with,
    capabilities_of,
    current,
    fetch,
    require,
)
from accounts.context import identity
from accounts.models import Invitation, Person, Role
from tests.accounts.factories import make_account, make_invitation, make_member, make_person

pytestmark = pytest.mark.django_db


def request_of(person: Person | None, path: str = "/", session: dict[str, int] | None = None) -> HttpRequest:
    request = RequestFactory().get(path)
    request.user = person or AnonymousUser()
    request.session = session or {}  # type: ignore[assignment]
    return request


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.OWNER, {"shop", "seats.read", "seats.write", "people", "members"}),
        (Role.BUYER, {"shop"}),
        (Role.MANAGER, {"seats.read", "seats.write", "people"}),
        (Role.VIEWER, {"seats.read", "people"}),
    ],
)
def test_what_each_role_may_do(role, expected):
    assert capabilities_of(role) == expected


def test_the_oldest_membership_is_the_one_acted_for_until_another_is_chosen():
    person = make_person()
    first = make_member(Role.VIEWER, person=person)
    second = make_member(Role.OWNER, person=person)
    found = current(request_of(person))
    assert found is not None
    assert (found.account, found.role, found.memberships) == (first.account, "viewer", (first, second))
    chosen = current(request_of(person, session={SESSION_KEY: second.account_id}))
    assert chosen is not None
    assert (chosen.account, chosen.role) == (second.account, "owner")


def test_a_foreign_account_in_the_session_is_ignored():
    member = make_member(Role.VIEWER)
    found = current(request_of(member.person, session={SESSION_KEY: make_account().pk}))
    assert found is not None
    assert found.account == member.account


def test_the_access_is_read_once_for_a_request():
    request = request_of(make_member(Role.OWNER).person)
    with CaptureQueriesContext(connection) as queries:
        current(request)
        require(request, "shop")
        require(request, "members")
    assert len(queries) == 1
    access.forget(request)
    with CaptureQueriesContext(connection) as queries:
        current(request)
    assert len(queries) == 1


def test_a_stranger_finds_nothing_and_a_member_without_the_right_is_refused():
    with pytest.raises(Http404):
        require(request_of(make_person()), "shop")
    with pytest.raises(Http404):
        require(request_of(None), "shop")
    with pytest.raises(PermissionDenied):
        require(request_of(make_member(Role.VIEWER).person), "shop")


def test_accounts_with_a_capability():
    person = make_person()
    one = make_member(Role.MANAGER, person=person)
    make_member(Role.BUYER, person=person)
    make_member(Role.OWNER)
    assert list(accounts_with(person, "seats.write")) == [one.account]


def test_fetching_is_authorising():
    member = make_member(Role.BUYER)
    owner = make_member(Role.OWNER, account=member.account)
    invitation = make_invitation(account=member.account)
    rows = Invitation.objects.filter(pk=invitation.pk)
    assert fetch(request_of(owner.person), rows, "members") == invitation
    with pytest.raises(PermissionDenied):
        fetch(request_of(member.person), rows, "members")
    with pytest.raises(Http404):
        fetch(request_of(make_member(Role.OWNER).person), rows, "members")
    with pytest.raises(Http404):
        fetch(request_of(None), rows, "members")


@account_required("shop")
def shop_page(request: AccountRequest) -> HttpResponse:
    return HttpResponse(request.account.slug)


@account_required("shop", create=True)
def buying_page(request: AccountRequest) -> HttpResponse:
    return HttpResponse(request.account.slug)


def test_a_page_of_the_shop_asks_for_sign_in_and_comes_back():
    response = shop_page(request_of(None, "/buy/SEATS?quantity=10"))
    assert response["Location"] == "/sign/login/?next=/buy/SEATS%3Fquantity%3D10"


def test_a_page_of_the_shop_may_ask_for_the_organisation_and_come_back():
    response = buying_page(request_of(make_person(), "/buy/SEATS?quantity=10"))
    assert response["Location"] == "/organisation/?next=%2Fbuy%2FSEATS%3Fquantity%3D10"
    with pytest.raises(Http404):
        shop_page(request_of(make_person(), "/buy/SEATS?quantity=10"))
    with pytest.raises(PermissionDenied):
        buying_page(request_of(make_member(Role.VIEWER).person))


def test_pages_know_the_account_and_ask_nothing_for_anonymous_visitors():
    member = make_member(Role.MANAGER)
    context = identity(request_of(member.person))
    with CaptureQueriesContext(connection) as queries:
        assert context["current_account"] == member.account
        assert "seats.write" in context["capabilities"]
        assert "shop" not in context["capabilities"]
        assert list(context["memberships"]) == [member]
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        anonymous = identity(request_of(None))
        assert not anonymous["current_account"]
        assert not anonymous["memberships"]
        assert not anonymous["capabilities"]
    assert len(queries) == 0
