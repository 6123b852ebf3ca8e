"""Backups of a course: made, listed, downloaded. What the pages of teachers and of owners share."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from common.audit import Actor
from common.ratelimit import hit
from common.zone import seller_zone
from courses.models import Backup, Course
from courses.platforms import get_platform
from courses.selectors import MyCourse, backups_of
from courses.services import make_backup
from portal.forms import BackupForm
from portal.views.learn import PLACE
from portal.views.learn_edit import editor_required

BACKUPS_PER_HOUR = 30  # of a course
SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@editor_required
def course_backups(request: HttpRequest, mine: MyCourse) -> HttpResponse:
    """A teacher's page: the backups of his course, and making one. Those of a course space are on its own page."""
    if mine.course.is_space or get_platform().is_remote:
        raise Http404
    if request.method == "POST":
        make(request, mine.course, Actor.person(mine.enrolment.person_id))
        return HttpResponseRedirect(reverse("portal:backups", args=[mine.course.shortname]))
    context = {
        "course": mine.course,
        "backups": shown(mine.course),
        "form": BackupForm(),
        "place": PLACE,
    }
    return render(request, "portal/learn/backups.html", context)


@require_safe
@editor_required
def course_backup(request: HttpRequest, mine: MyCourse, backup_id: int) -> HttpResponse:
    """The file of a backup without user data: the people of a course may be those of several customers."""
    if mine.course.is_space:
        raise Http404
    backup = find(mine.course, backup_id)
    if backup.with_users:
        raise PermissionDenied
    return download(backup)


# --- shared with the pages of course spaces ---------------------------------------------------------


def shown(course: Course) -> list[Backup]:
    """The newest backups of a course."""
    return list(backups_of(course.pk)[:SHOWN])


def find(course: Course, backup_id: int) -> Backup:
    """A backup of this course. Raises Http404."""
    backup = backups_of(course.pk).filter(pk=backup_id).select_related("course").first()
    if backup is None:
        raise Http404
    return backup


def make(request: HttpRequest, course: Course, actor: Actor) -> None:
    """Make a backup as the form asks, and say so."""
    if not hit(f"backup:{course.pk}", BACKUPS_PER_HOUR, 3600):
        messages.warning(request, _("That was many backups in an hour. Please go on later."))
        return
    form = BackupForm(request.POST)
    with_users = form.is_valid() and form.cleaned_data["with_users"]
    make_backup(course_id=course.pk, with_users=with_users, actor=actor)
    messages.success(request, _("The backup is made."))


def download(backup: Backup) -> HttpResponse:
    """The file, named after the course and the moment. Raises Http404 when it is gone."""
    try:
        with backup.file.open("rb") as stream:
            response = HttpResponse(stream.read(), content_type="application/json")
    except FileNotFoundError:
        raise Http404 from None
    moment = backup.created_at.astimezone(seller_zone()).strftime("%Y-%m-%d-%Hh%M")
    name = f"{backup.course.shortname}-{moment}.json"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    patch_cache_control(response, private=True, no_store=True)
    return response
