"""Invitations: the one-use way in for somebody whom an account brought here."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import Invitation, Person

CHUNK = 500
# Of the information notice that the invitation carries; change it together with that text.
NOTICE_VERSION = "2026-11"


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
    with transaction.atomic():
        for start in range(0, len(ids), CHUNK):
            result.update(_ensure_chunk(account_id, ids[start : start + CHUNK], invited_by_id))
    return result


def _ensure_chunk(account_id: int, ids: list[int], invited_by_id: int | None) -> dict[int, int]:
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
                Invitation(
                    account_id=account_id,
                    person_id=person_id,
                    invited_by_id=invited_by_id,
                    notice_version=NOTICE_VERSION,
                )
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


def issue_token(*, invitation_id: int) -> str:
    """The token of an invitation's link, made while its mail is sent; only its hash is kept.

    The link works for SHOPSEATS_INVITATION_DAYS from now. The token is derived from the secret key and the row: a
    mail sent twice, or a second mail about the same invitation, carries the same link and neither kills the other.
    Raises InvitationClosed when there is nothing to invite to any more.
    """
    invitation = _to_send(invitation_id)
    token = _derive("token", invitation)
    _mark_sent(invitation, token_hash=hash_of(token))
    return token


def issue_password(*, invitation_id: int) -> str:
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
        # Nobody is told the token of this row: the hash lets the page of a later link recognise it.
        _mark_sent(invitation, token_hash=hash_of(_derive("token", invitation)))
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


def _mark_sent(invitation: Invitation, *, token_hash: str) -> None:
    now = timezone.now()
    sent = (
        open_invitations()
        .filter(pk=invitation.pk)
        .update(
            token_hash=token_hash,
            sent_at=now,
            expires_at=now + timedelta(days=settings.SHOPSEATS_INVITATION_DAYS),
        )
    )
    if not sent:
        raise InvitationClosed
