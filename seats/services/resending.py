"""Writing again to somebody who has not come yet."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common import audit, outbox
from common.audit import Actor
from common.models import OutboxMail
from delegation.refusals import Refused
from seats.models import Assignment
from seats.selectors.refusing import refusal, started
from seats.services.confirming import invite, letter
from seats.services.holding import is_changing
from seats.services.leaving import mails_about

PAUSE = timedelta(minutes=10)  # between two letters about the same seat
ON_ITS_WAY = (OutboxMail.State.QUEUED, OutboxMail.State.SENDING)


def resend(*, assignment_id: int, account_id: int | None = None, actor: Actor) -> None:
    """Queue the mail about a seat once more: with a link that works if nobody has taken possession of the login.

    The link of an open invitation stays the same and lives again for its whole time; an ended one is replaced. Raises
    Assignment.DoesNotExist (with `account_id` also for another account's), and Refused with the code `ended`,
    `started`, `busy` (somebody changes his mind about the seat), `waiting` (the last one has not left yet) or `too_soon`.
    """
    with transaction.atomic():
        locked = Assignment.objects.select_for_update(no_key=True, of=("self",))
        if account_id is not None:
            locked = locked.filter(account=account_id)
        assignment = locked.select_related("seat", "person").get(pk=assignment_id)
        _check(assignment)
        mails = list(mails_about(assignment_id).order_by("id"))
        if any(mail.state in ON_ITS_WAY for mail in mails):
            raise Refused(
                "waiting", _("The last mail has not left yet: it will be sent without further ado.")
            )
        if mails and mails[-1].created_at > timezone.now() - PAUSE:
            raise Refused(
                "too_soon", _("A mail was sent a few minutes ago. Wait a little before you write again.")
            )
        invitations = invite([assignment], by=actor.person_id)
        event = f"assignment:{assignment_id}:resent:{len(mails)}"
        outbox.queue(letter(assignment, invitations.get(assignment.holder_id), event=event))
        audit.record(
            actor=actor,
            verb="seat.resend",
            object=f"seat:{assignment.seat.reference}",
            scope=f"account:{assignment.account_id}",
        )


def _check(assignment: Assignment) -> None:
    has_ended = assignment.ends_at is not None and assignment.ends_at <= timezone.now()
    if assignment.state != Assignment.State.LIVE or has_ended:
        raise Refused("ended", _("This seat is no longer theirs: there is nothing to write about."))
    if assignment.opened_at is not None:
        raise started(assignment.opened_at)
    if is_changing([assignment.seat_id]):
        raise refusal("busy", by="change")
