"""Backups of built-in courses: made, brought back, thrown away."""

from __future__ import annotations

from collections.abc import Collection

from django.core.files.base import ContentFile
from django.db import transaction

from common import audit
from common.audit import Actor
from courses.builtin import content
from courses.models import Backup, Course
from courses.platform import CourseRestore, Refusal
from courses.platforms import get_platform


class BackupLost(Exception):
    """The file of a backup is gone or damaged; nothing was changed."""


def make_backup(*, course_id: int, with_users: bool, actor: Actor) -> Backup:
    """Keep what is in a course now: its pages, and `with_users` also its people, groups and marks.

    Raises Course.DoesNotExist.
    """
    with transaction.atomic():
        # Nobody changes a page while it is read.
        course = Course.objects.select_for_update(no_key=True).get(pk=course_id)
        document = content.describe(course, with_users=with_users)
        backup = Backup(
            course=course,
            created_by=actor.label,
            with_users=with_users,
            pages=len(document["pages"]),
            people=len(document.get("people", ())),
        )
        # The file comes first: a row without its file would be a promise that cannot be kept.
        backup.file.save("", ContentFile(content.write(document)), save=False)
        backup.save()
        audit.record(
            actor=actor,
            verb="course.backup",
            object=f"backup:{backup.pk}",
            scope=f"course:{course_id}",
            counts={"pages": backup.pages, "people": backup.people},
        )
    return backup


def restore_backup(
    *, backup_id: int, actor: Actor, with_users: bool = False, among: Collection[int] | None = None
) -> Backup:
    """Bring a backup back into its course; returns a backup of what was there before, so that it can be undone.

    The pages become those of then. People come along only `with_users`; `among` says which ones may (their ids).
    The backup of before has user data: marks on pages that go would be lost else, and no template sells it.
    Raises Backup.DoesNotExist, and BackupLost when its file is gone: then nothing was changed.
    """
    backup = Backup.objects.get(pk=backup_id)
    with transaction.atomic():
        before = make_backup(course_id=backup.course_id, with_users=True, actor=actor)
        wanted = CourseRestore(
            backup.pk,
            with_users=with_users and backup.with_users,
            among=None if among is None else frozenset(among),
        )
        [outcome] = get_platform().restore_courses([wanted])
        if outcome.code == Refusal.UNKNOWN_BACKUP:
            raise Backup.DoesNotExist
        if not outcome.ok:
            raise BackupLost(str(backup))
        audit.record(
            actor=actor,
            verb="course.restore",
            object=f"backup:{backup.pk}",
            scope=f"course:{backup.course_id}",
        )
    return before


def delete_backup(*, backup_id: int, actor: Actor) -> None:
    """Throw a backup away, with its file. Does nothing when it is gone already."""
    with transaction.atomic():
        backup = Backup.objects.filter(pk=backup_id).first()
        if backup is None:
            return
        audit.record(
            actor=actor,
            verb="course.backup.delete",
            object=f"backup:{backup.pk}",
            scope=f"course:{backup.course_id}",
        )
        storage, name = backup.file.storage, backup.file.name or ""
        backup.delete()
        transaction.on_commit(lambda: storage.delete(name))
