"""Who an account answers for, and who answers for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from delegation.models import Delegation

PER_PAGE = 50


class DelegationStatus(StrEnum):
    """`invited`: the person has neither accepted nor opened a course of this account; `ended`: it was ended."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody an account answers for. The name is as the account typed it until the person has accepted."""

    person_id: int
    email: str
    first_name: str
    last_name: str
    own_name: bool
    name_is_missing: bool
    created_by_account: bool
    status: DelegationStatus
    since: datetime

    @property
    def name(self) -> str:
        """The full name, or the part before @."""
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of people; `number` counts from 1 and is within `pages`, whatever was asked for."""

    rows: list[PersonRow]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Answerer:
    """An organisation that answers for a person."""

    account_id: int
    name: str
    since: datetime


def my_people(account_id: int, *, query: str = "", page: int = 1, per_page: int = PER_PAGE) -> PeoplePage:
    """The people an account answers for, by the address it typed, searched by name and address. Two queries.

    What each was given is `seats.selectors.given_to`.
    """
    found = Delegation.objects.filter(account=account_id, ended_at=None)
    for word in query.split():
        typed = Q(email__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        own = Q(person__first_name__icontains=word) | Q(person__last_name__icontains=word)
        found = found.filter(typed | (Q(accepted_at__isnull=False) & own))
    total = found.count()
    pages = max(1, -(-total // per_page))
    number = min(max(1, page), pages)
    first = (number - 1) * per_page
    rows = found.select_related("person").order_by("email", "id")[first : first + per_page]
    return PeoplePage([_row(delegation) for delegation in rows], number, pages, total)


def find_person(account_id: int, person_id: int) -> PersonRow:
    """One of an account's people. Raises Delegation.DoesNotExist for anybody else."""
    running = Delegation.objects.filter(account=account_id, ended_at=None)
    return _row(running.select_related("person").get(person=person_id))


def known_people(account_id: int, person_ids: Iterable[int]) -> dict[int, PersonRow]:
    """Those of these people that the account answers for, as it knows them. One query."""
    running = Delegation.objects.filter(account=account_id, ended_at=None, person__in=list(person_ids))
    return {row.person_id: _row(row) for row in running.select_related("person")}


def all_delegations(account_id: int) -> list[PersonRow]:
    """Everybody an account ever answered for, oldest first. One query; for operators and exports."""
    rows = Delegation.objects.filter(account=account_id).select_related("person").order_by("since", "id")
    return [_row(delegation) for delegation in rows]


def answering_for(person_id: int) -> list[Answerer]:
    """The organisations that answer for a person. One query."""
    rows = (
        Delegation.objects.filter(person=person_id, ended_at=None).select_related("account").order_by("since")
    )
    return [Answerer(row.account_id, row.account.name, row.since) for row in rows]


def _row(delegation: Delegation) -> PersonRow:
    own_name = delegation.accepted_at is not None
    named = delegation.person if own_name else delegation
    return PersonRow(
        person_id=delegation.person_id,
        email=delegation.email,
        first_name=named.first_name,
        last_name=named.last_name,
        own_name=own_name,
        name_is_missing=not (named.first_name or named.last_name),
        created_by_account=delegation.created_login,
        status=_status(delegation),
        since=delegation.since,
    )


def _status(delegation: Delegation) -> DelegationStatus:
    if delegation.ended_at is not None:
        return DelegationStatus.ENDED
    if delegation.accepted_at is not None:
        return DelegationStatus.ACCEPTED
    return DelegationStatus.INVITED
