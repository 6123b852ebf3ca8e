"""What operators, and the sweeper for them, do with work that waits or was given up."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from billing import production
from billing.models import ProductionRun
from common import audit, jobs, leases, outbox
from common.audit import Actor
from common.models import Job
from courses.models import PlatformSite
from courses.platform import PlatformAway
from courses.platforms import get_platform

logger = logging.getLogger(__name__)


def run_callback() -> int:
    """If something waits for the course platform: ask it whether it is back, and let all of that go on at once if so.

    Returns how much was called. Outside any transaction: the platform is asked, unless its circuit breaker is open. The
    sweeper does this every minute.
    """
    if not _something_sleeps():
        return 0
    try:
        get_platform().check()
    except PlatformAway:
        return 0
    except Exception:  # whatever its answer was, the sweep must go on
        logger.exception("the course platform gave an answer that nobody understands")
        return 0
    return call_waiting()


def call_waiting() -> int:
    """Make everything that waits for the course platform due at once; returns how much was not."""
    with transaction.atomic():
        return production.call_waiting() + jobs.call_waiting()


def try_now(*, actor: Actor) -> int:
    """Whatever the circuit breaker says, ask the platform again, and let all that waits for it go on; by workers.

    Returns how much was called. Nothing goes over the network here.
    """
    with transaction.atomic():
        name = get_platform().name
        PlatformSite.try_now(name)
        called = call_waiting()
        audit.record(actor=actor, verb="platform.tried", object=f"platform:{name}", counts={"called": called})
    return called


def retry_job(*, job_id: int, actor: Actor) -> bool:
    """Queue a job that was given up again. False when it is not (any more)."""
    with transaction.atomic():
        queued = jobs.retry(job_id)
        if queued:
            audit.record(actor=actor, verb="job.retried", object=f"job:{job_id}", counts={"jobs": 1})
    return queued


def retry_mail(*, mail_id: int, actor: Actor) -> bool:
    """Queue a mail that was given up for one more attempt. False when it is not (any more)."""
    with transaction.atomic():
        queued = outbox.retry(mail_id)
        if queued:
            audit.record(actor=actor, verb="mail.retried", object=f"mail:{mail_id}", counts={"mails": 1})
    return queued


def _something_sleeps() -> bool:
    """Whether anything waits for the platform that is not due by itself now."""
    now = timezone.now()
    return any(
        model._default_manager.filter(leases.waiting(model) & model.FREE, not_before__gt=now).exists()
        for model in (ProductionRun, Job)
    )
