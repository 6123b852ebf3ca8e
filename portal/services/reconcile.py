"""Comparing a course platform with our rows, and mending what is asked for. Nothing is changed unless it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from common import audit
from common.audit import Actor
from courses.models import CourseMaking
from courses.platforms import get_platform
from portal.services.findings import Finding, Repair
from portal.services.reconcile_enrolments import courses_to_compare, run_compare, run_repair
from portal.services.reconcile_people import run_compare_logins, run_repair_logins

# A course takes minutes to be made; one that is not ready after an hour waits for something, or nobody goes on with it.
PATIENCE = timedelta(hours=1)


def run_reconcile(
    *,
    repairs: Collection[Repair] = (),
    accept: bool = False,
    shortnames: Collection[str] = (),
    actor: Actor,
) -> list[Finding]:
    """What differs, of these courses only if any are named; then what `repairs` names is mended.

    Logins come first, because nobody can be enrolled without one. May be repeated: what is mended is found no more.
    Raises PlatformAway; what was mended until then stays so. Outside transactions.
    """
    platform = get_platform()
    logins = list(run_compare_logins(platform, shortnames))
    run_repair_logins(platform, logins, repairs)
    _note(actor, platform.name, logins)
    enrolments = list(run_compare(platform, courses_to_compare(platform, shortnames)))
    run_repair(platform, enrolments, repairs, accept=accept, actor=actor)
    _note(actor, platform.name, enrolments)
    return [*logins, *enrolments, *([] if shortnames else _half_made())]


def _half_made() -> list[Finding]:
    """Courses that a remote platform was asked for and that never became ready."""
    stale = CourseMaking.objects.exclude(state=CourseMaking.State.DONE).filter(
        created_at__lte=timezone.now() - PATIENCE
    )
    return [
        Finding(
            "course",
            course=making.key,
            platform=making.state,
            ours=f"attempt {making.attempt}",
            note="its delivery goes on with it; if that was given up, delete the hidden course there",
        )
        for making in stale.order_by("pk")
    ]


def _note(actor: Actor, name: str, findings: Sequence[Finding]) -> None:
    """One audit row for what was mended together."""
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.done:
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
    if counts:
        with transaction.atomic():
            audit.record(actor=actor, verb="platform.reconciled", object=f"platform:{name}", counts=counts)
