"""One attempt at one run: claim, hand over to the handler, record. Nothing is delivered twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing import mails
from billing.models import ProductionRun
from billing.production.purchase import purchase_of
from billing.production.queue import startable, wake_followers
from common import audit, leases, outbox
from courses.platform import PlatformAway
from handlers.contract import Delivery, HandlerError
from handlers.registry import UnknownHandler, get_handler

logger = logging.getLogger(__name__)

# Attempts before a run that only meets temporary errors (or dying workers) is given up: about seven hours. Those that
# met an absent course platform do not count.
MAX_TRIES = 16
# The database or a server that is away for a moment, whatever the handler was doing.
TEMPORARY = (OperationalError, InterfaceError, ConnectionError, TimeoutError)


def run(run_id: int, *, takeover: bool = False, now: datetime | None = None) -> bool:
    """Run one delivery here and now if it may start; returns whether this call finished it well.

    With `takeover` it is taken from whoever holds it. Errors of the handler are recorded, never raised.
    """
    if not startable().filter(pk=run_id).exists():
        return False
    claimed = leases.claim(
        ProductionRun, run_id, seconds=settings.SHOPSEATS_RUN_LEASE, now=now, takeover=takeover
    )
    if claimed is None:
        return False
    try:
        return _attempt(claimed)
    except leases.LeaseLost:
        logger.warning("run %s, attempt %s: another worker has taken over", claimed.pk, claimed.attempt)
        return False


def _attempt(run: ProductionRun) -> bool:
    """Work on a claimed run. Raises LeaseLost."""
    with translation.override(settings.LANGUAGE_CODE):
        if run.tries > MAX_TRIES:
            _fail(run, _("Given up: every attempt ended without a word."))
            return False
        try:
            delivery = _handle(run)
        except HandlerError as error:
            if error.outside:
                _wait(run, str(error.message), error.field)
            elif error.permanent:
                _fail(run, str(error.message), error.field)
            else:
                _put_off(run, str(error.message), error.field)
            return False
        except PlatformAway as error:
            _wait(run, str(error) or type(error).__name__)
            return False
        except UnknownHandler as error:
            _fail(run, str(error), "handler")
            return False
        except TEMPORARY as error:
            _put_off(run, type(error).__name__)
            return False
        except leases.LeaseLost:
            raise
        except Exception as error:  # a handler may raise anything, and no run may get lost
            logger.exception("run %s (%s, %s), attempt %s", run.pk, run.handler, run.phase, run.attempt)
            _fail(run, type(error).__name__)
            return False
        _finish(run, delivery)
        return True


def _handle(run: ProductionRun) -> Delivery:
    """Let the handler do its work. It runs outside any transaction: handlers have their own."""
    handler = get_handler(run.handler)
    purchase = purchase_of(run, handler, beat=lambda: leases.renew(run, seconds=settings.SHOPSEATS_RUN_LEASE))
    if run.phase == ProductionRun.Phase.PREPARE:
        return handler.prepare(purchase)
    return handler.deliver(purchase)


def _finish(run: ProductionRun, delivery: Delivery) -> None:
    """Record a success and everything it causes, in one transaction."""
    with transaction.atomic():
        leases.record(
            run,
            state=ProductionRun.State.DONE,
            delivered=delivery.delivered.as_json(),
            feedback=delivery.feedback.as_json(),
            finished_at=timezone.now(),
            lease_until=None,
            waiting_since=None,
            last_error="",
            error_field="",
        )
        _audit(run, "run.done", delivery.delivered.as_json())
        outbox.queue_many(mails.finished(run))
        wake_followers(run)


def _fail(run: ProductionRun, message: str, field: str = "") -> None:
    """Record that trying again changes nothing until somebody has repaired it, and tell the shop."""
    with transaction.atomic():
        leases.record(
            run,
            state=ProductionRun.State.FAILED,
            finished_at=timezone.now(),
            lease_until=None,
            waiting_since=None,
            last_error=message,
            error_field=field[:60],
        )
        _audit(run, "run.failed", why=run.error)
        outbox.queue_many(mails.production_failed(run))
        wake_followers(run)


def _put_off(run: ProductionRun, message: str, field: str = "") -> None:
    """Record a temporary error: tried again later, and given up after MAX_TRIES."""
    if run.tries >= MAX_TRIES:
        _fail(run, message, field)
        return
    logger.warning("run %s (%s, %s), attempt %s: %s", run.pk, run.handler, run.phase, run.attempt, message)
    leases.record(
        run,
        state=ProductionRun.State.WAITING,
        not_before=timezone.now() + leases.back_off(run.tries),
        lease_until=None,
        waiting_since=None,
        last_error=message,
        error_field=field[:60],
    )


def _wait(run: ProductionRun, message: str, field: str = "") -> None:
    """Record that the course platform (or something else outside) is absent: tried again until it is back."""
    logger.warning("run %s (%s, %s) waits: %s", run.pk, run.handler, run.phase, message)
    leases.wait(run, message, state=ProductionRun.State.WAITING, error_field=field[:60])


def _audit(run: ProductionRun, verb: str, counts: Mapping[str, int] | None = None, why: str = "") -> None:
    bill = run.line.bill
    audit.record(
        actor=audit.SYSTEM,
        verb=verb,
        object=f"bill:{bill.number}",
        scope=f"account:{bill.account_id}",
        counts={**(counts or {}), "run": run.pk},
        why=why,
    )
