"""What the jobs of this app do, by kind."""

from __future__ import annotations

from common import jobs
from common.jobs import Progress
from courses.platform import PlatformAway
from seats.services.apply import NotTold, run_apply
from seats.services.lists import APPLY_JOB, PLAN_JOB, plan


def _plan(batch_id: int, progress: Progress) -> None:
    try:
        plan(batch_id=batch_id)
    except PlatformAway as error:
        raise NotTold(str(error)) from error


jobs.register(PLAN_JOB, _plan)
jobs.register(APPLY_JOB, run_apply)
