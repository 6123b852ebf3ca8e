"""What the broker lost, what crashed and what waited: found in the rows and done."""

from __future__ import annotations

from datetime import datetime

from billing.production import run_due
from billing.services.carts import drop_abandoned_carts
from billing.services.operating import run_callback
from common import jobs, outbox


def sweep(*, now: datetime | None = None) -> dict[str, int]:
    """Run the deliveries and jobs that are due and send the mails that are; returns how many of each.

    What waits for the course platform is due as soon as that answers. Carts of visitors who never came back are forgotten on the way.
    """
    drop_abandoned_carts(now=now)
    run_callback()
    return {
        "runs": run_due(now=now),
        "jobs": jobs.run_due(),
        "mails": outbox.deliver_due(now=now),
    }
