"""`manage.py reconcile`: where the course platform and our rows differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandParser

from common.audit import OPERATOR
from common.commands import JsonCommand
from courses.models import Course
from courses.platform import PlatformAway
from portal.services.findings import Finding, Repair
from portal.services.reconcile import run_reconcile


class Command(JsonCommand):
    help = (
        "Compare the course platform with our rows: seats without enrolment, enrolments that somebody ended there, "
        "logins that are gone or have another address. Changes nothing, unless --repair says what is to be mended."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "course", nargs="*", metavar="COURSE", help="Short names; none means all courses."
        )
        parser.add_argument(
            "--repair",
            default="",
            metavar="WHAT",
            help=(
                "Comma separated: logins (gone ones are made again), enrolments (people who are missing are enrolled "
                "again), seats (people who were suspended there are let in again), addresses (of logins that nobody "
                "has used yet)."
            ),
        )
        parser.add_argument(
            "--accept",
            action="store_true",
            help="With seats: end here what was ended there, so that the seats are free again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        repairs = self._repairs(options["repair"])
        if options["accept"] and Repair.SEATS not in repairs:
            self.refuse("accept", "it says what --repair seats does, which is not asked for.")
        self._check_courses(options["course"])
        try:
            findings = run_reconcile(
                repairs=repairs, accept=options["accept"], shortnames=options["course"], actor=OPERATOR
            )
        except PlatformAway as error:
            self.fail(f"The course platform is away: {error}")
        self.emit([finding.as_json() for finding in findings], _lines(findings))

    def _repairs(self, text: str) -> set[Repair]:
        names = {name.strip() for name in text.split(",") if name.strip()}
        if strange := sorted(names - set(Repair)):
            self.refuse("repair", f"“{strange[0]}” is none of {', '.join(Repair)}.")
        return {Repair(name) for name in names}

    def _check_courses(self, shortnames: Sequence[str]) -> None:
        known = set(Course.objects.filter(shortname__in=shortnames).values_list("shortname", flat=True))
        if unknown := [name for name in shortnames if name not in known]:
            self.refuse("course", f"there is no course {unknown[0]}.")


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings as text, then how many of each there are."""
    if not findings:
        yield "The course platform and our rows agree."
        return
    for one in findings:
        place = " ".join(filter(None, (one.seat or one.space, one.course)))
        mended = "repaired" if one.done else f"--repair {one.repair}" if one.repair else "for you to judge"
        text = f"{one.kind}: {' in '.join(filter(None, (one.email, place)))}: {one.platform} there, {one.ours} here: {mended}"
        yield f"{text}, {one.note}" if one.note else text
    counts = Counter(one.kind for one in findings)
    yield ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
