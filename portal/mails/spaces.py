"""Mails to people who were put into a course space: the invitation of newcomers, the news for those who have been here."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_until
from courses.models import Enrolment
from portal.mails.letters import Place, place_invitation, place_news

INVITATION, ENROLLED = "space_invitation", "space_enrolled"


def register() -> None:
    """Say who renders the kinds of course spaces."""
    outbox.register(INVITATION, render_invitation)
    outbox.register(ENROLLED, render_enrolled)


def render_invitation(mail: OutboxMail) -> Letter:
    """For somebody without a password."""
    return place_invitation(_place(mail), invitation_id=int(mail.ids["invitation"]))


def render_enrolled(mail: OutboxMail) -> Letter:
    """For somebody who signs in already."""
    return place_news(_place(mail))


def _place(mail: OutboxMail) -> Place:
    """The person's place in the space, as long as it is one."""
    found = (
        Enrolment.objects.holding(now=timezone.now())
        .filter(course__space=mail.ids["space"], person=mail.ids["person"])
        .select_related("person", "course__space__account")
        .first()
    )
    if found is None or not found.course.space.lasts():
        raise Undeliverable("the place was taken back, or the space is over")
    space = found.course.space
    return Place(
        account=space.account,
        course=found.course,
        person_id=found.person_id,
        email=found.person.email,
        facts=[(_("Course"), found.course.fullname), (_("Access"), format_until(space.ends_at))],
    )
