"""Telling Celery after the commit. The row is the work; the message only makes it prompt."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def wake(task: str, *args: int | str) -> None:
    """Run the Celery task named `task` once the current transaction is committed.

    A broker that is away costs nothing but time: the sweeper finds the row.
    """

    def publish() -> None:
        try:
            current_app.tasks[task].delay(*args)
        except (OperationalError, OSError) as error:
            logger.warning("broker away, the sweeper will run %s%r: %s", task, args, error)

    transaction.on_commit(publish)
