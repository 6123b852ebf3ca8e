"""People leave seats: un-enrolment, mails that need not go out any more, delegations and logins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import ProtectedError, Q, QuerySet, RestrictedError
from django.utils import timezone

from accounts.models import Member, Person
from accounts.services import revoke_invitations
from common import outbox
from common.audit import Actor
from common.models import OutboxMail
from courses.models import Enrolment, PlatformLogin
from courses.platforms import get_platform
from delegation.models import Delegation
from delegation.services import end_delegation
from seats.models import Assignment


def leave(
    assignments: Sequence[Assignment], *, reason: Assignment.EndReason, actor: Actor, now: datetime
) -> None:
    """End these assignments; the platform is told by the caller. Their mails are not sent any more."""
    Assignment.objects.filter(pk__in=[one.pk for one in assignments]).update(
        state=Assignment.State.ENDED, ended_at=now, ended_by=actor.label, end_reason=reason
    )
    for one in assignments:
        outbox.cancel(event_keys=mails_about(one.pk).values_list("event_key", flat=True))


def mails_about(assignment_id: int) -> QuerySet[OutboxMail]:
    """Every mail that told the person about the seat, whatever has become of it."""
    return OutboxMail.objects.filter(event_key__startswith=f"assignment:{assignment_id}:")


def let_go(account_id: int, person_id: int, *, actor: Actor, disown: bool = False) -> bool:
    """What follows when an account has taken back all it gave to a person; returns whether it has.

    The link it had mailed dies. It no longer answers for somebody whom it had merely found here; a login that it
    created stays its own, since nobody else answers for it, unless it is to `disown` it.
    """
    given = Assignment.objects.filter(account=account_id, person=person_id)
    if given.filter(Q(ended_at=None) | Q(opened_at__isnull=False)).exists():
        return False
    # Somebody who is invited to the team keeps his link.
    if not Member.objects.filter(account=account_id, person=person_id).exists():
        revoke_invitations(account_id=account_id, person_ids=[person_id])
    if (
        disown
        or not Delegation.objects.filter(account=account_id, person=person_id, created_login=True).exists()
    ):
        end_delegation(account_id=account_id, person_id=person_id, actor=actor)
    return True


def forget_login(account_id: int, person_id: int, *, made_now: bool = False) -> bool:
    """Delete a login that a mistyped address has brought into being; returns whether it was deleted.

    Only if this account created it (`made_now`: the caller knows that it did, there is no delegation yet), and it has
    no password, no owner who used it, no seat, no enrolment and no other account. One that was made on a remote
    platform is kept: only our row tells that it is ours. History keeps the address as it was typed.
    """
    person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
    ours = made_now or _was_made_by(account_id, person_id)
    if not ours or not _is_nobodys(person) or _is_known_elsewhere(account_id, person_id):
        return False
    if get_platform().is_remote and _is_made_there(person_id):
        return False
    try:
        with transaction.atomic():
            Assignment.objects.filter(person=person).update(person=None)
            person.delete()
    except (ProtectedError, RestrictedError):
        return False
    return True


def _is_nobodys(person: Person) -> bool:
    """Whether nobody has ever used this login: a temporary password is not one of its owner's."""
    has_password = person.has_usable_password() and not person.must_change_password
    return person.possessed_at is None and not (has_password or person.is_staff or person.is_superuser)


def _is_made_there(person_id: int) -> bool:
    """Whether we made a login on the remote platform, or may have: without an answer we do not know its number."""
    return PlatformLogin.objects.filter(Q(is_ours=True) | Q(remote_id=None), person=person_id).exists()


def _was_made_by(account_id: int, person_id: int) -> bool:
    return Delegation.objects.filter(account=account_id, person=person_id, created_login=True).exists()


def _is_known_elsewhere(account_id: int, person_id: int) -> bool:
    others = Q(ended_at=None) | ~Q(account=account_id)
    return (
        Delegation.objects.filter(person=person_id).exclude(account=account_id).exists()
        or Member.objects.filter(person=person_id).exists()
        or Assignment.objects.filter(others, person=person_id).exists()
        or Enrolment.objects.filter(person=person_id).holding(now=timezone.now()).exists()
    )
