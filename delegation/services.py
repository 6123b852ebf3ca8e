"""What changes who answers for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import FilteredRelation, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from common import audit
from common.audit import Actor
from common.cutting import cut
from delegation.models import Delegation
from delegation.refusals import Refused

__all__ = ["Delegated", "Refused", "accept", "accept_all", "delegate", "edit_names", "end_delegation"]

CHUNK = 500  # people per statement


@dataclass(frozen=True, slots=True)
class Delegated:
    """Somebody an account brings in, named as the account typed it."""

    person_id: int
    created_login: bool
    email: str
    first_name: str = ""
    last_name: str = ""


def delegate(*, account_id: int, entries: Sequence[Delegated]) -> None:
    """Make the account answer for these people. May be repeated; two statements per 500 people, and one to re-open.

    A delegation that was there keeps what it says, in particular that the account created the login; one that was
    ended begins anew, and is accepted anew. Staff logins are never delegated: they are left out.
    """
    with transaction.atomic(savepoint=False):
        for part in cut(entries, CHUNK):
            _delegate_chunk(account_id, part)


def _delegate_chunk(account_id: int, entries: Sequence[Delegated]) -> None:
    now = timezone.now()
    ids = [entry.person_id for entry in entries]
    people = Person.objects.filter(pk__in=ids, is_staff=False, is_superuser=False)
    mine = FilteredRelation("delegations", condition=Q(delegations__account=account_id))
    found = people.annotate(mine=mine).values_list("pk", "mine__id", "mine__ended_at")
    missing: set[int] = set()
    ended: list[int] = []
    for person_id, pk, ended_at in found:
        if pk is None:
            missing.add(person_id)
        elif ended_at is not None:
            ended.append(pk)
    # In the order of people, so that two lists at the same second wait and never deadlock.
    rows = [
        Delegation(
            account_id=account_id,
            person_id=entry.person_id,
            created_login=entry.created_login,
            email=entry.email,
            first_name=entry.first_name,
            last_name=entry.last_name,
            since=now,
        )
        for entry in sorted(entries, key=lambda entry: entry.person_id)
        if entry.person_id in missing
    ]
    if rows:
        Delegation.objects.bulk_create(rows, ignore_conflicts=True)
    if ended:
        Delegation.objects.filter(pk__in=ended).update(ended_at=None, accepted_at=None, since=now)


def accept(*, account_id: int, person_id: int) -> bool:
    """The person has accepted this account's invitation or opened a course it gave; returns whether for the first time.

    From now on this account sees the person's own name.
    """
    return bool(accept_all(account_id=account_id, person_ids=[person_id]))


def accept_all(*, account_id: int, person_ids: Sequence[int]) -> int:
    """As `accept`, for several people in one statement; returns how many did for the first time."""
    waiting = Delegation.objects.filter(
        account=account_id, person__in=person_ids, accepted_at=None, ended_at=None
    )
    return waiting.update(accepted_at=timezone.now())


def end_delegation(*, account_id: int, person_id: int, actor: Actor, why: str = "") -> bool:
    """The account no longer answers for the person; returns whether it did. Seats and enrolments stay as they are.

    The person himself may end it, and so does whoever takes back all that the account gave.
    """
    with transaction.atomic(savepoint=False):
        running = Delegation.objects.filter(account=account_id, person=person_id, ended_at=None)
        if not running.update(ended_at=timezone.now()):
            return False
        audit.record(
            actor=actor,
            verb="delegation.end",
            object=f"person:{person_id}",
            scope=f"account:{account_id}",
            why=why,
        )
        return True


def edit_names(*, account_id: int, person_id: int, first_name: str, last_name: str, actor: Actor) -> None:
    """Correct the name by which this account knows somebody.

    The login itself gets the name too, but only if this account created it, nobody else answers for it and its owner
    has not taken possession (DESIGN section 8), checked under a lock on the person. The account sees the same either
    way: nothing tells it whether the address was known before. Raises Delegation.DoesNotExist when the account does
    not answer for the person, Refused(accepted) once the person shows his own name.
    """
    first_name, last_name = first_name.strip(), last_name.strip()
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
        delegation = Delegation.objects.get(account=account_id, person=person_id, ended_at=None)
        if delegation.accepted_at is not None:
            raise Refused("accepted", _("This person has confirmed their own name: only they can change it."))
        delegation.first_name, delegation.last_name = first_name, last_name
        delegation.save(update_fields=["first_name", "last_name"])
        if _is_ours_alone(delegation, person):
            person.first_name, person.last_name = first_name, last_name
            person.name_is_guess = not (first_name and last_name)
            person.save(update_fields=["first_name", "last_name", "name_is_guess"])
        audit.record(
            actor=actor, verb="person.rename", object=f"person:{person_id}", scope=f"account:{account_id}"
        )


def _is_ours_alone(delegation: Delegation, person: Person) -> bool:
    """Whether the account may still edit the login itself."""
    # A temporary password that was mailed is not one of its owner's.
    has_password = person.has_usable_password() and not person.must_change_password
    if not delegation.created_login or person.possessed_at is not None or has_password:
        return False
    if person.is_staff or person.is_superuser or person.memberships.exists():
        return False
    others = Delegation.objects.filter(person=person, ended_at=None).exclude(pk=delegation.pk)
    return not others.exists()
