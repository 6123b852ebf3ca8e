"""Telling Celery after the commit. The row is the work; the message only makes it prompt."""

from __future__ import annotations

import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# For so many seconds after the broker did not answer this process does not ask it again: an order with many lines
# must not wait once for each of them.
PAUSE = 5.0
_broker = {"away_until": 0.0}


def wake(task: str, *args: int | str) -> None:
    """Run the Celery task named `task` once the current transaction is committed.

    A broker that is away costs nothing but time: the sweeper finds the row.
    """

    def publish() -> None:
        if time.monotonic() < _broker["away_until"] and not current_app.conf.task_always_eager:
            return
        try:
            current_app.tasks[task].delay(*args)
        except (OperationalError, OSError) as error:
            _broker["away_until"] = time.monotonic() + PAUSE
            logger.warning("broker away, the sweeper will run %s%r: %s", task, args, error)

    transaction.on_commit(publish)
