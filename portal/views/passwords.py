"""The password for courses that live elsewhere: chosen, chosen anew, and the way on to the course."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms.signing import ChoosePasswordForm
from accounts.links import next_of, with_next
from accounts.models import Person
from common.ratelimit import hit
from courses.platforms import get_platform
from courses.selectors import MyCourse, course_login, my_course
from portal.forms import for_the_courses
from portal.services.passwords import PasswordNotSet, run_choose_course_password

PASSWORDS_PER_PERSON = 10
WINDOW = 600  # seconds
PLACE = "portal:my_courses"


@login_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def course_password(request: HttpRequest) -> HttpResponse:
    """Choose the password for the courses, or another one: of a login that we made, by its owner only."""
    person = _person_with_courses_elsewhere(request)
    login = course_login(person.pk)
    next_path = next_of(request)
    context: dict[str, Any] = {"login": login, "next": next_path, "place": PLACE}
    if login is None or not login.is_ours:
        return render(request, "portal/passwords/none.html", context)
    form = ChoosePasswordForm(request.POST or None, person=person)
    for_the_courses(form)
    if request.method == "POST" and form.is_valid() and may_try(person, form):
        try:
            run_choose_course_password(person=person, password=form.cleaned_data["password"])
        except PasswordNotSet as reason:
            context |= say_why(form, reason)
        else:
            return redirect(with_next(reverse("portal:course_password_set"), next_path))
    return render(request, "portal/passwords/choose.html", context | {"form": form})


@login_required
@never_cache
@require_safe
def course_password_set(request: HttpRequest) -> HttpResponse:
    """What comes after choosing: the user name, and one button to the course one was on the way to."""
    person = _person_with_courses_elsewhere(request)
    login = course_login(person.pk)
    next_path = next_of(request)
    if login is None or login.needs_password:
        return redirect(with_next(reverse("portal:course_password"), next_path))
    context = {
        "login": login,
        "mine": course_of(person, next_path),
        "next": next_path,
        "place": PLACE,
    }
    return render(request, "portal/passwords/set.html", context)


def say_why(form: Form, reason: PasswordNotSet) -> dict[str, str]:
    """At its field what is to be put right there; for the page what nobody can put right here: it only has to wait."""
    if reason.field:
        form.add_error(reason.field, str(reason.message))
        return {}
    return {"waits": str(reason.message)}


def may_try(person: Person, form: Form) -> bool:
    """Count one more password for this person; too many are an error of the form. Each is a call that may take seconds."""
    if hit(f"course-password:{person.pk}", PASSWORDS_PER_PERSON, WINDOW):
        return True
    form.add_error(None, _("That was many passwords. Nothing was changed: try again in ten minutes."))
    return False


def course_of(person: Person, path: str) -> MyCourse | None:
    """The person's course that a path of this site leads to, if it is open to him."""
    try:
        match = resolve(path.partition("?")[0])
    except Resolver404:
        return None
    if match.view_name != "portal:course":
        return None
    mine = my_course(person.pk, match.kwargs["shortname"])
    return mine if mine is not None and mine.may_enter and mine.address else None


def _person_with_courses_elsewhere(request: HttpRequest) -> Person:
    if not get_platform().keeps_passwords:
        raise Http404
    return cast("Person", request.user)
