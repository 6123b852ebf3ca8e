"""Seats that were not given in time, where the item promises a credit: the shop is told, by mail.

What is owed stands in the trail of each seat (`seats.services.life_rows.TO_CREDIT`). No money moves here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count

from catalog.selectors import get_shop
from common import outbox
from common.outbox import Draft
from courses.models import ProductEvent
from seats.models import Seat
from seats.services.life_rows import TO_CREDIT

CREDIT_MAIL = "seats_to_credit"
LOOKED_BACK = timedelta(days=30)  # a shop that cannot be mailed for longer finds them in the back office


def report_credits(*, now: datetime) -> int:
    """Mail the shop about seats to credit, once for each order line and number of seats; returns about how many lines."""
    shop = get_shop()
    to = shop.help_email or shop.mail_sender
    if not to:
        return 0
    marked = ProductEvent.objects.filter(verb=TO_CREDIT, at__gt=now - LOOKED_BACK).values("reference")
    pools = Seat.objects.filter(reference__in=marked).order_by().values_list("pool", flat=True).distinct()
    drafts = [
        Draft(
            CREDIT_MAIL,
            to,
            f"pool:{pool_id}:to_credit:{owed_seats(pool_id)}",
            {"pool": pool_id},
            settings.LANGUAGE_CODE,
        )
        for pool_id in pools
    ]
    outbox.queue_many(drafts)
    return len(drafts)


def owed_seats(pool_id: int) -> int:
    """How many seats of a pool expired unassigned with a credit promised. One query."""
    marked = ProductEvent.objects.filter(verb=TO_CREDIT).values("reference")
    counted = Seat.objects.filter(pool=pool_id, reference__in=marked).aggregate(number=Count("pk"))
    return int(counted["number"])
