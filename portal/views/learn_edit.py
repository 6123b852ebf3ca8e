"""Teachers' pages: editing a course's pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Concatenate, Literal, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.audit import Actor
from courses.models import Page
from courses.selectors import MyCourse, page_lines
from courses.services import PageChangedMeanwhile, delete_page, move_page, save_page
from portal.forms import PageForm
from portal.views.learn import PLACE, course_required, find_page_or_404

Parameters = ParamSpec("Parameters")
CourseView = Callable[Concatenate[HttpRequest, MyCourse, Parameters], HttpResponse]
View = Callable[..., HttpResponse]


def editor_required(view: CourseView[Parameters]) -> View:
    """As `course_required`; a participant who may not change the course gets 403."""

    @wraps(view)
    def guarded(
        request: HttpRequest, mine: MyCourse, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        if not mine.may_edit:
            raise PermissionDenied
        return view(request, mine, *args, **kwargs)

    return course_required(guarded)


@require_safe
@editor_required
def pages(request: HttpRequest, mine: MyCourse) -> HttpResponse:
    """The pages of a course, to be changed, moved and deleted."""
    lines = page_lines(course_id=mine.course.pk, person_id=mine.enrolment.person_id)
    return render(request, "portal/learn/pages.html", {"course": mine.course, "lines": lines, "place": PLACE})


@require_http_methods(["GET", "HEAD", "POST"])
@editor_required
def new_page(request: HttpRequest, mine: MyCourse) -> HttpResponse:
    """Write a new page; it goes to the end."""
    return _edit(request, mine, None)


@require_http_methods(["GET", "HEAD", "POST"])
@editor_required
def edit_page(request: HttpRequest, mine: MyCourse, page_id: int) -> HttpResponse:
    """Change a page."""
    return _edit(request, mine, find_page_or_404(mine, page_id))


@require_POST
@editor_required
def move(request: HttpRequest, mine: MyCourse, page_id: int) -> HttpResponse:
    """Move a page one place up or down."""
    found = find_page_or_404(mine, page_id)
    direction: Literal["up", "down"] = "up" if request.POST.get("direction") == "up" else "down"
    try:
        move_page(course_id=mine.course.pk, page_id=found.pk, direction=direction, actor=_actor(mine))
    except PageChangedMeanwhile:
        messages.error(request, _("Somebody else has deleted this page meanwhile."))
    return _to_pages(mine)


@require_http_methods(["GET", "HEAD", "POST"])
@editor_required
def delete(request: HttpRequest, mine: MyCourse, page_id: int) -> HttpResponse:
    """Delete a page, after showing which one: marks of participants go with it."""
    found = find_page_or_404(mine, page_id)
    if request.method != "POST":
        context = {"course": mine.course, "page": found, "marks": found.done.count(), "place": PLACE}
        return render(request, "portal/learn/delete.html", context)
    with suppress(PageChangedMeanwhile):  # somebody else was faster; the page is gone, as asked
        delete_page(course_id=mine.course.pk, page_id=found.pk, actor=_actor(mine))
    messages.success(request, _("The page “%(title)s” was deleted.") % {"title": found.title})
    return _to_pages(mine)


def _edit(request: HttpRequest, mine: MyCourse, page: Page | None) -> HttpResponse:
    form = PageForm(request.POST, request.FILES) if request.method == "POST" else _blank(page)
    preview = None
    if form.is_bound and form.is_valid():
        if form.cleaned_data["image"]:
            form = _with_image(form)
        if "preview" in request.POST:
            preview = form.cleaned_data
        elif saved := _save(mine, page, form):
            messages.success(request, _("The page “%(title)s” was saved.") % {"title": saved.title})
            return HttpResponseRedirect(reverse("portal:page", args=[mine.course.shortname, saved.pk]))
    context = {"course": mine.course, "page": page, "form": form, "preview": preview, "place": PLACE}
    return render(request, "portal/learn/edit.html", context)


def _blank(page: Page | None) -> PageForm:
    return PageForm() if page is None else PageForm.of(page)


def _with_image(form: PageForm) -> PageForm:
    """The same form, with the uploaded image kept and named at the end of its text."""
    image = form.cleaned_data["image"]
    kept = default_storage.save(f"courses/{image.name}", image)
    reference = f"![{form.cleaned_data['image_text']}]({default_storage.url(kept)})"
    body = f"{form.cleaned_data['body'].rstrip()}\n\n{reference}\n".lstrip()
    again = PageForm({**dict(form.data.items()), "body": body, "image_text": ""})
    again.is_valid()
    return again


def _save(mine: MyCourse, page: Page | None, form: PageForm) -> Page | None:
    if not form.is_valid():
        return None
    try:
        return save_page(
            course_id=mine.course.pk,
            page_id=page.pk if page else None,
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            seen=form.seen_at,
            actor=_actor(mine),
        )
    except PageChangedMeanwhile:
        text = _("Somebody else has saved this page meanwhile. Copy your text, and open the page again.")
        form.add_error(None, text)
        return None


def _actor(mine: MyCourse) -> Actor:
    return Actor.person(mine.enrolment.person_id)


def _to_pages(mine: MyCourse) -> HttpResponse:
    return HttpResponseRedirect(reverse("portal:pages", args=[mine.course.shortname]))
