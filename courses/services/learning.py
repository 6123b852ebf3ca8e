"""What participants do: open a course, mark pages as read."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from courses.models import Enrolment, PageDone


def open_course(
    *, person_id: int, course_id: int, since: datetime | None = None, now: datetime | None = None
) -> bool:
    """Record that the person is in the course; returns whether it is the first time in this enrolment.

    With `since` (when a seat was given) an opening before it counts for nothing either. Nothing is recorded for an
    enrolment that does not let him in. Reads before it writes: called at every view.
    """
    now = now or timezone.now()
    unopened = Q(opened_at=None) | Q(opened_at__lt=F("starts_at"))
    if since is not None:
        unopened |= Q(opened_at__lt=since)
    let_in = Enrolment.objects.holding(now=now).filter(
        person=person_id, course=course_id, starts_at__lte=now, course__visible=True, course__closed_at=None
    )
    pk = let_in.filter(unopened).values_list("pk", flat=True).first()
    if pk is None:
        return False
    return bool(Enrolment.objects.filter(unopened, pk=pk).update(opened_at=now))


def mark_page(*, person_id: int, page_id: int) -> bool:
    """Mark a page as read; returns whether it was not yet."""
    if PageDone.objects.filter(person=person_id, page=page_id).exists():
        return False
    PageDone.objects.bulk_create([PageDone(person_id=person_id, page_id=page_id)], ignore_conflicts=True)
    return True


def unmark_page(*, person_id: int, page_id: int) -> bool:
    """Take the mark back; returns whether there was one."""
    deleted, _ = PageDone.objects.filter(person=person_id, page=page_id).delete()
    return bool(deleted)
