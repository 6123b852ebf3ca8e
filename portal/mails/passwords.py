"""Mails about the password for courses that live elsewhere."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.links import sign_in_link
from accounts.models import Person
from catalog.selectors import get_shop
from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from courses.selectors import course_login
from portal.mails.letters import letter
from portal.services.passwords import CHANGED_MAIL


def register() -> None:
    """Say who renders the kinds of passwords."""
    outbox.register(CHANGED_MAIL, render_changed)


def render_changed(mail: OutboxMail) -> Letter:
    """News for the owner of a login in the courses whose password was chosen anew."""
    person = Person.objects.filter(pk=mail.ids["person"], is_active=True).first()
    login = course_login(person.pk) if person else None
    if person is None or login is None:
        raise Undeliverable("the person or the login is gone")
    return letter(
        _("Your password for the courses was changed"),
        paragraphs=[
            _("Somebody signed in at %(shop)s as %(email)s has chosen it. If it was you, all is well.")
            % {"shop": get_shop().name, "email": person.email}
        ],
        facts=[(_("Your user name for the courses"), login.username)],
        button=(
            _("It was not me: choose another password"),
            sign_in_link(reverse("portal:course_password")),
        ),
    )
