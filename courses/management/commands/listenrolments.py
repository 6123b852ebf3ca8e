"""Everybody in a course, as the platform tells it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import JsonCommand
from courses.platforms import get_platform


class Command(JsonCommand):
    help = "Everybody in a course, as the platform tells it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", help="The exact short name.")

    def handle(self, *args: Any, **options: Any) -> None:
        platform = get_platform()
        course = platform.courses([options["course"]])[0]
        if course is None or course.course_id is None:
            self.refuse("course", f"there is no course “{options['course']}”.")
        documents = [
            {
                "email": enrolled.email,
                "role": enrolled.role,
                "status": enrolled.status,
                "reason": enrolled.reason,
                "starts": enrolled.starts_at,
                "ends": enrolled.ends_at,
                "groups": list(enrolled.groups),
            }
            for enrolled in platform.enrolments([course.course_id])[0]
        ]
        self.emit(documents, [_line(document) for document in documents])


def _line(document: dict[str, Any]) -> str:
    state = document["reason"] or document["status"]
    groups = ", ".join(document["groups"])
    return f"{document['email']}  {document['role']}  {state}" + (f"  [{groups}]" if groups else "")
