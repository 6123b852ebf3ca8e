"""The links that mails carry: addresses on this site, made from ids while a mail is sent."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import Person

LONGEST_NEXT = 300


def safe_next(path: str | None) -> str:
    """A path on this site to go to afterwards; "" for anything else."""
    if not path or len(path) > LONGEST_NEXT or not path.startswith("/"):
        return ""
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


def next_of(request: HttpRequest) -> str:
    """The page that a request says to go to afterwards, if it is on this site; "" otherwise."""
    return safe_next(request.POST.get("next") or request.GET.get("next"))


def with_next(path: str, next_path: str) -> str:
    """The path, carrying the page to go to afterwards when there is one."""
    return f"{path}?{urlencode({'next': next_path})}" if next_path else path


def on_this_site(path: str) -> str:
    """The whole address of a path, for a mail."""
    return f"{settings.SHOPSEATS_URL}{path}"


def sign_in_link(next_path: str = "") -> str:
    return on_this_site(with_next(reverse("account_login"), next_path))


def sign_up_link(next_path: str = "") -> str:
    return on_this_site(with_next(reverse("account_signup"), next_path))


def confirmation_link(address: EmailAddress, next_path: str = "") -> str:
    """Confirms an address; signed, not stored. Works for ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS."""
    key = EmailConfirmationHMAC(address).key
    return on_this_site(with_next(reverse("account_confirm_email", args=[key]), next_path))


def password_link(person: Person, next_path: str = "") -> str:
    """Chooses a new password, once; signed, not stored. Works for PASSWORD_RESET_TIMEOUT seconds."""
    token = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), token])
    return on_this_site(with_next(path, next_path))
