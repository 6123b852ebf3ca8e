"""How sign-up, sign-in and their mails behave here: allauth's hooks."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import mails
from accounts.links import next_of
from accounts.models import Person
from accounts.services.addresses import verify_address
from accounts.services.people import find_person, signed_in_now
from common.emailkey import email_key
from common.outbox import queue

_NOTIFIED = ("account/email/password_changed", "account/email/password_set", "account/email/password_reset")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up by e-mail address. No mail leaves in a request, and no secret is kept for one."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This access is closed."),
        "email_password_mismatch": _("The e-mail address and the password do not match."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
        "invalid_password_reset": _("This link no longer works."),
        "too_many_login_attempts": _("Too many attempts. Wait five minutes, then try again."),
        "rate_limited": _("Too many requests. Wait a few minutes, then try again."),
    }

    # --- mails ---------------------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every mail of ours has a hook of its own; one of allauth's that has none would leave in the request."""
        raise ValueError(f"No mail of ours: {template_prefix}")

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        queue(mails.confirm_email(emailconfirmation.email_address, next_path=next_of(request)))

    def send_account_already_exists_mail(self, email: str) -> None:
        person = find_person(email)
        if person is None or not person.is_active:
            queue(mails.unknown(email))
        else:
            queue(mails.exists(person, next_path=next_of(context.request)))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Person,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        if template_prefix in _NOTIFIED:
            queue(mails.password_changed(user))

    # --- signing in ------------------------------------------------------------------------------

    def pre_login(self, request: HttpRequest, user: Person, **kwargs: Any) -> HttpResponse | None:
        """Staff are vouched for by whoever made them staff; a temporary password came through the mailbox."""
        if user.is_active and (user.is_staff or user.must_change_password):
            verify_address(user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: Person) -> None:
        super().login(request, user)
        signed_in_now(user)

    def set_password(self, user: Person, password: str) -> None:
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:profile")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # One count per person, whatever way the address is typed.
        login = credentials.get("email") or credentials.get("username") or ""
        return email_key(login)
