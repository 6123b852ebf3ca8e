"""What the letters of this app share: the seller's head and foot, and the ways in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.links import on_this_site, sign_in_link, with_next
from accounts.models import Invitation
from accounts.services import issue_password, issue_token
from catalog.models import Shop
from catalog.selectors import get_shop
from common.languages import is_french
from common.outbox import Letter
from common.typography import french_spaces
from common.zone import format_day


@dataclass(frozen=True, slots=True)
class WayIn:
    """How an invited person comes in: through a one-use link, or with a temporary password."""

    url: str
    user_name: str
    password: str  # empty: the link is enough
    works_until: datetime


def way_in(*, invitation_id: int, next_path: str = "", notice_version: str = "") -> WayIn:
    """Make the link or the temporary password (SHOPSEATS_CREDENTIALS) of an invitation that is being mailed.

    `next_path` is a page of this site to go to afterwards; `notice_version` says which information notice the mail
    carries. Raises accounts.services.InvitationClosed when nobody is to be invited any more.
    """
    password = ""
    if settings.SHOPSEATS_CREDENTIALS == "password":
        password = issue_password(invitation_id=invitation_id, notice_version=notice_version)
        url = sign_in_link(next_path)
    else:
        token = issue_token(invitation_id=invitation_id, notice_version=notice_version)
        url = on_this_site(with_next(reverse("portal:invitation", args=[token]), next_path))
    invitation = Invitation.objects.select_related("person").get(pk=invitation_id)
    assert invitation.expires_at is not None  # noqa: S101
    return WayIn(url, invitation.person.email, password, invitation.expires_at)


def letter(
    subject: str,
    *,
    paragraphs: Sequence[str],
    button: tuple[str, str],
    who: str = "",
    facts: Sequence[tuple[str, str]] = (),
    after: Sequence[str] = (),
    template: str = "letter",
    **context: Any,
) -> Letter:
    """A letter of the seller: who writes and why, paragraphs, facts (label, value), one button, a few words after."""
    shop = get_shop()
    label, url = button
    context |= {
        "seller": shop,
        "subject": subject,
        "who": who,
        "paragraphs": paragraphs,
        "facts": facts,
        "after": after,
        "button_label": label,
        "button_url": url,
    }
    return Letter(
        subject=subject,
        text=render_to_string(f"mail/{template}.txt", context),
        html=render_to_string(f"mail/{template}.html", context),
        sender=formataddr((shop.name, shop.mail_sender)) if shop.mail_sender else "",
        reply_to=(shop.help_email,) if shop.help_email else (),
    )


def who_invites(invitation: Invitation) -> str:
    """The first sentence of an invitation: who writes, for which organisation."""
    names = {"organisation": invitation.account.name, "shop": get_shop().name}
    if invitation.invited_by is None:
        return _("%(organisation)s invites you to %(shop)s.") % names
    return _("%(name)s of %(organisation)s invites you to %(shop)s.") % (
        names | {"name": invitation.invited_by.name}
    )


def way_facts(way: WayIn) -> list[tuple[str, str]]:
    """What somebody needs to sign in."""
    facts = [(_("Your user name"), way.user_name)]
    if way.password:
        facts.append((_("Your temporary password"), way.password))
    return facts


def way_button(way: WayIn) -> str:
    """What the button of an invitation says."""
    return _("Sign in") if way.password else _("Choose my password and begin")


def works_until(way: WayIn) -> str:
    """Until when link or temporary password work."""
    words = (
        _("The temporary password works until %(day)s.")
        if way.password
        else _("The link works once, until %(day)s.")
    )
    return words % {"day": format_day(way.works_until)}


def information_notice(shop: Shop) -> list[str]:
    """The information that art. 14 GDPR asks for at the first message, with its version."""
    if not shop.notice:
        return []
    notice = french_spaces(shop.notice) if is_french() else shop.notice
    return [notice, _("(Information notice, version %(version)s)") % {"version": shop.notice_version}]
