"""Celery tasks of `portal`, each calling one service, and what the jobs of this app do, by kind."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from common import jobs
from courses.platform import PlatformAway
from portal.services.space_changes import JOB, run_space_change
from portal.services.space_openings import run_note_space_openings

logger = logging.getLogger(__name__)


@shared_task(name="portal.note_space_openings")
def note_space_openings() -> None:
    """Every quarter of an hour; a platform that is away is asked again at the next."""
    try:
        run_note_space_openings(now=timezone.now())
    except PlatformAway as reason:
        logger.warning("openings of course spaces are not noted: %s", reason)


jobs.register(JOB, run_space_change)
