"""Putting people into a course space, and taking them out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common.listing import PeopleList
from common.ratelimit import hit
from courses.models import CourseSpace, Enrolment
from courses.platforms import get_platform
from courses.selectors import on_their_way, space_line
from delegation.refusals import Refused
from delegation.selectors import PeoplePage, my_people
from portal.services.spaces import PutIn, let_in_again, put_into_space, take_out
from portal.views.spaces import SpaceRequest, actor, frame, is_open, space_required
from seats.forms import ListForm, PeopleRows, read_people
from seats.views.shared import as_page, asked_page

LISTS_PER_HOUR = 120  # of a space: whoever enters a list learns who is in the course already
KNOWN_PER_PAGE = 20
LONGEST_QUERY = 200
SHOWN_PROBLEMS = 10
PREFIX = "people"


@require_http_methods(["GET", "HEAD", "POST"])
@space_required
def add(request: SpaceRequest, space: CourseSpace) -> HttpResponse:
    """Choose among the organisation's people, or enter others; all of them come in, or nobody."""
    if not is_open(space):
        raise PermissionDenied
    form = ListForm(request.POST or None, request.FILES or None)
    rows = PeopleRows(request.POST if request.method == "POST" else None, prefix=PREFIX)
    if request.method == "POST":
        put = _put(request, space, form, rows)
        if put is not None:
            messages.success(request, _in_words(put))
            return redirect("portal:space", space.reference)
    context = {"form": form, "rows": rows, "line": space_line(space), **frame(request, space)}
    context |= _known(request, space) if context["may_read_people"] else {}
    return render(request, "portal/spaces/add.html", context)


def _put(request: SpaceRequest, space: CourseSpace, form: ListForm, rows: Any) -> PutIn | None:
    """Put in whom the page names; nothing when something is to be corrected first."""
    person_ids: set[int] = set()
    people: PeopleList | None = None
    rows.is_valid()
    is_valid = form.is_valid()
    if "known" in request.POST:
        person_ids = _chosen(request, space)
        if not person_ids:
            form.add_error(None, _("Nobody is chosen yet: tick the people to put into the course."))
    else:
        people = read_people(form, rows)
        _tell_problems(form, people)
    if not is_valid or form.errors:
        return None
    if not hit(f"space-people:{space.pk}", LISTS_PER_HOUR, 3600):
        form.add_error(None, _("That was many lists in an hour. Nothing was lost: go on a little later."))
        return None
    try:
        return put_into_space(
            space_id=space.pk,
            entries=people.rows if people else (),
            person_ids=person_ids,
            actor=actor(request),
            language=get_language() or "fr",
        )
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return None


def _chosen(request: SpaceRequest, space: CourseSpace) -> set[int]:
    """The people ticked; only who may read the organisation's people chooses among them."""
    if not frame(request, space)["may_read_people"]:
        raise PermissionDenied
    ticked = request.POST.getlist("person")[:KNOWN_PER_PAGE]
    return {int(value) for value in ticked if value.isdecimal() and len(value) < 19}


def _tell_problems(form: ListForm, people: PeopleList | None) -> None:
    """What is wrong in which row: there is no review here, so nothing happens before it is put right."""
    wrong = [entry for entry in (people.rows if people else ()) if entry.problems]
    for entry in wrong[:SHOWN_PROBLEMS]:
        message = _("Person %(row)d (%(email)s): %(problem)s") % {
            "row": entry.row,
            "email": entry.email[:80] or "–",
            "problem": entry.problems[0].message,
        }
        form.add_error(None, message)
    if more := len(wrong) - SHOWN_PROBLEMS:
        if more > 0:
            form.add_error(
                None,
                ngettext("%(more)d more has a mistake.", "%(more)d more have mistakes.", more)
                % {"more": more},
            )


def _in_words(put: PutIn) -> str:
    said = []
    if put.coming:
        said.append(
            ngettext(
                "%(count)d person is on the way into the course, and receives a mail once it is done.",
                "%(count)d people are on the way into the course, and receive a mail once it is done.",
                put.coming,
            )
            % {"count": put.coming}
        )
    if put.put:
        said.append(
            ngettext(
                "%(count)d person is in the course now, and receives a mail.",
                "%(count)d people are in the course now, and receive a mail.",
                put.put,
            )
            % {"count": put.put}
        )
    if put.already and get_platform().is_remote:
        said.append(
            ngettext(
                "%(count)d person was there or on the way already.",
                "%(count)d people were there or on the way already.",
                put.already,
            )
            % {"count": put.already}
        )
    elif put.already:
        said.append(
            ngettext(
                "%(count)d person was in the course already: nothing was changed.",
                "%(count)d people were in the course already: nothing was changed.",
                put.already,
            )
            % {"count": put.already}
        )
    return " ".join(said)


def _known(request: SpaceRequest, space: CourseSpace) -> dict[str, Any]:
    """A page of the organisation's people, and who of them is in the course."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST_QUERY]
    found: PeoplePage = my_people(
        space.account_id, query=query, page=asked_page(request), per_page=KNOWN_PER_PAGE
    )
    people = [row.person_id for row in found.rows]
    inside = people_inside(space, people)
    coming = set(on_their_way(space.pk).filter(person__in=people).values_list("person", flat=True))
    ticked = set(request.POST.getlist("person"))
    return {
        "known": [
            (row, row.person_id in inside, row.person_id in coming, str(row.person_id) in ticked)
            for row in found.rows
        ],
        "known_page": as_page(found, KNOWN_PER_PAGE),
        "query": query,
    }


def people_inside(space: CourseSpace, people: Collection[int]) -> set[int]:
    """Who of these people is in the course, as far as we know: a remote platform is not asked here."""
    rows = Enrolment.objects.holding(now=timezone.now()).filter(course=space.course_id, person__in=people)
    return set(rows.values_list("person", flat=True))


@require_POST
@space_required
def remove(request: SpaceRequest, space: CourseSpace, person_id: int) -> HttpResponse:
    """Take somebody out of the course; what he did there stays."""
    try:
        if take_out(space_id=space.pk, person_id=person_id, actor=actor(request)):
            messages.success(request, _out_words())
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("portal:space", space.reference)


@require_POST
@space_required
def readmit(request: SpaceRequest, space: CourseSpace, person_id: int) -> HttpResponse:
    """Let somebody in again who was taken out."""
    try:
        if let_in_again(space_id=space.pk, person_id=person_id, actor=actor(request)):
            messages.success(request, _in_again_words())
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("portal:space", space.reference)


def _out_words() -> str:
    if get_platform().is_remote:
        return _("The course platform is being told: this person is taken out of the course.")
    return _("Taken out of the course. You may let this person in again below.")


def _in_again_words() -> str:
    if get_platform().is_remote:
        return _("The course platform is being told: this person is let in again.")
    return _("In the course again.")
