"""Is anything stuck? What `status` tells an operator or a monitor, and what heads the page of what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from billing.models import ProductionRun
from common import leases
from common.models import Job, OutboxMail
from courses.models import PlatformSite
from courses.platforms import get_platform


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds for which the oldest due row has waited (None: nothing waits), and how many rows have failed.

    `waiting_…`: how many wait for the course platform, and `waited` for how many seconds the first of them has.
    """

    oldest_run: int | None
    oldest_job: int | None
    oldest_mail: int | None
    failed_runs: int
    failed_jobs: int
    failed_mails: int
    waiting_runs: int
    waiting_jobs: int
    waited: int | None


@dataclass(frozen=True, slots=True)
class PlatformHealth:
    """What we know of the course platform without asking it.

    `away_since`: since when it has not answered, as far as we know; None while it answers. `needs_admin`: it answers,
    and refuses us until somebody changes something there. `site`: its row, which only a remote platform has.
    """

    name: str
    is_remote: bool
    away_since: datetime | None
    needs_admin: bool
    reason: str
    site: PlatformSite | None

    @property
    def writer(self) -> str:
        """Which process writes to it now; nothing when none does."""
        site = self.site
        held = site is not None and site.lease_until is not None and site.lease_until > timezone.now()
        return site.lease_holder if site is not None and held else ""

    @property
    def answers(self) -> bool:
        return self.away_since is None and not self.needs_admin


def watch(*, now: datetime | None = None) -> Watch:
    """What waits although it is due, what waits for the platform, and what has failed: three queries."""
    now = now or timezone.now()
    # What was given up needs nobody any more.
    runs = _look(ProductionRun, Q(state=ProductionRun.State.FAILED, abandoned_at=None), now)
    jobs = _look(Job, Q(state=Job.State.FAILED), now)
    mails = _look(OutboxMail, Q(state=OutboxMail.State.FAILED), now)
    return Watch(
        oldest_run=_seconds(runs["since"], now),
        oldest_job=_seconds(jobs["since"], now),
        oldest_mail=_seconds(mails["since"], now),
        failed_runs=runs["failed"],
        failed_jobs=jobs["failed"],
        failed_mails=mails["failed"],
        waiting_runs=runs["waiting"],
        waiting_jobs=jobs["waiting"],
        waited=_seconds(_earliest(runs["waits"], jobs["waits"]), now),
    )


def platform_health() -> PlatformHealth:
    """How the course platform is, from our rows: three queries for a remote one, none for another."""
    platform = get_platform()
    if not platform.is_remote:
        return PlatformHealth(platform.name, False, None, False, "", None)
    site = PlatformSite.objects.filter(platform=platform.name).first()
    fails = site is not None and (site.failures > 0 or site.needs_admin)
    # Its row notes every minute that it answers. Before it ever has, what waits tells since when it does not.
    waits = _earliest(*(_waits_since(model) for model in (ProductionRun, Job))) if fails or not site else None
    known = site.last_ok_at or _earliest(waits, site.last_error_at) if site and fails else waits
    return PlatformHealth(
        name=platform.name,
        is_remote=True,
        away_since=known,
        needs_admin=bool(site and site.needs_admin),
        reason=site.last_error if site and fails else "",
        site=site,
    )


def _look(model: type[leases.LeasedRow], failed: Q, now: datetime) -> dict[str, Any]:
    """One query. A row that nobody holds counts from when it was due, one whose holder is gone from the end of its lease."""
    wanted = {
        "since": Min("not_before", filter=leases.due(model, now=now)),
        "failed": Count("pk", filter=failed),
    }
    if issubclass(model, leases.PatientRow):
        absent = leases.waiting(model)
        wanted |= {"waiting": Count("pk", filter=absent), "waits": Min("waiting_since", filter=absent)}
    # What is done or cancelled is most of the table, and has nothing to say.
    unfinished = (*model.CLAIMABLE, model.RUNNING, "failed")
    return model._default_manager.filter(Q(state__in=unfinished)).aggregate(**wanted)


def _waits_since(model: type[leases.PatientRow]) -> datetime | None:
    found: datetime | None = model._default_manager.filter(leases.waiting(model)).aggregate(
        since=Min("waiting_since")
    )["since"]
    return found


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)


def _seconds(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(int((now - since).total_seconds()), 0)
