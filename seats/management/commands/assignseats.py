"""Give seats to the people of a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.audit import OPERATOR
from common.listing import MAX_BYTES, ListError, PeopleList, read_list
from courses.platform import PlatformAway
from seats.management.seatdocs import SeatCommand
from seats.models import Assignment, AssignmentBatch, AssignmentRow
from seats.selectors import batch_totals
from seats.services import apply_here, create_list, plan
from seats.wording import row_message


class Command(SeatCommand):
    help = (
        "Give seats of an account to the people of a list (CSV or XLSX). With --dry-run: what would happen."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="SLUG")
        parser.add_argument("--course", required=True, metavar="SHORTNAME")
        parser.add_argument("--file", required=True, type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Only plan; nothing is kept.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = self.account(options["account"])
        course = self.course(options["course"])
        people = self._people(options["file"])
        batch = create_list(account_id=account.pk, course_id=course.pk, people=people, actor=OPERATOR)
        try:
            if batch.state == AssignmentBatch.State.PLANNING:
                plan(batch_id=batch.pk)
        except PlatformAway as why:
            batch.delete()
            self.fail(f"the course platform does not answer, nothing was changed: {why}")
        if options["dry_run"]:
            try:
                document = _document(course.shortname, batch)
            finally:
                batch.delete()
        else:
            if not apply_here(batch_id=batch.pk, actor=OPERATOR):
                self.stderr.write("The rest waits for the course platform and goes on by itself.")
            document = _document(course.shortname, batch)
        self.emit(document, _lines(document))

    def _people(self, path: Path) -> PeopleList:
        try:
            # One byte more than allowed is enough to see that it is too large.
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            return read_list(data, filename=path.name)
        except OSError as error:
            self.refuse("file", f"{path}: {error.strerror or error}.")
        except ListError as error:
            self.refuse("file", str(error))


def _document(shortname: str, batch: AssignmentBatch) -> dict[str, Any]:
    totals = batch_totals(batch.pk)
    return {
        "course": shortname,
        "rows": [_row(row) for row in batch.rows.select_related("assignment__seat")],
        "totals": totals.verdicts | {"seats_used": totals.seats_used, "free_left": totals.free_left},
    }


def _row(row: AssignmentRow) -> dict[str, Any]:
    verdict = row.verdict or row.planned_verdict
    assignment: Assignment | None = getattr(row, "assignment", None)
    return {
        "row": row.position,
        "email": row.email,
        "verdict": verdict,
        "outcome": row.outcome or None,
        "seat": assignment.seat.reference if assignment else None,
        "message": row_message(verdict, row.detail, row.problems),
    }


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [
        f"{row['row']}  {row['email']}  {row['verdict']}  {row['outcome'] or ''}  {row['seat'] or ''}".rstrip()
        for row in document["rows"]
    ]
    return [*lines, ", ".join(f"{name}: {number}" for name, number in document["totals"].items() if number)]
