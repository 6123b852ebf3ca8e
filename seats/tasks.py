"""Celery tasks of `seats`, each calling one service, and what the jobs of this app do, by kind."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from common import jobs
from common.jobs import Progress
from courses.platform import PlatformAway
from seats.services.apply import NotTold, run_apply
from seats.services.changing_far import CHANGE_JOB, run_change
from seats.services.life_expire import run_expire
from seats.services.life_rows import HOLD_JOB, run_hold_job
from seats.services.lists import APPLY_JOB, PLAN_JOB, plan
from seats.services.notices import tell_endings
from seats.services.opening import run_note_openings

logger = logging.getLogger(__name__)


@shared_task(name="seats.expire")
def expire() -> None:
    run_expire(now=timezone.now())


@shared_task(name="seats.tell_endings")
def notices() -> None:
    tell_endings(now=timezone.now())


@shared_task(name="seats.note_openings")
def note_openings() -> None:
    """Every quarter of an hour; a platform that is away is asked again at the next."""
    try:
        run_note_openings(now=timezone.now())
    except PlatformAway as reason:
        logger.warning("openings are not noted: %s", reason)


def _plan(batch_id: int, progress: Progress) -> None:
    try:
        plan(batch_id=batch_id, progress=progress)
    except PlatformAway as error:
        raise NotTold(str(error)) from error


jobs.register(PLAN_JOB, _plan)
jobs.register(APPLY_JOB, run_apply)
jobs.register(HOLD_JOB, run_hold_job)
jobs.register(CHANGE_JOB, run_change)
