"""Mails to people who were put into a course space: the invitation of newcomers, the news for those who sign in."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.links import sign_in_link
from accounts.models import Invitation
from accounts.services import InvitationClosed
from catalog.models import Shop
from catalog.selectors import get_shop
from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_until
from courses.models import CourseSpace, Enrolment
from portal.mails.letters import (
    information_notice,
    letter,
    way_button,
    way_facts,
    way_in,
    who_invites,
    works_until,
)

INVITATION, ENROLLED = "space_invitation", "space_enrolled"


def register() -> None:
    """Say who renders the kinds of course spaces."""
    outbox.register(INVITATION, render_invitation)
    outbox.register(ENROLLED, render_enrolled)


def render_invitation(mail: OutboxMail) -> Letter:
    """For somebody without a password: who invites, the course, until when, the way in, and why we have the address."""
    enrolment = _enrolment(mail)
    shop = get_shop()
    try:
        way = way_in(
            invitation_id=int(mail.ids["invitation"]),
            next_path=_course_path(enrolment),
            notice_version=shop.notice_version,
        )
    except InvitationClosed:
        # The person has signed in meanwhile: the course is still news.
        return _enrolled(enrolment, shop)
    invitation = Invitation.objects.select_related("invited_by", "account").get(pk=mail.ids["invitation"])
    return letter(
        _subject(enrolment),
        who=who_invites(invitation),
        paragraphs=[_given(enrolment)],
        facts=[*_facts(enrolment), *way_facts(way)],
        button=(way_button(way), way.url),
        after=[works_until(way), *information_notice(shop)],
    )


def render_enrolled(mail: OutboxMail) -> Letter:
    """For somebody who signs in already: a new course."""
    return _enrolled(_enrolment(mail), get_shop())


def _enrolled(enrolment: Enrolment, shop: Shop) -> Letter:
    return letter(
        _subject(enrolment),
        who=_("%(organisation)s has given you a place at %(shop)s.")
        % {"organisation": _space(enrolment).account.name, "shop": shop.name},
        paragraphs=[
            _given(enrolment),
            _("You sign in as usual, as %(email)s.") % {"email": enrolment.person.email},
        ],
        facts=_facts(enrolment),
        button=(_("Open the course"), sign_in_link(_course_path(enrolment))),
        after=information_notice(shop),
    )


def _enrolment(mail: OutboxMail) -> Enrolment:
    """The person's place in the space, as long as it is one."""
    found = (
        Enrolment.objects.holding(now=timezone.now())
        .filter(course__space=mail.ids["space"], person=mail.ids["person"])
        .select_related("person", "course__space__account")
        .first()
    )
    if found is None or not _space(found).lasts():
        raise Undeliverable("the place was taken back, or the space is over")
    return found


def _space(enrolment: Enrolment) -> CourseSpace:
    return enrolment.course.space


def _subject(enrolment: Enrolment) -> str:
    return _("Your place in “%(course)s”") % {"course": enrolment.course.fullname}


def _given(enrolment: Enrolment) -> str:
    return _("%(organisation)s has kept a place for you in the course “%(course)s”.") % {
        "organisation": _space(enrolment).account.name,
        "course": enrolment.course.fullname,
    }


def _facts(enrolment: Enrolment) -> list[tuple[str, str]]:
    return [
        (_("Course"), enrolment.course.fullname),
        (_("Access"), format_until(_space(enrolment).ends_at)),
    ]


def _course_path(enrolment: Enrolment) -> str:
    return reverse("portal:course", args=[enrolment.course.shortname])
