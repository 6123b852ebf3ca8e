"""Work that waits for the course platform: called when it answers again, watched by `status`, tried now by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import ProductionRun
from billing.selectors import platform_health, watch
from billing.services.operating import retry_job, retry_mail, run_callback, try_now
from billing.sweeper import sweep
from common import jobs
from common.audit import OPERATOR
from common.models import AuditEntry, Job, OutboxMail
from courses.models import PlatformSite
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    far = install(monkeypatch, settings)
    far.is_away = True

    def ask(number: int, progress: jobs.Progress) -> None:
        if far.is_away:
            raise jobs.Waiting("no route to host")

    monkeypatch.setitem(jobs._runners, "ask", ask)
    return far


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def waiting(far: FarPlatform, clock: time_machine.Traveller) -> Job:
    """A job that has waited for two hours."""
    jobs.start(kind="ask", object_id=1)
    jobs.run_due()
    clock.shift(timedelta(hours=2))
    jobs.run_due()
    far.calls.clear()
    return Job.objects.get()


def status(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document."""
    out = io.StringIO()
    try:
        call_command("status", "--json", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


# --- the sweeper ----------------------------------------------------------------------------------


def test_when_the_platform_answers_all_that_waits_for_it_goes_on_in_the_same_sweep(far, waiting, clock):
    jobs.start(kind="ask", object_id=2)
    jobs.run_due()
    far.is_away = False
    assert not Job.objects.filter(not_before__lte=NOON + timedelta(hours=2)).exists()
    assert sweep() == {"runs": 0, "jobs": 2, "mails": 0}
    assert far.calls == ["check"]


def test_while_it_is_away_a_sweep_asks_once_and_moves_nothing(far, waiting, clock):
    before = list(Job.objects.values())
    assert sweep() == {"runs": 0, "jobs": 0, "mails": 0}
    assert far.calls == ["check"]
    assert list(Job.objects.values()) == before


def test_the_platform_is_not_asked_when_nothing_waits_for_it(far, clock):
    Job.objects.create(kind="ask", object_id=1, state="failed", waiting_since=NOON)
    Job.objects.create(kind="ask", object_id=2, not_before=NOON + timedelta(hours=1))
    assert run_callback() == 0
    assert far.calls == []


def test_an_answer_that_nobody_understands_does_not_hold_up_the_sweep(far, waiting, clock, monkeypatch):
    def strange() -> None:
        raise KeyError("userid")

    monkeypatch.setattr(far, "check", strange)
    OutboxMail.objects.create(kind="nobody renders this", to="a@x.org", event_key="e")
    sweep()
    assert OutboxMail.objects.get().attempt == 1


# --- by hand --------------------------------------------------------------------------------------


def test_trying_now_closes_the_breaker_and_asks_nobody_here(far, waiting, clock):
    site = PlatformSite.objects.create(platform=far.name, failures=4, open_until=NOON + timedelta(days=1))
    assert try_now(actor=OPERATOR) == 1
    site.refresh_from_db()
    waiting.refresh_from_db()
    assert (site.open_until, site.failures) == (None, 4)
    assert waiting.not_before == NOON + timedelta(hours=2)
    assert far.calls == []
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.counts) == ("platform.tried", {"called": 1})


def test_what_was_given_up_is_tried_again_once(far, clock):
    job = Job.objects.create(kind="ask", object_id=1, state="failed", attempt=jobs.MAX_ATTEMPTS)
    mail = OutboxMail.objects.create(kind="k", to="a@x.org", event_key="e", state="failed", attempt=8)
    assert (retry_job(job_id=job.pk, actor=OPERATOR), retry_mail(mail_id=mail.pk, actor=OPERATOR)) == (
        True,
        True,
    )
    assert (retry_job(job_id=job.pk, actor=OPERATOR), retry_mail(mail_id=mail.pk, actor=OPERATOR)) == (
        False,
        False,
    )
    job.refresh_from_db()
    mail.refresh_from_db()
    assert (job.state, job.tries, mail.state, mail.attempt) == ("queued", 0, "queued", 8)
    assert sorted(AuditEntry.objects.values_list("verb", flat=True)) == ["job.retried", "mail.retried"]


# --- status ---------------------------------------------------------------------------------------


def test_the_watch_counts_what_waits(waiting, clock):
    seen = watch()
    assert (seen.waiting_runs, seen.waiting_jobs, seen.waited) == (0, 1, 7200)
    assert (seen.oldest_job, seen.failed_jobs) == (None, 0)


def test_a_short_absence_needs_nobody(far, clock):
    jobs.start(kind="ask", object_id=1)
    jobs.run_due()
    clock.shift(timedelta(seconds=800))
    jobs.run_due()
    code, document = status()
    assert (code, document["problems"]) == (0, [])
    assert document["platform"] == {
        "name": far.name,
        "reachable": False,
        "reason": "no route to host",
        "away_since": "2026-11-20T13:00:00+01:00",
        "needs_admin": False,
    }
    clock.shift(timedelta(seconds=101))
    jobs.run_due()
    code, document = status()
    assert (code, document["problems"]) == (
        1,
        [
            "the course platform is away: no route to host",
            "0 deliveries and 1 jobs wait for the course platform, the first for 901 s",
        ],
    )
    assert status("--threshold", "1000")[0] == 0


def test_an_absence_of_unknown_length_is_told(far, clock):
    code, document = status()
    assert (code, document["problems"]) == (1, ["the course platform is away: no route to host"])


def test_its_row_tells_since_when_it_is_away(far, clock):
    Job.objects.create(kind="ask", object_id=1, waiting_since=NOON - timedelta(days=9))
    site = PlatformSite.objects.create(
        platform=far.name, failures=2, last_ok_at=NOON - timedelta(minutes=5), last_error_at=NOON
    )
    assert platform_health().away_since == NOON - timedelta(minutes=5)
    site.failures = 0
    site.save()
    assert (platform_health().away_since, platform_health().answers) == (None, True)


def test_a_platform_that_refuses_us_needs_somebody_at_once(far, clock):
    PlatformSite.objects.create(
        platform=far.name, needs_admin=True, last_error="The token is refused.", last_error_at=NOON
    )
    code, document = status()
    problems = ["the course platform refuses us until somebody changes it: no route to host"]
    assert (code, document["problems"], document["platform"]["needs_admin"]) == (1, problems, True)


def test_somebody_the_platform_never_answers_for_is_told_although_it_answers(far, waiting, clock):
    far.is_away = False
    code, document = status()
    assert (code, document["platform"]["reachable"], document["problems"]) == (
        1,
        True,
        ["0 deliveries and 1 jobs wait for the course platform, the first for 7200 s"],
    )


def test_the_text_says_that_the_platform_is_away_for_the_moment(far, clock):
    jobs.start(kind="ask", object_id=1)
    jobs.run_due()
    out = io.StringIO()
    call_command("status", stdout=out)
    assert out.getvalue() == (
        "Nothing is stuck. The course platform is away for the moment, and what needs it waits: no route to host\n"
    )


def test_of_a_local_platform_there_is_nothing_to_know(django_assert_num_queries, clock):
    with django_assert_num_queries(0):
        health = platform_health()
    assert (health.name, health.answers, health.site) == ("builtin", True, None)


@pytest.mark.parametrize("rows", [1, 30])
def test_watching_costs_the_same_whatever_waits(far, clock, django_assert_num_queries, rows):
    for number in range(rows):
        Job.objects.create(kind="ask", object_id=number, waiting_since=NOON)
    with django_assert_num_queries(3):
        assert watch().waiting_jobs == rows
    with django_assert_num_queries(3):
        assert platform_health().away_since == NOON
    assert ProductionRun.objects.count() == 0
