"""Refresh the list of courses from the platform, and print it."""

from __future__ import annotations

from typing import Any

from common.commands import JsonCommand
from courses.platforms import get_platform
from courses.selectors import course_documents


class Command(JsonCommand):
    help = "Refresh the list of courses from the platform; the built-in one has nothing to fetch."

    def handle(self, *args: Any, **options: Any) -> None:
        known = [course.course_id for course in get_platform().all_courses() if course.course_id is not None]
        documents = course_documents(known)
        self.emit(documents, [f"{document['shortname']}: {document['fullname']}" for document in documents])
