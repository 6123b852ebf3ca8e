"""Signing in with a mailed code."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import signed_in
from accounts.forms.signing import AskForCodeForm, CodeForm
from accounts.links import next_of, with_next
from accounts.models import Person
from accounts.services import CodeClosed, WrongCode, ask_for_code, code_is_open, use_code
from accounts.views.signing import waiting_sign_in
from common.emailkey import email_key

SESSION_KEY = "sign_in_code"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Asks for the mail, from its own page or by the second button of the sign-in page.

    The answer is the same for every address. The code works in this browser only: its session names it.
    """
    next_path = next_of(request)
    if signed_in(request) is not None:
        return redirect(_onwards(next_path))
    form = AskForCodeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/request_login_code.html", {"form": form, "next": next_path})
    email = form.cleaned_data["login"]
    refused: HttpResponse | None = ratelimit.consume_or_429(
        request, action="request_login_code", key=email_key(email)
    )
    if refused is not None:
        return refused
    before = request.session.get(SESSION_KEY, {})
    code = ask_for_code(email=email, next_path=next_path, replaces=before.get("id"))
    request.session[SESSION_KEY] = {
        "id": code.pk,
        "email": email,
        "remember": "remember" in request.POST,
    }
    return redirect(with_next(reverse("account_confirm_login_code"), next_path))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Takes the code; only POST uses it up, and only in the browser that asked for it."""
    next_path = next_of(request)
    if signed_in(request) is not None:
        return redirect(_onwards(next_path))
    asked = request.session.get(SESSION_KEY)
    if asked is None:
        return redirect(with_next(reverse("account_request_login_code"), next_path))
    context = {"asked": asked, "next": next_path}
    page = "account/confirm_login_code.html"
    if not code_is_open(asked["id"]):
        return render(request, page, context, status=410)
    form = CodeForm(request.POST or None, initial={"remember": asked["remember"]})
    if request.method != "POST" or not form.is_valid():
        return render(request, page, context | {"form": form})
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="use_login_code")
    if refused is not None:
        return refused
    stage = waiting_sign_in(request)
    try:
        person = use_code(
            code_id=asked["id"],
            digits=form.cleaned_data["code"],
            knows_password_of=None if stage is None else stage.login.user.pk,
        )
    except WrongCode as wrong:
        form.add_error("code", _not_this(wrong.tries_left))
        return render(request, page, context | {"form": form})
    except CodeClosed:
        return render(request, page, context, status=410)
    return _let_in(request, person, next_path, form.cleaned_data)


def _let_in(request: HttpRequest, person: Person, next_path: str, data: dict[str, Any]) -> HttpResponse:
    """Sign the person in as any other way does: what follows a password (a second factor) follows a code too."""
    del request.session[SESSION_KEY]
    record_authentication(request, person, method="code", email=person.email)
    response: HttpResponse = perform_login(
        request, person, redirect_url=next_path or None, email=person.email
    )
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if data["remember"] else 0)
    return response


def _not_this(tries_left: int) -> str:
    return ngettext(
        "This is not the code of our newest mail. You have %(count)s more try.",
        "This is not the code of our newest mail. You have %(count)s more tries.",
        tries_left,
    ) % {"count": tries_left}


def _onwards(next_path: str) -> str:
    return next_path or resolve_url(settings.LOGIN_REDIRECT_URL)
