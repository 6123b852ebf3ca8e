"""100 new people given seats in a course of a Moodle: their list planned and applied, by the jobs that do it.

Each is created, enrolled and put into a group there. The site takes the time that a real one was measured to take, in
a process of its own; ours may take at most 15 % more than the site was busy, and at most 12 calls.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from celery import current_app
from django.test.utils import override_settings

from bench.bench_apply import account_with_seats, people_list
from bench.measuring import number, seconds
from common import jobs
from common.audit import OPERATOR
from common.models import Job
from courses.models import Course, CourseCategory, Enrolment
from seats.models import AssignmentBatch
from seats.services import apply_here, create_list

PEOPLE = 100
ROUNDS = 3
OVERHEAD = 15  # per cent of the site's time
CALLS = 12


@dataclass(frozen=True)
class Site:
    """The other process."""

    process: subprocess.Popen[str]
    url: str
    token: str
    course: int

    def asked(self) -> tuple[int, float]:
        """The calls that came since this was last asked, and the seconds the site was busy with them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        calls, busy = self.process.stdout.readline().split()
        return int(calls), float(busy)


def run() -> list[str]:
    """One line for each round."""
    # Jobs wait for us instead of following each commit.
    current_app.conf.task_always_eager = False
    with _site() as site, _behind(site):
        course = _course(site)
        given(site, course, 5)  # what only happens once in a process is over
        lines = []
        for _round in range(ROUNDS):
            processor = time.process_time()
            ours, calls, busy = given(site, course, PEOPLE)
            processor = time.process_time() - processor
            lines.append(
                f"{PEOPLE:>6} new people: {ours:.2f} s, the site busy for {busy:.2f} s of it, "
                f"{100 * (ours / busy - 1):.1f} % more (at most {OVERHEAD}), {calls} calls (at most {CALLS}); our processor time, the making of "
                f"seats and list included: {100 * processor / busy:.1f} %"
            )
    return lines


def given(site: Site, course: Course, size: int) -> tuple[float, int, float]:
    """Give seats to so many new people. Our seconds, the calls, and the seconds the site was busy."""
    account, people = account_with_seats(2 * size), people_list(size, known=False)
    site.asked()
    batch = create_list(account_id=account.pk, course_id=course.pk, people=people, actor=OPERATOR)

    def give() -> None:
        jobs.run(Job.objects.get(kind="seats.plan", object_id=batch.pk).pk)
        if not apply_here(batch_id=batch.pk, actor=OPERATOR):
            raise RuntimeError(AssignmentBatch.objects.select_related("job").get(pk=batch.pk).job)

    before = Enrolment.objects.filter(course=course).count()
    ours = seconds(give)
    calls, busy = site.asked()
    if Enrolment.objects.filter(course=course, status="active").count() != before + size:
        raise RuntimeError("somebody is missing")
    return ours, calls, busy


def _course(site: Site) -> Course:
    """Our row of the course. Every round is for a group of its own in it."""
    category, _made = CourseCategory.objects.get_or_create(name="Bench")
    return Course.objects.create(
        shortname=f"BENCH{number()}", fullname="Bench", category=category, remote_id=site.course
    )


@contextmanager
def _site() -> Iterator[Site]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.moodle_site"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url, token, course = process.stdout.readline().split()
            yield Site(process, url, token, int(course))
        finally:
            process.terminate()


def _behind(site: Site) -> override_settings:
    """The shop with this site behind it."""
    return override_settings(
        COURSE_PLATFORM="moodle",
        MOODLE_URL=site.url,
        MOODLE_TOKEN=site.token,
        MOODLE_ROLES="student:5,teacher:4",
        MOODLE_TIMEOUT=60,
        SHOPSEATS_PRIVATE_HOSTS=["127.0.0.1"],
    )
