"""Make a backup of a course of the built-in platform."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common import audit
from common.commands import JsonCommand
from common.zone import iso
from courses.models import Course
from courses.platforms import get_platform
from courses.services import make_backup


class Command(JsonCommand):
    help = "Make a backup of a course. Course spaces are made from the newest one without user data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shortname")
        parser.add_argument("--with-users", action="store_true", help="Its people and their marks too.")

    def handle(self, *args: Any, **options: Any) -> None:
        if get_platform().is_remote:
            self.refuse("shortname", "backups of its courses are made on the remote platform.")
        course = Course.objects.filter(shortname=options["shortname"]).first()
        if course is None:
            self.refuse("shortname", f"there is no course “{options['shortname']}”.")
        backup = make_backup(course_id=course.pk, with_users=options["with_users"], actor=audit.OPERATOR)
        document = {
            "course": course.shortname,
            "created": backup.created_at,
            "with_users": backup.with_users,
        }
        people = f"{backup.people} people" if backup.with_users else "without user data"
        self.emit(document, f"{course.shortname}: {iso(backup.created_at)}, {backup.pages} pages, {people}")
