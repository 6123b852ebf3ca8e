"""Confirming an address; asking for a new password."""

from __future__ import annotations

from allauth.account import views as allauth_views
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.stages import EmailVerificationStage, LoginStage, LoginStageController
from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.signing import ConfirmEmailForm
from accounts.links import next_of
from accounts.services.addresses import verify_address


class PasswordResetView(allauth_views.PasswordResetView):  # type: ignore[misc]
    """Asks for the mail. The page to go to afterwards travels in the mail's link: first comes the mailbox."""

    def get_success_url(self) -> str:
        return reverse("account_reset_password_done")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request: HttpRequest, key: str) -> HttpResponse:
    """The mailed link of a sign-up. Looking changes nothing; the button confirms and signs in.

    In the browser of the sign-up the button is enough; elsewhere the password is asked as well.
    """
    next_path = next_of(request)
    confirmation = EmailConfirmationHMAC.from_key(key)
    page = "account/email_confirm.html"
    if confirmation is None:
        return render(request, page, {"next": next_path}, status=410)
    address: EmailAddress = confirmation.email_address
    stage = _waiting_here(request, address)
    context = {"address": address, "next": next_path, "form": None}
    if stage is not None:
        if request.method != "POST":
            return render(request, page, context)
        verify_address(address.user)
        resumed: HttpResponse = stage.exit()
        return resumed
    form = ConfirmEmailForm(request.POST or None, request=request, address=address)
    if request.method != "POST" or not form.is_valid():
        return render(request, page, context | {"form": form})
    verify_address(address.user)
    signed_in: HttpResponse = perform_login(
        request, address.user, redirect_url=next_path or None, email=address.email
    )
    return signed_in


def _waiting_here(request: HttpRequest, address: EmailAddress) -> LoginStage | None:
    """The sign-up that waits in this very browser for this address, if any."""
    stage = waiting_sign_in(request)
    if stage is None or stage.login.user.pk != address.user_id:
        return None
    return stage


def waiting_sign_in(request: HttpRequest) -> LoginStage | None:
    """The sign-up or sign-in that waits in this very browser for its address to be confirmed, if any.

    Its `login.user` is a person whose password was typed here.
    """
    if request.user.is_authenticated:
        return None
    stage = LoginStageController.enter(request, EmailVerificationStage.key)
    return None if stage is None or stage.login.user is None else stage
