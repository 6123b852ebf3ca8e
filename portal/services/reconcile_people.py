"""Logins of a remote platform that are gone or have another address: found, and repaired where nobody is harmed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from django.db.models import Q

from accounts.services import move_person
from common.cutting import cut
from common.emailkey import email_key
from courses.models import PlatformLogin
from courses.platform import CoursePlatform
from portal.services.findings import Finding, Repair
from seats.models import Assignment

LOGINS = 800  # asked about at once

WHY_NOT = {
    "invalid": "that is no address",
    "possessed": "its owner uses the login here: he changes the address himself",
    "member": "he is in a team here: change the address in the back office",
    "taken": "somebody else has that address here",
}
NOT_OURS = "the login was there before: only its owner can say where to write to him"
BLIND = "no login at all is told: look at the rights of the service user first (checkplatform)"


def run_compare_logins(platform: CoursePlatform, shortnames: Collection[str]) -> Iterator[Finding]:
    """Logins that are gone there or have another address. Only of people in these courses, if any are named.

    Nothing on a local platform. Raises PlatformAway. Outside transactions.
    """
    if not platform.is_remote:
        return
    rows = PlatformLogin.objects.filter(platform=platform.name, remote_id__isnull=False).select_related(
        "person"
    )
    if shortnames:
        seated = Assignment.objects.filter(course__shortname__in=shortnames, ended_at=None).values("person")
        enrolled = Q(person__enrolments__course__shortname__in=shortnames)
        rows = rows.filter(Q(person__in=seated) | enrolled).distinct()
    found: list[Finding] = []
    seen = False
    for part in cut(list(rows.order_by("person__email_key")), LOGINS):
        addresses = platform.addresses([row.person_id for row in part])
        for row, address in zip(part, addresses, strict=True):
            seen = seen or address is not None
            found += _difference(row, address)
    for finding in found:
        if not seen:
            # A service user who may see nobody is told the same as if everybody were gone.
            finding.repair, finding.note = "", BLIND
        yield finding


def run_repair_logins(
    platform: CoursePlatform, findings: Sequence[Finding], repairs: Collection[Repair]
) -> None:
    """Forget logins that are gone, so that they are found or made anew; take over addresses where that harms nobody.

    Each mended one is `done`, and each of the others says why not. Raises PlatformAway.
    """
    gone = [one for one in findings if one.repair == Repair.LOGINS and Repair.LOGINS in repairs]
    for part in cut(gone, LOGINS):
        PlatformLogin.objects.filter(pk__in=[one.key.pk for one in part]).delete()
        outcomes = platform.ensure_logins([one.key.person_id for one in part])
        for one, outcome in zip(part, outcomes, strict=True):
            one.done, one.note = outcome.ok, outcome.code or ("" if outcome.ok else "no answer")
    for one in findings:
        if one.repair == Repair.ADDRESSES and Repair.ADDRESSES in repairs:
            obstacle = move_person(person_id=one.key.person_id, email=one.platform)
            one.done, one.note = not obstacle, WHY_NOT.get(obstacle, "")


def _difference(row: PlatformLogin, address: str | None) -> list[Finding]:
    if address is None:
        return [
            Finding(
                "login", row.person.email, platform="gone", ours=row.username, repair=Repair.LOGINS, key=row
            )
        ]
    if not address or email_key(address) == row.person.email_key:
        return []
    return [
        Finding(
            "address",
            row.person.email,
            platform=address,
            ours=row.person.email,
            repair=Repair.ADDRESSES if row.is_ours else "",
            note="" if row.is_ours else NOT_OURS,
            key=row,
        )
    ]
