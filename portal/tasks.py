"""What the jobs of this app do, by kind."""

from __future__ import annotations

from common import jobs
from portal.services.space_changes import JOB, run_space_change

jobs.register(JOB, run_space_change)
