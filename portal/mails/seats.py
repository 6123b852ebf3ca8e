"""Mails to people who were given a seat: the invitation of newcomers, the news for those who sign in already."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.links import sign_in_link
from accounts.models import Invitation
from accounts.services import InvitationClosed
from catalog.models import Shop
from catalog.selectors import get_shop
from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_instant, format_until
from portal.mails.letters import (
    information_notice,
    letter,
    way_button,
    way_facts,
    way_in,
    who_invites,
    works_until,
)
from seats.models import Assignment


def register() -> None:
    """Say who renders the kinds of seats."""
    outbox.register("invitation", render_invitation)
    outbox.register("enrolled", render_enrolled)


def render_invitation(mail: OutboxMail) -> Letter:
    """For somebody without a password: who invites, the course, the dates, the way in, and why we have the address."""
    assignment = _assignment(mail)
    shop = get_shop()
    try:
        way = way_in(
            invitation_id=int(mail.ids["invitation"]),
            next_path=_course_path(assignment),
            notice_version=shop.notice_version,
        )
    except InvitationClosed:
        # The person has signed in meanwhile: the seat is still news.
        return _enrolled(assignment, shop)
    invitation = Invitation.objects.select_related("invited_by", "account").get(pk=mail.ids["invitation"])
    return letter(
        _subject(assignment),
        who=who_invites(invitation),
        paragraphs=[_given(assignment)],
        facts=[*_course_facts(assignment), *way_facts(way)],
        button=(way_button(way), way.url),
        after=[works_until(way), *information_notice(shop)],
    )


def render_enrolled(mail: OutboxMail) -> Letter:
    """For somebody who signs in already: a new course."""
    return _enrolled(_assignment(mail), get_shop())


def _enrolled(assignment: Assignment, shop: Shop) -> Letter:
    return letter(
        _subject(assignment),
        who=_("%(organisation)s has given you a place at %(shop)s.")
        % {"organisation": assignment.account.name, "shop": shop.name},
        paragraphs=[
            _given(assignment),
            _("You sign in as usual, as %(email)s.") % {"email": assignment.email},
        ],
        facts=_course_facts(assignment),
        button=(_("Open the course"), sign_in_link(_course_path(assignment))),
        after=information_notice(shop),
    )


def _assignment(mail: OutboxMail) -> Assignment:
    found = (
        Assignment.objects.select_related("person", "account", "course")
        .filter(pk=mail.ids["assignment"], ended_at=None)
        .first()
    )
    if found is None:
        raise Undeliverable("the seat was taken back")
    return found


def _subject(assignment: Assignment) -> str:
    return _("Your place in “%(course)s”") % {"course": assignment.course.fullname}


def _given(assignment: Assignment) -> str:
    return _("%(organisation)s has kept a place for you in the course “%(course)s”.") % {
        "organisation": assignment.account.name,
        "course": assignment.course.fullname,
    }


def _course_facts(assignment: Assignment) -> list[tuple[str, str]]:
    facts = [(_("Course"), assignment.course.fullname)]
    if assignment.starts_at > assignment.created_at:
        facts.append((_("Opens"), format_instant(assignment.starts_at)))
    ends = format_until(assignment.ends_at) if assignment.ends_at else _("without an end")
    facts.append((_("Access"), ends))
    return facts


def _course_path(assignment: Assignment) -> str:
    return reverse("portal:course", args=[assignment.course.shortname])
