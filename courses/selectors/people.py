"""Whom a person of a course sees there.

With separate groups only people who share a group see each other, tutors included: sessions of different customers
are strangers. Who edits the course sees everybody. Nobody shows before he has been in the course himself, so that
putting an address into a course tells nothing about its owner (DESIGN section 8).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from courses.builtin.roles import EDITORS
from courses.models import Enrolment, EnrolmentQuerySet, GroupMember, GroupMode


def visible_people(
    viewer: Enrolment, *, my_groups_only: bool = False, now: datetime | None = None
) -> EnrolmentQuerySet:
    """Enrolments of the people a person sees, himself included; the viewer's course must be loaded.

    With `my_groups_only` also where groups are not separate. `person` is loaded with each row.
    """
    now = now or timezone.now()
    people = Enrolment.objects.holding(now=now).filter(course=viewer.course_id, starts_at__lte=now)
    separate = viewer.course.groups_mode == GroupMode.SEPARATE and viewer.role not in EDITORS
    if separate or my_groups_only:
        mine = GroupMember.objects.filter(group__course=viewer.course_id, person=viewer.person_id)
        partners = GroupMember.objects.filter(group__in=mine.values("group")).values("person")
        people = people.filter(Q(person__in=partners) | Q(person=viewer.person_id))
    return people.select_related("person").order_by("person__last_name", "person__first_name", "person_id")


def named(people: EnrolmentQuerySet, *, viewer: Enrolment) -> EnrolmentQuerySet:
    """Those of them whose names may be shown: who has been in the course, and the viewer himself."""
    return people.filter(Q(opened_at__gte=F("starts_at")) | Q(person=viewer.person_id))


def group_names(viewer: Enrolment, person_ids: Collection[int]) -> dict[int, list[str]]:
    """The groups of these people that the viewer may know about, by person; the viewer's course must be loaded.

    With separate groups these are the groups he shares: the name of another group tells of another customer.
    """
    memberships = GroupMember.objects.filter(group__course=viewer.course_id, person__in=person_ids)
    if viewer.course.groups_mode == GroupMode.SEPARATE and viewer.role not in EDITORS:
        mine = GroupMember.objects.filter(group__course=viewer.course_id, person=viewer.person_id)
        memberships = memberships.filter(group__in=mine.values("group"))
    names: dict[int, list[str]] = {}
    for person_id, name in memberships.order_by("group__name").values_list("person_id", "group__name"):
        names.setdefault(person_id, []).append(name)
    return names
