"""Celery tasks of `courses`, each calling one service, and what the jobs of this app do, by kind."""

from __future__ import annotations

import logging

from celery import shared_task

from common import jobs
from common.jobs import Progress
from courses.platform import PlatformAway
from courses.platforms import get_platform
from courses.services import run_sync_courses
from courses.services.space_life import HOLD_JOB, run_hold_space
from courses.services.syncing import SYNC_JOB

logger = logging.getLogger(__name__)


@shared_task(name="courses.sync")
def sync() -> None:
    """Every quarter of an hour; a platform that is away is asked again at the next."""
    if not get_platform().is_remote:
        return
    try:
        run_sync_courses()
    except PlatformAway as reason:
        logger.warning("courses are not synchronised: %s", reason)


def _sync(_site: int, progress: Progress) -> None:
    try:
        run_sync_courses()
    except PlatformAway as error:
        raise jobs.Waiting(str(error)) from error


jobs.register(SYNC_JOB, _sync)
jobs.register(HOLD_JOB, run_hold_space)
