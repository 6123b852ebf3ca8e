"""What became of the mails that told people about their seats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from common.models import OutboxMail
from seats.models import Assignment

KINDS = ("invitation", "enrolled")


@dataclass(frozen=True, slots=True)
class LastMail:
    """A mail about a seat: its state, when it was queued, and when it left. Of its kind nothing is told."""

    state: str
    queued_at: datetime
    sent_at: datetime | None


def mails_of(assignment_ids: Iterable[int]) -> dict[int, list[LastMail]]:
    """The mails about each of these assignments, oldest first. One query.

    They are found by the address they went to, which is indexed; what they are about stands in their ids.
    """
    wanted = set(assignment_ids)
    addresses = Assignment.objects.filter(pk__in=wanted).values("person__email")
    found = OutboxMail.objects.filter(kind__in=KINDS, to__in=addresses).order_by("id")
    mails: dict[int, list[LastMail]] = {}
    for ids, state, queued_at, sent_at in found.values_list("ids", "state", "created_at", "sent_at"):
        if ids.get("assignment") in wanted:
            mails.setdefault(ids["assignment"], []).append(LastMail(state, queued_at, sent_at))
    return mails


def last_mails(assignment_ids: Iterable[int]) -> dict[int, LastMail]:
    """The last mail about each of these assignments. One query."""
    return {pk: mails[-1] for pk, mails in mails_of(assignment_ids).items()}
