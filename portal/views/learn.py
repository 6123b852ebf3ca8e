"""Participants' pages: my courses, a course, reading a page and marking it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.links import with_next
from accounts.models import Person
from courses.builtin.roles import GUIDES, ROLES
from courses.models import CourseSpace, Enrolment, GroupMode, Page
from courses.platforms import get_platform
from courses.selectors import (
    MyCourse,
    course_login,
    find_page,
    group_names,
    my_course,
    my_courses,
    named,
    page_lines,
    space_givers,
    visible_people,
)
from courses.services import mark_page, unmark_page
from portal.services.spaces import note_space_opening
from seats.models import Assignment
from seats.services import record_opening

PEOPLE_PER_PAGE = 50
PLACE = "portal:my_courses"  # what the main menu shows as current

Parameters = ParamSpec("Parameters")
CourseView = Callable[Concatenate[HttpRequest, MyCourse, Parameters], HttpResponse]
View = Callable[..., HttpResponse]  # Django passes the short name by name


def course_required(view: CourseView[Parameters]) -> View:
    """Hand the view the visitor's own course of that short name.

    A stranger gets 404, and so does everybody where the pages of the course are elsewhere; somebody who cannot enter now
    gets a page that says why, and whom to ask.
    """
    return _guarded(view, leads_on=False)


def course_or_way_required(view: CourseView[Parameters]) -> View:
    """As `course_required`; to a course whose pages are elsewhere it leads on."""
    return _guarded(view, leads_on=True)


def _guarded(view: CourseView[Parameters], *, leads_on: bool) -> View:
    @wraps(view)
    def guarded(
        request: HttpRequest, shortname: str, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        person = cast("Person", request.user)
        mine = my_course(person.pk, shortname) if shortname.isprintable() else None
        if mine is None or (not leads_on and get_platform().is_remote):
            raise Http404
        if not mine.may_enter:
            context = {
                "mine": mine,
                "giver": givers(person, [mine]).get(mine.course.pk),
                "space": own_space(mine),
                "place": PLACE,
            }
            return render(request, "portal/learn/closed.html", context, status=403)
        if mine.address:
            return _elsewhere(request, mine)
        return view(request, mine, *args, **kwargs)

    return login_required(guarded)


def _elsewhere(request: HttpRequest, mine: MyCourse) -> HttpResponse:
    """On to a course that lives elsewhere; first to the password, for whoever has none there yet.

    Browsers stop a form of ours whose answers end on another site, so whoever comes from a page of ours (the one to
    sign in, say) gets a page that leads on by itself.
    """
    login = course_login(mine.enrolment.person_id)
    if login is not None and login.needs_password:
        return redirect(with_next(reverse("portal:course_password"), request.path))
    if not request.headers.get("Referer"):
        return redirect(mine.address)
    return render(request, "portal/learn/elsewhere.html", {"mine": mine, "login": login, "place": PLACE})


def counted(view: CourseView[Parameters]) -> CourseView[Parameters]:
    """Record that the participant is in the course when he really looks at the page.

    A browser that fetches ahead is turned away: it asks again when the link is followed. HEAD counts nothing.
    """

    @wraps(view)
    def counting(
        request: HttpRequest, mine: MyCourse, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        if fetches_ahead(request):
            answer = HttpResponse(status=503)
            patch_cache_control(answer, no_store=True)
            return answer
        if request.method == "GET":
            ids = {"person_id": mine.enrolment.person_id, "course_id": mine.course.pk}
            if record_opening(**ids) and mine.course.is_space:
                note_space_opening(**ids)
        return view(request, mine, *args, **kwargs)

    return counting


def fetches_ahead(request: HttpRequest) -> bool:
    """Whether a browser asks before anybody has followed the link."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return any(
        word in purpose.lower() for purpose in purposes for word in ("prefetch", "prerender", "preview")
    )


@require_safe
@login_required
def courses(request: HttpRequest) -> HttpResponse:
    """My courses: dates, progress, and for those that are not open, why."""
    person = cast("Person", request.user)
    mine = my_courses(person.pk)
    closed = [one for one in mine if not one.may_enter]
    given_by = givers(person, closed)
    context = {
        "open": [one for one in mine if one.may_enter],
        "closed": [(one, given_by.get(one.course.pk)) for one in closed],
        "login": course_login(person.pk),
        "place": PLACE,
    }
    return render(request, "portal/learn/courses.html", context)


@require_safe
@course_or_way_required
@counted
def course(request: HttpRequest, mine: MyCourse) -> HttpResponse:
    """A course: its summary, its pages, and the people of it whom I see."""
    lines = page_lines(course_id=mine.course.pk, person_id=mine.enrolment.person_id)
    context = {
        "mine": mine,
        "course": mine.course,
        "lines": lines,
        "next": next((line for line in lines if not line.done), lines[0] if lines else None),
        "space": own_space(mine),
        "place": PLACE,
        **_people(request, mine.enrolment),
    }
    return render(request, "portal/learn/course.html", context)


@require_safe
@course_required
@counted
def page(request: HttpRequest, mine: MyCourse, page_id: int) -> HttpResponse:
    """A page to read, with the ways to the one before and the one after."""
    found = find_page_or_404(mine, page_id)
    lines = page_lines(course_id=mine.course.pk, person_id=mine.enrolment.person_id)
    index = [line.id for line in lines].index(found.pk)
    context = {
        "mine": mine,
        "course": mine.course,
        "page": found,
        "line": lines[index],
        "total": len(lines),
        "previous": lines[index - 1] if index else None,
        "next": lines[index + 1] if index + 1 < len(lines) else None,
        "place": PLACE,
    }
    return render(request, "portal/learn/page.html", context)


@require_POST
@course_required
def mark(request: HttpRequest, mine: MyCourse, page_id: int) -> HttpResponse:
    """Mark the page as read, or take the mark back with `done=0`."""
    found = find_page_or_404(mine, page_id)
    change = unmark_page if request.POST.get("done") == "0" else mark_page
    change(person_id=mine.enrolment.person_id, page_id=found.pk)
    return HttpResponseRedirect(reverse("portal:page", args=[mine.course.shortname, found.pk]))


def find_page_or_404(mine: MyCourse, page_id: int) -> Page:
    """The page, if it is one of this course."""
    found = find_page(course_id=mine.course.pk, page_id=page_id)
    if found is None:
        raise Http404
    return found


def givers(person: Person, courses: Sequence[MyCourse]) -> dict[int, str]:
    """The organisation that gave the person his place last, by course. One query, two with course spaces."""
    given = Assignment.objects.filter(person=person, course__in=[mine.course.pk for mine in courses])
    spaces = [mine.course.pk for mine in courses if mine.course.is_space]
    owners = space_givers(spaces) if spaces else {}
    return owners | dict(given.order_by("id").values_list("course_id", "account__name"))


def own_space(mine: MyCourse) -> str:
    """The reference of a course space, for whoever owns the course in the name of his organisation."""
    if not mine.course.is_space:
        return ""
    owned = CourseSpace.objects.filter(course=mine.course, owner=mine.enrolment.person_id)
    found = owned.filter(account__members__person=mine.enrolment.person_id)
    return found.values_list("reference", flat=True).first() or ""


def _people(request: HttpRequest, viewer: Enrolment) -> dict[str, Any]:
    """Tutors and participants the viewer sees, a page of them at a time."""
    grouped = viewer.course.groups_mode == GroupMode.VISIBLE
    mine_only = grouped and request.GET.get("people") != "all"
    everybody = visible_people(viewer, my_groups_only=mine_only)
    shown = named(everybody, viewer=viewer)
    participants = Paginator(shown.exclude(role__in=GUIDES), PEOPLE_PER_PAGE)
    page = participants.get_page(request.GET.get("page"))
    guides = list(shown.filter(role__in=GUIDES))
    names: dict[int, list[str]] = {}
    if viewer.course.groups_mode != GroupMode.NONE:
        names = group_names(viewer, [row.person_id for row in [*page, *guides]])
        if len({name for groups in names.values() for name in groups}) < 2:
            names = {}  # one name beside everybody tells nothing
    return {
        "guides": [_shown(row, names) for row in guides],
        "participants": [_shown(row, names) for row in page],
        "people_page": page,
        "waiting": everybody.count() - participants.count - len(guides),
        "choices": [("", _("My group")), ("all", _("Everybody"))] if grouped else [],
        "viewer_id": viewer.person_id,
    }


def _shown(row: Enrolment, names: dict[int, list[str]]) -> dict[str, Any]:
    role = ROLES.get(row.role)
    return {
        "id": row.person_id,
        "name": row.person.name,
        "role": role.label if role else row.role,
        "groups": names.get(row.person_id, []),
    }
