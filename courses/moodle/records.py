"""What Moodle was asked and has not answered yet, noted in our record of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from courses.models import Enrolment
from courses.platform import EnrolmentRow, Pair


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
    for row in (asked := [Enrolment.of(replace(row, suspended=True)) for row in new]):
        row.waits = True
    Enrolment.objects.bulk_create(asked, ignore_conflicts=True)


def release(pairs: Iterable[Pair], before: Mapping[Pair, Enrolment]) -> None:
    """Moodle has refused these people: what `reserve` has noted of them is void."""
    asked = Enrolment.objects.among(pairs).filter(waits=True)
    asked.exclude(pk__in=[row.pk for row in before.values()]).delete()
    asked.update(waits=False)


def is_running(row: Enrolment, now: datetime) -> bool:
    """Whether our record says that the person is let in, at once or later."""
    return row.status == Enrolment.Status.ACTIVE and (row.ends_at is None or row.ends_at > now)
