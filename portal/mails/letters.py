"""What the letters of this app share: the seller's head and foot, the ways in, and the news of a place in a course."""

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
from accounts.models import CustomerAccount, Invitation
from accounts.services import InvitationClosed, issue_password, issue_token
from catalog.models import Shop
from catalog.selectors import get_shop
from common.languages import is_french
from common.outbox import Letter
from common.typography import french_spaces
from common.zone import format_day
from courses.models import Course, PlatformLogin
from courses.selectors import course_address, course_login


@dataclass(frozen=True, slots=True)
class WayIn:
    """How an invited person comes in: through a one-use link, or with a temporary password."""

    url: str
    user_name: str
    password: str  # empty: the link is enough
    works_until: datetime
    login: PlatformLogin | None = None  # on a platform that keeps passwords


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
    login = course_login(invitation.person_id)
    user_name = login.username if login else invitation.person.email
    return WayIn(url, user_name, password, invitation.expires_at, login)


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
    facts = [(_("Your user name for the courses") if way.login else _("Your user name"), way.user_name)]
    if way.password:
        facts.append((_("Your temporary password"), way.password))
    return facts


def way_button(way: WayIn) -> str:
    """What the button of an invitation says."""
    if way.login and not way.login.is_ours:
        return _("Begin")
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


# --- a place in a course ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a course that somebody was given, and what he is told of it."""

    account: CustomerAccount
    course: Course
    person_id: int | None
    email: str
    facts: Sequence[tuple[str, str]]


def place_invitation(place: Place, *, invitation_id: int) -> Letter:
    """For somebody who has not been here yet: who invites, the course, the dates, the way in, why we have the address.

    Whoever has come meanwhile reads the news.
    """
    shop = get_shop()
    try:
        way = way_in(
            invitation_id=invitation_id,
            next_path=_course_path(place.course),
            notice_version=shop.notice_version,
        )
    except InvitationClosed:
        return place_news(place)
    invitation = Invitation.objects.select_related("invited_by", "account").get(pk=invitation_id)
    return letter(
        _place_subject(place),
        who=who_invites(invitation),
        paragraphs=[_place_given(place)],
        facts=[*place.facts, *way_facts(way)],
        button=(way_button(way), way.url),
        after=[works_until(way), *information_notice(shop)],
    )


def place_news(place: Place) -> Letter:
    """For somebody who has been here: a new course, and how he gets in. To a course elsewhere the button leads at once."""
    shop = get_shop()
    login = course_login(place.person_id)
    address = course_address(place.course.pk)
    facts = list(place.facts)
    if login:
        facts.append((_("Your user name for the courses"), login.username))
    path = _course_path(place.course)
    if login and login.needs_password:
        words = _("Only a password for the courses is missing: sign in here as %(email)s and choose it.")
        choose = with_next(reverse("portal:course_password"), path)
        button = (_("Choose my password"), sign_in_link(choose))
    elif address:
        words = _("You sign in to the courses as usual.")
        button = (_("Open the course"), address)
    else:
        words = _("You sign in as usual, as %(email)s.")
        button = (_("Open the course"), sign_in_link(path))
    return letter(
        _place_subject(place),
        who=_("%(organisation)s has given you a place at %(shop)s.")
        % {"organisation": place.account.name, "shop": shop.name},
        paragraphs=[_place_given(place), words % {"email": place.email}],
        facts=facts,
        button=button,
        after=information_notice(shop),
    )


def _place_subject(place: Place) -> str:
    return _("Your place in “%(course)s”") % {"course": place.course.fullname}


def _place_given(place: Place) -> str:
    return _("%(organisation)s has kept a place for you in the course “%(course)s”.") % {
        "organisation": place.account.name,
        "course": place.course.fullname,
    }


def _course_path(course: Course) -> str:
    return reverse("portal:course", args=[course.shortname])
