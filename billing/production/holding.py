"""Staff stepping in: a run is held back, let go again, or given up for good. Each is one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing.models import ProductionRun
from billing.production.queue import TASK, wake_followers
from common import audit
from common.audit import Actor
from common.wake import wake


def hold(*, run_id: int, actor: Actor) -> bool:
    """Keep a run from being claimed until it is released; its state, attempts and due time stay as they are.

    Returns False when it has started, is over, or is held already.
    """
    unstarted = Q(state__in=ProductionRun.CLAIMABLE, held_at=None)
    return _mark(run_id, unstarted, actor=actor, verb="run.held", held_at=timezone.now()) is not None


def release(*, run_id: int, actor: Actor) -> bool:
    """Let a held run go on from where it was. Returns False when it is not held."""
    with transaction.atomic():
        run = _mark(run_id, ~Q(held_at=None), actor=actor, verb="run.released", held_at=None)
        if run is not None:
            wake(TASK, run_id)
    return run is not None


def abandon(*, run_id: int, actor: Actor, why: str, now: datetime | None = None) -> bool:
    """Give a run up for good: it is failed, and never tried again. What its attempts have made stays.

    Returns False when it is done or given up already, or while a worker holds it. Raises ValueError without a reason.
    """
    why = " ".join(why.split())
    if not why:
        raise ValueError("a run is given up for a reason")
    at = now or timezone.now()
    idle = Q(state__in=(*ProductionRun.CLAIMABLE, ProductionRun.State.FAILED))
    lost = Q(state=ProductionRun.State.RUNNING, lease_until__lte=at)
    with transaction.atomic():
        run = _mark(
            run_id,
            (idle | lost) & Q(abandoned_at=None),
            actor=actor,
            verb="run.abandoned",
            why=why,
            state=ProductionRun.State.FAILED,
            abandoned_at=at,
            abandoned_why=why[:300],
            held_at=None,
            lease_until=None,
            waiting_since=None,
            finished_at=at,
        )
        if run is not None:
            wake_followers(run)
    return run is not None


def _mark(
    run_id: int, allowed: Q, *, actor: Actor, verb: str, why: str = "", **values: Any
) -> ProductionRun | None:
    """Change a run by one UPDATE if that is allowed, and write it down; None: it was not."""
    with transaction.atomic():
        if not ProductionRun.objects.filter(allowed, pk=run_id).update(**values):
            return None
        run = ProductionRun.objects.select_related("line__bill").get(pk=run_id)
        bill = run.line.bill
        audit.record(
            actor=actor,
            verb=verb,
            object=f"bill:{bill.number}",
            scope=f"account:{bill.account_id}",
            counts={"run": run_id},
            why=why,
        )
        return run
