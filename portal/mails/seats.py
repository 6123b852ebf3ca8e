"""Mails to people who were given a seat: the invitation of newcomers, the news for those who have been here."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_instant, format_until
from portal.mails.letters import Place, place_invitation, place_news
from seats.models import Assignment


def register() -> None:
    """Say who renders the kinds of seats."""
    outbox.register("invitation", render_invitation)
    outbox.register("enrolled", render_enrolled)


def render_invitation(mail: OutboxMail) -> Letter:
    """For somebody without a password."""
    return place_invitation(_place(mail), invitation_id=int(mail.ids["invitation"]))


def render_enrolled(mail: OutboxMail) -> Letter:
    """For somebody who signs in already."""
    return place_news(_place(mail))


def _place(mail: OutboxMail) -> Place:
    assignment = (
        Assignment.objects.select_related("person", "account", "course")
        .filter(pk=mail.ids["assignment"], ended_at=None)
        .first()
    )
    if assignment is None:
        raise Undeliverable("the seat was taken back")
    return Place(
        account=assignment.account,
        course=assignment.course,
        person_id=assignment.person_id,
        email=assignment.email,
        facts=_facts(assignment),
    )


def _facts(assignment: Assignment) -> list[tuple[str, str]]:
    facts = [(_("Course"), assignment.course.fullname)]
    if assignment.starts_at > assignment.created_at:
        facts.append((_("Opens"), format_instant(assignment.starts_at)))
    ends = format_until(assignment.ends_at) if assignment.ends_at else _("without an end")
    facts.append((_("Access"), ends))
    return facts
