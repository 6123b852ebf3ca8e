"""Our record of what Moodle has confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q

from courses.models import Enrolment
from courses.platform import EnrolmentRow, Pair

VALUES = ("role", "status", "starts_at", "ends_at")


def among(pairs: Iterable[Pair]) -> Q:
    """Exactly these pairs of enrolments; no pair: nobody."""
    people: dict[int, set[int]] = {}
    for course_id, person_id in pairs:
        people.setdefault(course_id, set()).add(person_id)
    found = Q(pk__in=())
    for course_id, persons in people.items():
        found |= Q(course=course_id, person__in=persons)
    return found


def record(rows: Sequence[EnrolmentRow]) -> None:
    """Keep these rows, at most one for each pair. A wish that says something else stays a wish: Moodle was told of an
    older one.
    """
    if not rows:
        return
    wanted = {(row.course_id, row.person_id): row for row in rows}
    with transaction.atomic():
        wishes = Enrolment.objects.select_for_update(no_key=True).filter(among(wanted), waits=True)
        for wish in wishes.order_by("pk"):
            told = _enrolment(wanted[wish.course_id, wish.person_id])
            if any(getattr(wish, name) != getattr(told, name) for name in VALUES):
                del wanted[wish.course_id, wish.person_id]
        Enrolment.objects.bulk_create(
            [_enrolment(wanted[pair]) for pair in sorted(wanted)],
            update_conflicts=True,
            unique_fields=["course", "person"],
            update_fields=[*VALUES, "waits"],
        )


def _enrolment(row: EnrolmentRow) -> Enrolment:
    return Enrolment(
        course_id=row.course_id,
        person_id=row.person_id,
        role=row.role,
        status=Enrolment.Status.SUSPENDED if row.suspended else Enrolment.Status.ACTIVE,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
