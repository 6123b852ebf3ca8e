"""What a backup of a built-in course holds: one JSON document.

`{"format": 1, "course": {"shortname", "fullname", "summary", "groups"}, "pages": [{"id", "title", "body"}],
"people": [{"email", "role", "suspended", "starts", "ends", "opened", "groups": [name], "done": [page id]}]}`;
instants are ISO 8601, and `people` is only there when the backup was made with user data.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from common.zone import iso
from courses.models import Backup, Course, Enrolment, GroupMember, Page, PageDone

FORMAT = 1
Document = Mapping[str, Any]


class UnreadableBackup(Exception):
    """The file of a backup is gone, or is not what we wrote."""


def describe(course: Course, *, with_users: bool) -> dict[str, Any]:
    """The document of a course as it is now. One query, four with user data."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "course": {
            "shortname": course.shortname,
            "fullname": course.fullname,
            "summary": course.summary,
            "groups": course.groups_mode,
        },
        "pages": [
            {"id": page.pk, "title": page.title, "body": page.body}
            for page in Page.objects.filter(course=course)
        ],
    }
    if with_users:
        document["people"] = _people(course)
    return document


def write(document: Document) -> bytes:
    """The document as the bytes of a file."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def read(backup: Backup) -> dict[str, Any]:
    """The document of a backup. Raises UnreadableBackup."""
    try:
        with backup.file.open("rb") as stream:
            document: dict[str, Any] = json.loads(stream.read())
    except (OSError, ValueError) as error:
        raise UnreadableBackup(str(backup)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UnreadableBackup(str(backup))
    return document


def fill(course_ids: Collection[int], document: Document) -> None:
    """Write the pages of a document into empty courses. One statement."""
    Page.objects.bulk_create(
        [
            Page(course_id=course_id, position=position, title=page["title"], body=page["body"])
            for course_id in course_ids
            for position, page in enumerate(document["pages"], start=1)
        ],
        batch_size=500,
    )


def replace_pages(course: Course, document: Document) -> dict[int, int]:
    """Make the pages of a course be those of a document; returns the ids of then by those of now.

    A page that is still there is changed in place, so that the marks of participants on it stay.
    """
    present = {page.pk: page for page in Page.objects.filter(course=course)}
    now_of: dict[int, int] = {}
    kept: list[Page] = []
    for position, then in enumerate(document["pages"], start=1):
        page = present.pop(then["id"], None)
        if page is None:
            page = Page.objects.create(
                course=course, position=position, title=then["title"], body=then["body"]
            )
        else:
            page.position, page.title, page.body = position, then["title"], then["body"]
            kept.append(page)
        now_of[then["id"]] = page.pk
    for page in kept:
        page.save()  # one by one: `updated_at` tells whoever is editing it that it has changed
    Page.objects.filter(pk__in=list(present)).delete()
    return now_of


def _people(course: Course) -> list[dict[str, Any]]:
    groups: dict[int, list[str]] = {}
    members = GroupMember.objects.filter(group__course=course).order_by("group__name")
    for person_id, name in members.values_list("person_id", "group__name"):
        groups.setdefault(person_id, []).append(name)
    done: dict[int, list[int]] = {}
    marks = PageDone.objects.filter(page__course=course).order_by("page_id")
    for person_id, page_id in marks.values_list("person_id", "page_id"):
        done.setdefault(person_id, []).append(page_id)
    rows = Enrolment.objects.filter(course=course).select_related("person").order_by("person__email_key")
    return [
        {
            "email": row.person.email,
            "role": row.role,
            "suspended": row.status == Enrolment.Status.SUSPENDED,
            "starts": iso(row.starts_at),
            "ends": iso(row.ends_at),
            "opened": iso(row.opened_at),
            "groups": groups.get(row.person_id, []),
            "done": done.get(row.person_id, []),
        }
        for row in rows
    ]


def instant(text: str | None) -> datetime | None:
    """An instant of a document."""
    return None if text is None else datetime.fromisoformat(text)
