"""What jobs are about, in an operator's words: many at a time, with a constant number of queries for each kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.models import Job
from courses.models import CourseSpace, ProductEvent, SpaceChange
from seats.models import AssignmentBatch, SeatChange, Session


@dataclass(frozen=True, slots=True)
class Subject:
    """What a piece of work is about: in words, for which organisation, and where staff find more."""

    text: str
    account: str = ""
    url: str = ""


Subjects = dict[int, Subject]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: what it does, and what finds its subjects by their ids."""

    label: str | Promise
    find: Callable[[Collection[int]], Subjects]


def subjects_of(jobs: Iterable[Job]) -> Mapping[int, Subject]:
    """The subject of each job, by the job's id. One that is gone, or of a kind without words, is a number."""
    by_kind: dict[str, dict[int, int]] = defaultdict(dict)
    for job in jobs:
        by_kind[job.kind][job.pk] = job.object_id
    found: dict[int, Subject] = {}
    for kind, ids in by_kind.items():
        known = KINDS[kind].find(ids.values()) if kind in KINDS else {}
        found |= {
            pk: known.get(number, Subject(_("no. %(number)d") % {"number": number}))
            for pk, number in ids.items()
        }
    return found


def kind_label(kind: str) -> str:
    """What jobs of this kind do; the kind itself when nobody has said."""
    return str(KINDS[kind].label) if kind in KINDS else kind


def _lists(ids: Collection[int]) -> Subjects:
    found = AssignmentBatch.objects.filter(pk__in=ids).select_related("account", "course")
    return {
        one.pk: Subject(
            ngettext("%(count)d person for %(course)s", "%(count)d people for %(course)s", one.size)
            % {"count": one.size, "course": one.course.shortname},
            one.account.name,
            reverse("admin:seats_assignmentbatch_change", args=[one.pk]),
        )
        for one in found
    }


def _seats(ids: Collection[int]) -> Subjects:
    """Of changes of mind: the seat."""
    found = SeatChange.objects.filter(pk__in=ids).select_related("account", "seat")
    return {
        one.pk: Subject(
            one.seat.reference, one.account.name, reverse("admin:seats_seat_change", args=[one.seat_id])
        )
        for one in found
    }


def _spaces(ids: Collection[int]) -> Subjects:
    """Of people put into a space or taken out of it: the space."""
    found = SpaceChange.objects.filter(pk__in=ids).select_related("space__account")
    return {
        one.pk: Subject(
            one.space.reference,
            one.space.account.name,
            reverse("admin:courses_coursespace_change", args=[one.space_id]),
        )
        for one in found
    }


def _site(ids: Collection[int]) -> Subjects:
    return dict.fromkeys(ids, Subject(_("All courses"), "", reverse("admin:courses_course_changelist")))


def _products(ids: Collection[int]) -> Subjects:
    """Of what happened to products: the product."""
    references = dict(ProductEvent.objects.filter(pk__in=ids).values_list("pk", "reference"))
    named = references.values()
    places = dict.fromkeys(named, "admin:seats_seat_changelist")
    places |= _placed(
        Session.objects.filter(reference__in=named).values_list("reference", flat=True), "seats_session"
    )
    places |= _placed(
        CourseSpace.objects.filter(reference__in=named).values_list("reference", flat=True),
        "courses_coursespace",
    )
    return {
        pk: Subject(reference, "", f"{reverse(places[reference])}?{urlencode({'q': reference})}")
        for pk, reference in references.items()
    }


def _placed(references: Iterable[str], table: str) -> dict[str, str]:
    return dict.fromkeys(references, f"admin:{table}_changelist")


KINDS: dict[str, Kind] = {
    "seats.plan": Kind(gettext_lazy("Checking a list of people"), _lists),
    "seats.apply": Kind(gettext_lazy("Giving the seats of a list"), _lists),
    "seats.change": Kind(gettext_lazy("Taking a seat back, or giving it to somebody else"), _seats),
    "seats.hold": Kind(gettext_lazy("Telling the platform of a new end or a withdrawal"), _products),
    "courses.hold_space": Kind(gettext_lazy("Closing or opening a course space"), _products),
    "courses.sync": Kind(gettext_lazy("Reading the courses of the platform"), _site),
    "portal.space_change": Kind(
        gettext_lazy("Letting people into a course space, or taking them out"), _spaces
    ),
}
