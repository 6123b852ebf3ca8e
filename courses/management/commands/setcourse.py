"""Make or change a course of the built-in platform."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from common import audit
from common.commands import JsonCommand
from courses.models import GroupMode
from courses.platforms import get_platform
from courses.selectors import course_documents
from courses.services import set_course


class Command(JsonCommand):
    help = "Make or change a course of the built-in platform."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shortname")
        parser.add_argument("--fullname", required=True)
        parser.add_argument("--category", default="", help="Found by name, or made.")
        parser.add_argument("--groups", choices=GroupMode.values)
        parser.add_argument("--hidden", action="store_true", help="Not shown to participants.")
        parser.add_argument("--template", action="store_true", help="Course spaces are made from it.")
        parser.add_argument("--support", action="store_true", help="A course in which customers get help.")
        parser.add_argument("--not-for-seats", action="store_true", help="Never covered by unassigned seats.")

    def handle(self, *args: Any, **options: Any) -> None:
        if get_platform().is_remote:
            self.refuse("shortname", "courses are made on the remote platform; then run synccourses.")
        try:
            course = set_course(
                shortname=options["shortname"],
                fullname=options["fullname"],
                category=options["category"],
                groups=options["groups"] or "",
                hidden=options["hidden"],
                is_template=options["template"],
                is_support=options["support"],
                not_for_seats=options["not_for_seats"],
                actor=audit.OPERATOR,
            )
        except ValidationError as error:
            key, messages = next(iter(error.message_dict.items()))
            self.refuse("category" if key == "name" else key, " ".join(messages))
        document = course_documents([course.pk])[0]
        openness = "open" if document["open"] else "not open to unassigned seats"
        self.emit(
            document,
            f"{document['shortname']}: {document['fullname']} "
            f"(category {document['category_id']} {document['category']}, {openness}, "
            f"groups: {document['groups']})",
        )
