"""The organisation one acts for: naming it, choosing it, saying who it is; and oneself."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access
from accounts.access import AccountRequest, account_required
from accounts.forms.organisations import IdentityForm, OrganisationForm, ProfileForm
from accounts.links import next_of
from accounts.models import Member, Person
from accounts.services.organisations import create_account, edit_account
from accounts.services.people import edit_profile
from common.audit import Actor


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Name the organisation one acts for, and become its owner; then back to what one was doing."""
    person = cast("Person", request.user)
    next_path = next_of(request)
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = create_account(
            name=form.cleaned_data["name"], owner=person, siren=form.cleaned_data["siren"]
        )
        request.session[access.SESSION_KEY] = account.pk
        return redirect(next_path or resolve_url(settings.LOGIN_REDIRECT_URL))
    return render(request, "accounts/create.html", {"form": form, "next": next_path})


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Act for another organisation of which one is a member."""
    member = get_object_or_404(
        Member, person=cast("Person", request.user), account__slug=request.POST.get("account", "")
    )
    request.session[access.SESSION_KEY] = member.account_id
    return redirect(next_of(request) or resolve_url(settings.LOGIN_REDIRECT_URL))


@account_required("members")
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: AccountRequest) -> HttpResponse:
    """Who the organisation is, as printed on its documents."""
    form = IdentityForm(request.POST or None, instance=request.account)
    if request.method == "POST" and form.is_valid():
        edit_account(account=request.account, identity=form.identity, actor=Actor.person(request.user.pk))
        messages.success(request, _("The details of your organisation are saved."))
        return redirect("accounts:settings")
    return render(request, "accounts/settings.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """One's own name and language."""
    person = cast("Person", request.user)
    form = ProfileForm(
        request.POST or None,
        initial={
            "first_name": person.first_name,
            "last_name": person.last_name,
            "language": person.language,
        },
    )
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/profile.html", {"form": form})
    edit_profile(person=person, **form.cleaned_data)
    with translation.override(person.language):
        messages.success(request, _("Your details are saved."))
    response = redirect("accounts:profile")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        person.language,
        max_age=365 * 24 * 3600,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
