"""Notices to those who manage an account: 60, 30 and 7 days before something of theirs ends.

One mail per account and day lists what ends. What was told is a row per thing, end and number of days: never twice,
and whatever is extended is told anew before its new end. `portal.mails.life` puts it into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from common import outbox
from common.outbox import Draft
from common.zone import seller_zone
from seats.models import EndingNotice
from seats.selectors.endings import Ending, endings
from seats.services.life_staff import managers

DAYS_AHEAD = (60, 30, 7)
ENDING_MAIL = "ending_soon"


@dataclass(frozen=True, slots=True)
class Told:
    """How many accounts were written to, in how many mails, about how many things."""

    accounts: int
    mails: int
    endings: int


def tell_endings(*, now: datetime) -> Told:
    """Write to the owners and managers of every account of which something ends soon; may be run as often as liked.

    An account that was written to today is left alone until tomorrow.
    """
    today = now.astimezone(seller_zone()).date()
    told = Told(0, 0, 0)
    for account_id, notices in _due(now, today).items():
        mails = _tell(account_id, notices, today)
        told = Told(told.accounts + 1, told.mails + mails, told.endings + len(notices))
    return told


def days_ahead(ends_on: date, today: date) -> int | None:
    """The notice that is due for something that ends so soon: only the nearest. None: it is too early for any."""
    left = (ends_on - today).days
    return min((days for days in DAYS_AHEAD if left <= days), default=None)


def _due(now: datetime, today: date) -> dict[int, list[EndingNotice]]:
    """What has to be told today, by account."""
    # The last day of what ends at midnight is the day before.
    until = now + timedelta(days=max(DAYS_AHEAD) + 2)
    known = set(EndingNotice.objects.filter(ends_on__gte=today).values_list("subject", "ends_on", "days"))
    written = set(EndingNotice.objects.filter(told_on=today).values_list("account", flat=True))
    due: dict[int, list[EndingNotice]] = {}
    for ending in endings(now, until):
        days = days_ahead(ending.ends_on, today)
        if days is None or ending.account_id in written or (ending.subject, ending.ends_on, days) in known:
            continue
        due.setdefault(ending.account_id, []).append(_notice(ending, days, today))
    return due


def _notice(ending: Ending, days: int, today: date) -> EndingNotice:
    return EndingNotice(
        account_id=ending.account_id,
        subject=ending.subject,
        ends_on=ending.ends_on,
        days=days,
        told_on=today,
    )


def _tell(account_id: int, notices: list[EndingNotice], today: date) -> int:
    people = managers(account_id)
    with transaction.atomic():
        EndingNotice.objects.bulk_create(notices, ignore_conflicts=True)
        outbox.queue_many(
            Draft(
                ENDING_MAIL,
                person.email,
                f"account:{account_id}:ending:{today.isoformat()}:{person.pk}",
                {"account": account_id, "day": today.isoformat(), "person": person.pk},
                person.language,
            )
            for person in people
        )
    return len(people)
