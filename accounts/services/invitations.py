"""Invitations: the one-use way in for somebody whom an account brought here."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import Invitation, Member, Person
from accounts.services.addresses import verify_address
from accounts.services.people import touch_possession
from common.audit import Actor, record
from common.cutting import cut

CHUNK = 500


class InvitationClosed(Exception):
    """The invitation is used, replaced, revoked or expired, or its person has taken possession meanwhile."""


def open_invitations() -> QuerySet[Invitation]:
    """Invitations that nobody has used and nothing has replaced; the link of one may have expired all the same."""
    return Invitation.objects.filter(used_at=None, replaced_at=None, revoked_at=None)


def ensure_invitations(
    *, account_id: int, person_ids: Iterable[int], invited_by_id: int | None
) -> dict[int, int]:
    """Make sure that everybody who needs one has an open invitation of this account: `person id → invitation id`.

    An open invitation whose link still works (or was not mailed yet) is kept; one that has expired is replaced.
    People who have taken possession, staff and closed logins are left out: customers never invite them. At most
    three statements per 500 people, and one more when some had expired.
    """
    ids = sorted(set(person_ids))
    result: dict[int, int] = {}
    with transaction.atomic(savepoint=False):
        for part in cut(ids, CHUNK):
            result.update(_ensure_chunk(account_id, part, invited_by_id))
    return result


def _ensure_chunk(account_id: int, ids: Sequence[int], invited_by_id: int | None) -> dict[int, int]:
    now = timezone.now()
    opened = Q(
        invitations__account_id=account_id,
        invitations__used_at=None,
        invitations__replaced_at=None,
        invitations__revoked_at=None,
    )
    invitable = (
        Person.objects.annotate(opened=FilteredRelation("invitations", condition=opened))
        .filter(pk__in=ids, possessed_at=None, is_active=True, is_staff=False, is_superuser=False)
        .values_list("pk", "opened__id", "opened__expires_at")
    )
    kept: dict[int, int] = {}
    expired: list[int] = []
    missing: list[int] = []
    for person_id, pk, expires_at in invitable.order_by("pk"):
        if pk is not None and (expires_at is None or expires_at > now):
            kept[person_id] = pk
            continue
        missing.append(person_id)
        if pk is not None:
            expired.append(pk)
    if expired:
        open_invitations().filter(pk__in=expired).update(replaced_at=now)
    if missing:
        Invitation.objects.bulk_create(
            [
                Invitation(account_id=account_id, person_id=person_id, invited_by_id=invited_by_id)
                for person_id in missing
            ],
            ignore_conflicts=True,
        )
        kept.update(
            open_invitations()
            .filter(account_id=account_id, person_id__in=missing)
            .values_list("person_id", "id")
        )
    return kept


def issue_token(*, invitation_id: int, notice_version: str = "") -> str:
    """The token of an invitation's link, made while its mail is sent; only its hash is kept.

    The link works for SHOPSEATS_INVITATION_DAYS from now; `notice_version` says which information notice the mail
    carries. The token is derived from the secret key and the row: a
    mail sent twice, or a second mail about the same invitation, carries the same link and neither kills the other.
    Raises InvitationClosed when there is nothing to invite to any more.
    """
    invitation = _to_send(invitation_id)
    token = _derive("token", invitation)
    _mark_sent(invitation, token_hash=hash_of(token), notice_version=notice_version)
    return token


def issue_password(*, invitation_id: int, notice_version: str = "") -> str:
    """A temporary password, made while the mail is sent (SHOPSEATS_CREDENTIALS=password); only its hash is kept.

    It must be changed at the first sign-in, and signs in no longer than the invitation lives. Derived as the token
    is, so that a mail sent twice says the same. Raises InvitationClosed as `issue_token` does.
    """
    invitation = _to_send(invitation_id)
    secret = _derive("password", invitation).lower()[:16]
    password = "-".join(secret[start : start + 4] for start in range(0, 16, 4))
    hashed = make_password(password)
    with transaction.atomic():
        given = Person.objects.filter(pk=invitation.person_id, possessed_at=None).update(
            password=hashed, must_change_password=True
        )
        if not given:
            raise InvitationClosed
        _mark_sent(invitation, token_hash=None, notice_version=notice_version)
    return password


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _derive(purpose: str, invitation: Invitation) -> str:
    """160 bits that only the secret key and this row give, as 32 letters and digits."""
    value = f"{invitation.pk}:{invitation.person_id}:{invitation.created_at.isoformat()}"
    digest = salted_hmac(f"accounts.invitation.{purpose}", value, algorithm="sha256").digest()
    return b32encode(digest[:20]).decode().lower()


def _to_send(invitation_id: int) -> Invitation:
    invitation = (
        open_invitations()
        .filter(pk=invitation_id, person__possessed_at=None, person__is_active=True, person__is_staff=False)
        .first()
    )
    if invitation is None:
        raise InvitationClosed
    return invitation


def _mark_sent(invitation: Invitation, *, token_hash: str | None, notice_version: str) -> None:
    now = timezone.now()
    sent = (
        open_invitations()
        .filter(pk=invitation.pk)
        .update(
            token_hash=token_hash,
            notice_version=notice_version,
            sent_at=now,
            expires_at=now + timedelta(days=settings.SHOPSEATS_INVITATION_DAYS),
        )
    )
    if not sent:
        raise InvitationClosed


def temporary_password_has_ended(person: Person) -> bool:
    """Whether the newest invitation mailed to a person has ended, and with it the temporary password it carried."""
    newest = person.invitations.exclude(sent_at=None).order_by("-sent_at", "-id").first()
    if newest is None:
        return False
    return newest.revoked_at is not None or (
        newest.expires_at is not None and newest.expires_at <= timezone.now()
    )


def find_invitation(token: str) -> Invitation | None:
    """The invitation a link belongs to, whatever has become of it."""
    rows = Invitation.objects.select_related("person", "account", "invited_by")
    return rows.filter(token_hash=hash_of(token)).first()


def works(invitation: Invitation) -> bool:
    """Whether the link of an invitation may be used now."""
    return (
        invitation.used_at is None
        and invitation.replaced_at is None
        and invitation.revoked_at is None
        and invitation.expires_at is not None
        and invitation.expires_at > timezone.now()
        and invitation.person.is_active
    )


def _consume(token: str) -> Invitation:
    """Mark the link as used, once for all: whoever comes second finds InvitationClosed."""
    now = timezone.now()
    invitation = find_invitation(token)
    if invitation is None:
        raise InvitationClosed
    usable = open_invitations().filter(pk=invitation.pk, expires_at__gt=now, person__is_active=True)
    if not usable.update(used_at=now):
        raise InvitationClosed
    invitation.used_at = now
    return invitation


@dataclass(frozen=True, slots=True)
class ChosenName:
    """The name as the person himself gives it."""

    first_name: str
    last_name: str


def use_invitation(*, token: str, password: str | None, name: ChosenName | None = None) -> Invitation:
    """The person chooses a password through the link: he takes possession, and his address is verified.

    The password must have been validated; without one (it is kept elsewhere) he signs in here by mailed codes. A name
    given replaces the one the account had typed. Exactly one of two
    calls at the same moment succeeds. Raises InvitationClosed, and changes nothing, when the link works no more or
    the person has taken possession otherwise.
    """
    changes = _chosen(password, name)
    with transaction.atomic():
        invitation = _consume(token)
        changes["possessed_at"] = invitation.used_at
        if not Person.objects.filter(pk=invitation.person_id, possessed_at=None).update(**changes):
            raise InvitationClosed
        invitation.person.refresh_from_db()
        _accepted(invitation)
    return invitation


def _chosen(password: str | None, name: ChosenName | None) -> dict[str, Any]:
    """What changes on a person who chooses a password. The hash takes its time: make it before any lock."""
    changes: dict[str, Any] = {"password": make_password(password), "must_change_password": False}
    if name is not None:
        changes |= {"first_name": name.first_name, "last_name": name.last_name, "name_is_guess": False}
    return changes


@transaction.atomic
def accept_invitation(*, token: str, person: Person) -> Invitation:
    """Somebody who has taken possession already accepts an invitation addressed to him; nothing else changes.

    Raises InvitationClosed when the link works no more or is not his.
    """
    invitation = _consume(token)
    if invitation.person_id != person.pk:
        raise InvitationClosed
    _accepted(invitation)
    return invitation


def choose_password(*, person: Person, password: str, name: ChosenName | None = None) -> Invitation | None:
    """Replace a temporary password. Returns the invitation that carried it, which is accepted thereby, if any."""
    changes = _chosen(password, name)
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(**changes)
        person.refresh_from_db()
        newest = (
            open_invitations()
            .filter(person=person, token_hash=None)
            .exclude(sent_at=None)
            .select_related("person", "account")
            .order_by("-sent_at", "-id")
            .first()
        )
        if newest is None or not open_invitations().filter(pk=newest.pk).update(used_at=timezone.now()):
            return None
        _accepted(newest)
    return newest


def _accepted(invitation: Invitation) -> None:
    verify_address(invitation.person)
    touch_possession(invitation.person)
    Member.objects.filter(
        account_id=invitation.account_id, person_id=invitation.person_id, accepted_at=None
    ).update(accepted_at=timezone.now())
    record(
        actor=Actor.person(invitation.person_id),
        verb="invitation.used",
        object=f"invitation:{invitation.pk}",
        scope=f"account:{invitation.account_id}",
    )


@transaction.atomic
def renew_invitation(*, invitation_id: int) -> Invitation:
    """Replace an invitation by a new one for the same person: the old link dies, the new one is for its mail to make.

    Raises InvitationClosed when it was used or revoked, a newer one is open already, or the person needs none.
    """
    old = Invitation.objects.select_related("person").get(pk=invitation_id)
    person = old.person
    if old.used_at or old.revoked_at or person.possessed_at or not person.is_active or person.is_staff:
        raise InvitationClosed
    now = timezone.now()
    open_invitations().filter(account_id=old.account_id, person_id=old.person_id).update(replaced_at=now)
    new, made = Invitation.objects.get_or_create(
        account_id=old.account_id,
        person=person,
        used_at=None,
        replaced_at=None,
        revoked_at=None,
        defaults={"invited_by_id": old.invited_by_id},
    )
    if not made:
        raise InvitationClosed
    return new


def revoke_invitations(*, account_id: int, person_ids: Iterable[int]) -> int:
    """Close the open invitations of an account for these people: their links die. Returns how many."""
    return (
        open_invitations()
        .filter(account_id=account_id, person_id__in=list(person_ids))
        .update(revoked_at=timezone.now())
    )
