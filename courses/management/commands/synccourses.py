"""Refresh the list of courses from the platform, and print it."""

from __future__ import annotations

from typing import Any

from common.commands import JsonCommand
from courses.platform import PlatformAway
from courses.selectors import course_documents
from courses.services.syncing import run_sync_courses


class Command(JsonCommand):
    """The courses that are there, as `setcourse` prints one, then those that cannot be used.

    What somebody should know of a course is its `problem`: a key that other courses have not.
    """

    help = "Refresh the list of courses from the platform; the built-in one has nothing to fetch."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = run_sync_courses()
        except PlatformAway as error:
            self.fail(str(error))
        documents = course_documents(done.course_ids)
        rows = {document["shortname"]: document for document in documents}
        for finding in done.findings:
            named = rows.get(finding.shortname)
            if named is not None and finding.code not in ("name_twice", "missing"):
                named["problem"] = finding.message
            else:
                documents.append(
                    {
                        "shortname": finding.shortname,
                        "remote_id": finding.remote_id,
                        "problem": finding.message,
                    }
                )
        self.emit(documents, [_line(document) for document in documents])


def _line(document: dict[str, Any]) -> str:
    words = [document[key] for key in ("fullname", "problem") if key in document]
    return f"{document['shortname']}: {'. '.join(words)}"
