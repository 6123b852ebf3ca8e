"""The ways in: an invitation's link, a temporary password, and where a sign-in leads."""

from __future__ import annotations

from typing import cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import mails
from accounts.access import current, signed_in
from accounts.forms.signing import ChoosePasswordForm, FirstVisitForm
from accounts.links import next_of, with_next
from accounts.models import Invitation, Person
from accounts.services import (
    InvitationClosed,
    accept_invitation,
    choose_password,
    find_invitation,
    renew_invitation,
    works,
)
from common.outbox import queue
from common.ratelimit import hit
from courses.selectors import course_login
from delegation.services import accept
from portal.forms import FirstNameForm, for_the_courses
from portal.services.passwords import (
    Kept,
    PasswordNotSet,
    accept_invited,
    kept_where,
    run_use_invitation,
)
from portal.views.passwords import may_try, say_why

RENEWALS_PER_LINK_AND_HOUR = 3
RENEWALS_PER_VISITOR_AND_HOUR = 30
LINKS_PER_VISITOR_AND_MINUTE = 60


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Where a sign-in leads that was not on its way to somewhere: to what waits for this person."""
    access = current(request)
    if access is None:
        person = cast("Person", request.user)
        return redirect("portal:my_courses" if person.delegations.exists() else "catalog:home")
    return redirect("seats:my" if "seats.read" in access.capabilities else "catalog:home")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link of an invitation. Looking changes nothing, so that scanners of mail may look; POST consumes."""
    if not hit(f"invitation:{_visitor(request)}", LINKS_PER_VISITOR_AND_MINUTE, 60):
        return render(request, "429.html", status=429)
    found = find_invitation(token)
    if found is None or not works(found):
        return _closed(request, token)
    if found.person.possessed_at is not None:
        return _for_somebody_known(request, token, found)
    return _first_visit(request, token, found)


def _first_visit(request: HttpRequest, token: str, found: Invitation) -> HttpResponse:
    """Nobody has used this login yet: its owner chooses a password, wherever it is kept, and is signed in."""
    person = found.person
    kept = kept_where(person)
    form = _form_of(kept, request.POST or None, person)
    context = _context(request, token, found) | {
        "form": form,
        "kept": kept.value,
        "login": course_login(person.pk),
    }
    if request.method != "POST" or kept is Kept.NOT_YET or not form.is_valid():
        return render(request, "portal/invitation.html", context)
    try:
        if kept is not Kept.THERE:
            used = accept_invited(
                token=token, password=form.cleaned_data.get("password"), name=form.chosen_name
            )
        elif may_try(person, form):
            used = run_use_invitation(
                token=token,
                person=person,
                password=form.cleaned_data["password"],
                name=form.chosen_name,
            )
        else:
            return render(request, "portal/invitation.html", context)
    except InvitationClosed:
        return _closed(request, token)
    except PasswordNotSet as reason:
        return render(request, "portal/invitation.html", context | say_why(form, reason))
    get_adapter(request).login(request, used.person)
    return redirect(_afterwards(request, used))


def _form_of(kept: Kept, data: QueryDict | None, person: Person) -> FirstVisitForm | FirstNameForm:
    """What is asked at the first visit: the name, and a password unless he has one in the courses."""
    if kept is Kept.KNOWN:
        return FirstNameForm(data, initial=_name(person))
    form = FirstVisitForm(data, person=person, initial=_name(person))
    if kept is Kept.THERE:
        for_the_courses(form)
    return form


def _for_somebody_known(request: HttpRequest, token: str, found: Invitation) -> HttpResponse:
    """He has been in before: he signs in, if he is not signed in, and accepts."""
    person = signed_in(request)
    if person is None or person.pk != found.person_id:
        return render(request, "portal/invitation_known.html", _context(request, token, found))
    if request.method != "POST":
        context = _context(request, token, found) | {"signed_in": True}
        return render(request, "portal/invitation_known.html", context)
    try:
        used = accept_invitation(token=token, person=person)
    except InvitationClosed:
        return _closed(request, token)
    accept(account_id=used.account_id, person_id=used.person_id)
    return redirect(_afterwards(request, used))


def _context(request: HttpRequest, token: str, found: Invitation) -> dict[str, object]:
    next_path = next_of(request)
    here = with_next(reverse("portal:invitation", args=[token]), next_path)
    return {
        "invitation": found,
        "here": here,
        "next": next_path,
        "sign_in": with_next(reverse("account_login"), here),
        "other": signed_in(request),
    }


def _name(person: Person) -> dict[str, str]:
    return {"first_name": person.first_name, "last_name": person.last_name}


def _afterwards(request: HttpRequest, used: Invitation) -> str:
    """Where an accepted invitation leads. Not straight to another site: browsers stop a form that is sent there."""
    next_path = next_of(request)
    if course_login(used.person_id) is not None:
        return with_next(reverse("portal:course_password_set"), next_path)
    if next_path:
        return next_path
    if used.person.memberships.filter(account_id=used.account_id).exists():
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    return reverse("portal:my_courses")


def _closed(request: HttpRequest, token: str) -> HttpResponse:
    """The same page for a link that expired, was used, replaced or revoked, or never existed."""
    return render(request, "portal/invitation_closed.html", {"token": token}, status=410)


@never_cache
@require_POST
def renew(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a new link to the address the old one went to, and nowhere else; the answer is always the same."""
    by_link = hit(f"invitation-renew:{token}", RENEWALS_PER_LINK_AND_HOUR, 3600)
    by_visitor = hit(f"invitation-renew:{_visitor(request)}", RENEWALS_PER_VISITOR_AND_HOUR, 3600)
    found = find_invitation(token)
    if found is not None and by_link and by_visitor:
        _mail_again(found)
    return render(request, "portal/invitation_mailed.html")


def _mail_again(found: Invitation) -> None:
    if found.revoked_at is not None or not found.person.is_active:
        return
    try:
        queue(mails.invitation_renewed(renew_invitation(invitation_id=found.pk)))
    except InvitationClosed:
        # He has a password by now: the mail says so, and how to choose another.
        queue(mails.exists(found.person, next_path=""))


def _visitor(request: HttpRequest) -> str:
    address: str = get_adapter(request).get_client_ip(request)
    return address


@login_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def own_password(request: HttpRequest) -> HttpResponse:
    """Choose a password in the place of a temporary one."""
    person = cast("Person", request.user)
    next_path = next_of(request)
    onwards = next_path or resolve_url(settings.LOGIN_REDIRECT_URL)
    if not person.must_change_password:
        return redirect(onwards)
    form_class = FirstVisitForm if person.name_is_guess else ChoosePasswordForm
    form = form_class(request.POST or None, person=person, initial=_name(person))
    if request.method != "POST" or not form.is_valid():
        return render(request, "portal/choose_password.html", {"form": form, "next": next_path})
    name = form.chosen_name if isinstance(form, FirstVisitForm) else None
    used = choose_password(person=person, password=form.cleaned_data["password"], name=name)
    if used is not None:
        accept(account_id=used.account_id, person_id=used.person_id)
    update_session_auth_hash(request, person)
    messages.success(request, _("Your password is set. The temporary one no longer works."))
    return redirect(onwards)
