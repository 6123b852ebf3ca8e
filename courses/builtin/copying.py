"""Making built-in courses from templates, and bringing backups back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Person
from common.emailkey import email_key
from courses.builtin import content
from courses.builtin.content import Document, UnreadableBackup
from courses.models import Backup, Course, CourseCategory, Enrolment, GroupMode, PageDone
from courses.platform import (
    OK,
    Copied,
    CourseCopy,
    CourseRestore,
    EnrolmentRow,
    GroupRow,
    Outcome,
    Refusal,
    TemplateProblem,
    refused,
)

Enrol = Callable[[Sequence[EnrolmentRow]], list[Outcome]]
Put = Callable[[Sequence[GroupRow]], list[Outcome]]


def newest_backup(template_id: int) -> Backup | None:
    """The newest backup of a course without user data: what course spaces are made from. One query."""
    return Backup.objects.filter(course=template_id, with_users=False).first()


def problems_of(shortname: str) -> tuple[TemplateProblem, ...]:
    """Why no course can be made from this template. Two queries."""
    course = Course.objects.filter(shortname=shortname).first()
    if course is None:
        return (TemplateProblem.UNKNOWN,)
    problems = [] if course.is_template else [TemplateProblem.UNMARKED]
    backup = newest_backup(course.pk)
    if backup is None:
        problems.append(TemplateProblem.NO_BACKUP)
    elif not backup.file.storage.exists(backup.file.name or ""):
        problems.append(TemplateProblem.LOST_BACKUP)
    return tuple(problems)


def copy(copies: Sequence[CourseCopy]) -> list[Copied]:
    """Make these courses, or find them made (see `CoursePlatform.copy_courses`)."""
    with transaction.atomic(savepoint=False):
        # Whoever copies into the same category waits here: of two workers at one order line the second finds what
        # the first has made, and every course that is inserted below is ours to fill.
        wanted = CourseCategory.objects.filter(pk__in={one.category_id for one in copies})
        categories = set(wanted.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        known = _by_key(copies)
        missing = {one.key: one for one in copies if one.key not in known}
        documents = _documents({one.template_id for one in missing.values() if one.template_id})
        refusals = {key: _refusal(one, categories, documents) for key, one in missing.items()}
        going = [one for key, one in missing.items() if refusals[key] is None]
        Course.objects.bulk_create([_course(one, documents) for one in going], ignore_conflicts=True)
        made = _by_key(going)
        for template_id, document in documents.items():
            ours = [made[one.key] for one in going if one.template_id == template_id and one.key in made]
            if document is not None:
                content.fill(ours, document)
    return [_copied(one, known | made, refusals) for one in copies]


def _copied(one: CourseCopy, courses: dict[str, int], refusals: dict[str, Refusal | None]) -> Copied:
    if one.key in courses:
        return Copied(OK, courses[one.key])
    return Copied(refused(refusals.get(one.key) or Refusal.NAME_TAKEN))


def _by_key(copies: Sequence[CourseCopy]) -> dict[str, int]:
    found = Course.objects.filter(copy_key__in={one.key for one in copies})
    return {key: pk for key, pk in found.values_list("copy_key", "pk") if key is not None}


def _documents(template_ids: set[int]) -> dict[int, Document | None]:
    """The newest backup without user data of each template; none where there is none that can be read."""
    existing = set(Course.objects.filter(pk__in=template_ids).values_list("pk", flat=True))
    documents: dict[int, Document | None] = {}
    for template_id in sorted(existing):
        backup = newest_backup(template_id)
        try:
            documents[template_id] = content.read(backup) if backup else None
        except UnreadableBackup:
            documents[template_id] = None
    return documents


def _refusal(one: CourseCopy, categories: set[int], documents: dict[int, Document | None]) -> Refusal | None:
    if one.category_id not in categories:
        return Refusal.UNKNOWN_CATEGORY
    if one.template_id is not None and one.template_id not in documents:
        return Refusal.UNKNOWN_TEMPLATE
    if one.template_id is not None and documents[one.template_id] is None:
        return Refusal.NO_BACKUP
    try:
        _course(one, documents).clean_fields(exclude=["category"])
    except ValidationError:
        return Refusal.BAD_NAME
    return None


def _course(one: CourseCopy, documents: dict[int, Document | None]) -> Course:
    document = documents.get(one.template_id) if one.template_id is not None else None
    then = document["course"] if document is not None else {"summary": "", "groups": GroupMode.NONE}
    return Course(
        shortname=one.shortname,
        fullname=one.fullname,
        summary=then["summary"],
        groups_mode=then["groups"],
        category_id=one.category_id,
        is_space=True,
        copy_key=one.key,
    )


# --- bringing back --------------------------------------------------------------------------------


def restore(one: CourseRestore, *, enrol: Enrol, put: Put) -> Outcome:
    """Bring one backup back (see `CoursePlatform.restore_courses`)."""
    backup = Backup.objects.select_related("course").filter(pk=one.backup_id).first()
    if backup is None:
        return refused(Refusal.UNKNOWN_BACKUP)
    try:
        document = content.read(backup)
    except UnreadableBackup:
        return refused(Refusal.NO_BACKUP)
    course = backup.course
    with transaction.atomic(savepoint=False):
        Course.objects.select_for_update(no_key=True).get(pk=course.pk)
        course.summary = document["course"]["summary"]
        course.save(update_fields=["summary"])
        pages = content.replace_pages(course, document)
        if one.with_users:
            _bring_people(course, document, pages, among=one.among, enrol=enrol, put=put)
    return OK


def _bring_people(
    course: Course,
    document: Document,
    pages: dict[int, int],
    *,
    among: frozenset[int] | None,
    enrol: Enrol,
    put: Put,
) -> None:
    now = timezone.now()
    told = {email_key(person["email"]): person for person in document.get("people", ())}
    known = dict(Person.objects.filter(email_key__in=told, is_active=True).values_list("pk", "email_key"))
    then = {pk: told[key] for pk, key in known.items() if among is None or pk in among}
    holding = set(
        Enrolment.objects.holding(now=now)
        .filter(course=course, person__in=then)
        .values_list("person_id", flat=True)
    )
    rows = [
        EnrolmentRow(course.pk, pk, one["role"], datetime.fromisoformat(one["starts"]), ends)
        for pk, one in then.items()
        if pk not in holding and not one["suspended"]
        if (ends := content.instant(one["ends"])) is None or ends > now
    ]
    back = {row.person_id for row, outcome in zip(rows, enrol(rows), strict=True) if outcome.ok}
    put([GroupRow(course.pk, name, pk) for pk in back for name in then[pk]["groups"]])
    opened = [
        Enrolment(pk=pk, opened_at=content.instant(then[person_id]["opened"]))
        for pk, person_id in Enrolment.objects.filter(course=course, person__in=back).values_list(
            "pk", "person_id"
        )
    ]
    Enrolment.objects.bulk_update(opened, ["opened_at"])
    PageDone.objects.bulk_create(
        [
            PageDone(page_id=pages[page_id], person_id=pk)
            for pk in sorted(back | holding)
            for page_id in then[pk]["done"]
            if page_id in pages
        ],
        ignore_conflicts=True,
    )
