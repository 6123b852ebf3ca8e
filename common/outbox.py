"""Mails: queued as rows in the transaction of their event, rendered and sent afterwards.

An app registers its kinds in `ready()`; rendering happens while sending, so that links and one-use
secrets are made then and only their hashes are kept.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.utils import timezone, translation

from common import leases
from common.models import OutboxMail
from common.wake import wake

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
LEASE = 120  # seconds; longer than the mail server's time-out


class Undeliverable(Exception):
    """The letter has become pointless (its subject is gone): the row is cancelled, not retried."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered mail."""

    subject: str
    text: str
    html: str = ""
    sender: str = ""
    reply_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What to queue: kind, address, ids, and the event it belongs to (one mail per event)."""

    kind: str
    to: str
    event_key: str
    ids: dict[str, int | str] = field(default_factory=dict)
    language: str = "fr"
    not_before: datetime | None = None


Renderer = Callable[[OutboxMail], Letter]
_renderers: dict[str, Renderer] = {}


def register(kind: str, renderer: Renderer) -> None:
    """Say who renders mails of this kind. Called from an app's `ready()`."""
    _renderers[kind] = renderer


def queue(*drafts: Draft) -> None:
    """Queue mails in the current transaction; an event already queued stays one mail."""
    queue_many(drafts)


def queue_many(drafts: Iterable[Draft]) -> None:
    """As `queue`, for many: one INSERT."""
    now = timezone.now()
    rows = [
        OutboxMail(
            kind=draft.kind,
            to=draft.to,
            event_key=draft.event_key,
            ids=draft.ids,
            language=draft.language,
            not_before=draft.not_before or now,
        )
        for draft in drafts
    ]
    if not rows:
        return
    OutboxMail.objects.bulk_create(rows, ignore_conflicts=True)
    wake("common.send_due_mails")


def cancel(*, event_keys: Iterable[str]) -> int:
    """Cancel mails that have not left yet; returns how many."""
    return OutboxMail.objects.filter(event_key__in=list(event_keys), state=OutboxMail.State.QUEUED).update(
        state=OutboxMail.State.CANCELLED
    )


def cancel_waiting(*, to: str = "") -> int:
    """Cancel every mail that has not left (only those to this address, if one is given), failed ones too.

    Returns how many. What they were about stays as it is.
    """
    waiting = OutboxMail.objects.filter(state__in=(OutboxMail.State.QUEUED, OutboxMail.State.FAILED))
    return _addressed(waiting, to).update(state=OutboxMail.State.CANCELLED)


def retry_failed(*, to: str = "") -> int:
    """Queue failed mails for one more attempt, due at once; returns how many.

    Attempts are not counted anew: the number is what keeps out a worker that was overtaken.
    """
    failed = OutboxMail.objects.filter(state=OutboxMail.State.FAILED)
    return _addressed(failed, to).update(state=OutboxMail.State.QUEUED, not_before=timezone.now())


def retry(pk: int) -> bool:
    """As `retry_failed`, for one mail, and told to a worker. False when it has not failed."""
    failed = OutboxMail.objects.filter(pk=pk, state=OutboxMail.State.FAILED)
    queued = failed.update(state=OutboxMail.State.QUEUED, not_before=timezone.now())
    if queued:
        wake("common.send_due_mails")
    return bool(queued)


def _addressed(mails: QuerySet[OutboxMail], to: str) -> QuerySet[OutboxMail]:
    return mails.filter(to__iexact=to) if to else mails


def deliver_due(*, limit: int = 500, now: datetime | None = None) -> int:
    """Send what is due, oldest first; returns how many left. With SHOPSEATS_MAIL=hold nothing leaves."""
    if settings.SHOPSEATS_MAIL == "hold":
        return 0
    now = now or timezone.now()
    due = leases.due(OutboxMail, now=now)
    sent = 0
    for pk in list(OutboxMail.objects.filter(due).order_by("id").values_list("pk", flat=True)[:limit]):
        sent += _deliver(pk, now)
    return sent


def _deliver(pk: int, now: datetime) -> bool:
    mail = leases.claim(OutboxMail, pk, seconds=LEASE, now=now)
    if mail is None:
        return False
    try:
        return _attempt(mail)
    except leases.LeaseLost:
        logger.warning("mail %s, attempt %s: another worker has taken over", mail.pk, mail.attempt)
        return False


def _attempt(mail: OutboxMail) -> bool:
    """Render and send a claimed mail. Raises LeaseLost."""
    try:
        with translation.override(mail.language):
            letter = _renderers[mail.kind](mail)
        _send(mail, letter)
    except Undeliverable as reason:
        leases.record(mail, state=OutboxMail.State.CANCELLED, last_error=str(reason))
        return False
    except (OSError, smtplib.SMTPException) as error:
        _put_back(mail, error)
        return False
    except Exception as error:  # a renderer may raise anything, and the mails after this one must leave
        logger.exception("mail %s (%s)", mail.pk, mail.kind)
        _put_back(mail, error)
        return False
    # One autocommitted statement right after the send: nothing may stand between the two.
    leases.record(mail, state=OutboxMail.State.SENT, sent_at=timezone.now(), last_error="")
    return True


def _put_back(mail: OutboxMail, error: Exception) -> None:
    logger.warning("mail %s (%s) not sent, attempt %s: %s", mail.pk, mail.kind, mail.attempt, error)
    final = mail.attempt >= MAX_ATTEMPTS
    leases.record(
        mail,
        state=OutboxMail.State.FAILED if final else OutboxMail.State.QUEUED,
        not_before=timezone.now() + leases.back_off(mail.attempt),
        last_error=type(error).__name__,
    )


def _send(mail: OutboxMail, letter: Letter) -> None:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    message = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=letter.text,
        from_email=letter.sender or settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        reply_to=list(letter.reply_to),
        # The same row always has the same identity: a mail server that saw it twice can tell.
        headers={"Message-ID": f"<outbox-{mail.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    message.send()
