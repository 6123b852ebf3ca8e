"""Our record of what Moodle has confirmed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from courses.models import Enrolment
from courses.platform import EnrolmentRow, Pair

ASKED = Q(waits=True, status=Enrolment.Status.SUSPENDED)
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


def reserve(rows: Sequence[EnrolmentRow], before: Mapping[Pair, Enrolment], *, now: datetime) -> None:
    """Note that Moodle is about to be asked to let these people in, where our record does not say that they are.

    Who is found active there while this stands may be so by a call of ours that was never answered: he is asked for
    again, instead of being taken for somebody who was there before. Such a row is suspended and waits; of a row that
    was there only that changes.
    """
    wanted = {(row.course_id, row.person_id): row for row in rows if not row.suspended}
    new = [wanted[pair] for pair in sorted(wanted) if pair not in before]
    over = [
        row.pk
        for pair, row in before.items()
        if pair in wanted and not is_running(row, now) and not row.waits
    ]
    if over:
        Enrolment.objects.filter(pk__in=over).update(status=Enrolment.Status.SUSPENDED, waits=True)
    for row in (asked := [_enrolment(replace(row, suspended=True)) for row in new]):
        row.waits = True
    Enrolment.objects.bulk_create(asked, ignore_conflicts=True)


def release(pairs: Iterable[Pair], before: Mapping[Pair, Enrolment]) -> None:
    """Moodle has refused these people: what `reserve` has noted of them is void."""
    asked = Enrolment.objects.filter(among(pairs), ASKED)
    asked.exclude(pk__in=[row.pk for row in before.values()]).delete()
    asked.update(waits=False)


def is_running(row: Enrolment, now: datetime) -> bool:
    """Whether our record says that the person is let in, at once or later."""
    return row.status == Enrolment.Status.ACTIVE and (row.ends_at is None or row.ends_at > now)


def was_asked(row: Enrolment) -> bool:
    """Whether `reserve` has noted this, and nothing came of it yet."""
    return row.waits and row.status == Enrolment.Status.SUSPENDED


def record(rows: Sequence[EnrolmentRow], *, wishes: Collection[Pair] = ()) -> None:
    """Keep these rows, at most one for each pair. A wish that says something else stays a wish: Moodle was told of an
    older one.

    `wishes`: whose row was a wish when Moodle was asked; if it is suspended by now that is a newer one, and not what
    `reserve` has noted.
    """
    if not rows:
        return
    wanted = {(row.course_id, row.person_id): row for row in rows}
    with transaction.atomic():
        waiting = Enrolment.objects.select_for_update(no_key=True).filter(among(wanted), waits=True)
        for wish in waiting.exclude(ASKED & ~among(wishes)).order_by("pk"):
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
