"""A course space: its dates, its pages, the people in it, its backups, what happened to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import accounts_with, current, roles_with
from accounts.models import Person
from common.audit import Actor
from common.references import normalise_reference
from courses.builtin.roles import LEARNERS
from courses.models import CourseSpace, Enrolment, ProductEvent, SpaceState
from courses.platforms import get_platform
from courses.selectors import MyCourse, SpaceLine, course_login, my_course, product_events, space_line
from courses.services import BackupLost, delete_backup, restore_backup
from delegation.selectors import PersonRow, known_people
from portal.forms import BackupForm, RestoreForm
from portal.selectors import space_progress
from portal.services.spaces import people_of_account
from portal.views import backups
from seats.seatrow import SeatCounts
from seats.views.shared import names_of_actors

PEOPLE_PER_PAGE = 50
PLACE = "seats:my"

Parameters = ParamSpec("Parameters")
View = Callable[..., HttpResponse]


class SpaceRequest(HttpRequest):
    """A request that passed `space_required`."""

    user: Person


SpaceView = Callable[Concatenate[SpaceRequest, CourseSpace, Parameters], HttpResponse]


def space_required(view: SpaceView[Parameters]) -> View:
    """Hand the view the space of that reference.

    For owners and managers of its organisation, and for the owner of the course as long as he is a member of it; a
    member without the right gets 403, a stranger 404.
    """

    @wraps(view)
    def guarded(
        request: SpaceRequest, reference: str, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        spaces = CourseSpace.objects.filter(
            reference=normalise_reference(reference), account__members__person=request.user
        )
        space = get_object_or_404(spaces.select_related("course", "account", "owner"))
        if space.owner_id != request.user.pk:
            if not accounts_with(request.user, "seats.write").filter(pk=space.account_id).exists():
                raise PermissionDenied
        return view(request, space, *args, **kwargs)

    return login_required(guarded)


def actor(request: SpaceRequest) -> Actor:
    """Who acts, for the audit trail."""
    return Actor.person(request.user.pk)


def is_open(space: CourseSpace) -> bool:
    """Whether people get in now."""
    return space.state() is SpaceState.OPEN


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in the space, as the organisation knows him; `known` is none for whom it does not answer."""

    person_id: int
    known: PersonRow | None
    name: str
    role: str
    since: datetime
    opened_at: datetime | None
    suspended: bool


@require_safe
@space_required
def space(request: SpaceRequest, space: CourseSpace) -> HttpResponse:
    """The page of a space."""
    line = space_line(space)
    rows = Enrolment.objects.told().filter(course=space.course_id).exclude(person=space.owner_id)
    rows = rows.select_related("person").order_by("status", "-starts_at", "-pk")
    page = Paginator(rows, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    mine = my_course(request.user.pk, space.course.shortname)
    events = list(product_events(space.reference))
    context = {
        "line": line,
        "people": _participants(space, list(page.object_list)),
        "page": page,
        "counts": _counts(line),
        "too_many": _too_many(space),
        "may_edit": mine is not None and mine.may_edit,
        "way": _way(mine),
        "may_add": is_open(space),
        **way_context(space),
        "has_backups": not get_platform().is_remote,
        "backups": backups.shown(space.course),
        "backup_form": BackupForm(),
        "history": _history(space, events),
        **frame(request, space),
    }
    return render(request, "portal/spaces/space.html", context)


def _too_many(space: CourseSpace) -> int | None:
    """How many learned there at the last count, if they are more than there are places: others may enrol people on a
    remote platform, which is told and not prevented. None: they are not, or nobody gets in.
    """
    if not get_platform().is_remote or not is_open(space) or space.max_participants is None:
        return None
    found = space.learners_found or 0
    return found if found > space.max_participants else None


def way_context(space: CourseSpace) -> dict[str, Any]:
    """Who is on his way, on a remote platform; nobody ever is on a local one."""
    if not get_platform().is_remote:
        return {}
    told = space_progress(space.pk, now=timezone.now())
    return {
        "told": told,
        "busy": {one.person_id for one in told.coming},
    }


@never_cache
@require_safe
@space_required
def under_way(request: SpaceRequest, space: CourseSpace) -> HttpResponse:
    """The part of the page that asks again: the whole page is read anew as soon as anything has come of it."""
    context = way_context(space)
    told = context.get("told")
    if told is None or request.GET.get("left") != str(len(told.coming)):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "portal/spaces/way.html", context | {"space": space})


def _way(mine: MyCourse | None) -> str:
    """The way into the course, for who edits it here or is in it elsewhere; there he may need a password first."""
    if mine is None or not (mine.may_edit or (mine.address and mine.may_enter)):
        return ""
    login = course_login(mine.enrolment.person_id)
    is_ready = login is None or not login.needs_password
    return (
        mine.address if mine.address and is_ready else reverse("portal:course", args=[mine.course.shortname])
    )


def frame(request: SpaceRequest, space: CourseSpace) -> dict[str, Any]:
    """What every page about a space knows."""
    access = current(request)
    memberships = access.memberships if access else ()
    role = next((one.role for one in memberships if one.account_id == space.account_id), "")
    return {
        "space": space,
        "course": space.course,
        "is_open": is_open(space),
        "elsewhere": access is not None and access.account.pk != space.account_id,
        "may_buy": role in roles_with("shop"),
        "may_read_seats": role in roles_with("seats.read"),
        "may_read_people": role in roles_with("people"),
        "place": PLACE,
    }


def _counts(line: SpaceLine) -> SeatCounts | None:
    """The places of a space with a limit, as a row of seats: in use, invited, free."""
    if line.places_left is None:
        return None
    learners = Enrolment.objects.holding(now=timezone.now()).filter(
        course=line.course_id, role__in=LEARNERS, opened_at__gte=F("starts_at")
    )
    in_use = learners.count()
    return SeatCounts(
        in_use=in_use,
        invited=max(0, line.participants - in_use) + line.coming,
        free=line.places_left,
        ended=0,
    )


def _participants(space: CourseSpace, rows: list[Enrolment]) -> list[Participant]:
    """The people of a page, named as the organisation knows them; one query for all."""
    known = known_people(space.account_id, [row.person_id for row in rows])
    return [
        Participant(
            person_id=row.person_id,
            known=known.get(row.person_id),
            name=_name(row, known.get(row.person_id)),
            role=row.role,
            since=row.starts_at,
            opened_at=row.opened_at if row.was_opened else None,
            suspended=row.status == Enrolment.Status.SUSPENDED,
        )
        for row in rows
    ]


def _name(row: Enrolment, known: PersonRow | None) -> str:
    """The name this organisation may know: nobody shows his own before he has come."""
    if known is not None:
        return known.name
    return row.person.name if row.was_opened else _("Somebody who has not come yet")


def _history(space: CourseSpace, events: list[ProductEvent]) -> list[tuple[ProductEvent, str]]:
    """What happened to the space, and who did it."""
    names = names_of_actors(space.account, [event.actor for event in events])
    return [(event, names.get(event.actor, "")) for event in events]


# --- backups ---------------------------------------------------------------------------------------


@require_POST
@space_required
def back_up(request: SpaceRequest, space: CourseSpace) -> HttpResponse:
    """Make a backup of the course."""
    _refuse_unless_open(space)
    backups.make(request, space.course, actor(request))
    return redirect("portal:space", space.reference)


@require_safe
@space_required
def backup(request: SpaceRequest, space: CourseSpace, backup_id: int) -> HttpResponse:
    """The file of a backup; also after the end of the space, so that nobody loses what he wrote."""
    if space.withdrawn_at is not None:
        raise PermissionDenied
    return backups.download(backups.find(space.course, backup_id))


@require_http_methods(["GET", "HEAD", "POST"])
@space_required
def restore(request: SpaceRequest, space: CourseSpace, backup_id: int) -> HttpResponse:
    """Bring a backup back, after saying what that means."""
    _refuse_unless_open(space)
    wanted = backups.find(space.course, backup_id)
    if request.method != "POST":
        context = {"backup": wanted, "form": RestoreForm(), **frame(request, space)}
        return render(request, "portal/spaces/restore.html", context)
    form = RestoreForm(request.POST)
    with_users = form.is_valid() and form.cleaned_data["with_users"] and wanted.with_users
    try:
        restore_backup(
            backup_id=wanted.pk, with_users=with_users, among=people_of_account(space), actor=actor(request)
        )
    except BackupLost:
        messages.error(request, _("This backup cannot be read any more. Nothing was changed."))
    else:
        messages.success(
            request,
            _("The course is as it was in this backup. What was there before is the newest backup below."),
        )
    return redirect("portal:space", space.reference)


@require_http_methods(["GET", "HEAD", "POST"])
@space_required
def forget_backup(request: SpaceRequest, space: CourseSpace, backup_id: int) -> HttpResponse:
    """Delete a backup, after showing which one: it cannot be had again."""
    wanted = backups.find(space.course, backup_id)
    if request.method != "POST":
        context = {"backup": wanted, **frame(request, space)}
        return render(request, "portal/spaces/delete_backup.html", context)
    delete_backup(backup_id=wanted.pk, actor=actor(request))
    messages.success(request, _("The backup was deleted."))
    return redirect("portal:space", space.reference)


def _refuse_unless_open(space: CourseSpace) -> None:
    """Nobody gets into a course whose time is over, and nobody works on it. Raises PermissionDenied."""
    if not is_open(space) or get_platform().is_remote:
        raise PermissionDenied
