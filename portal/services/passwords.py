"""The one password of a participant: where it is kept, and how its owner chooses it.

On a platform that keeps passwords it is set there, by the one call that is made in a web request: nothing of it is
stored or queued here, and whenever it could not be set nothing has changed and the link still works.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import uuid4

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Person
from accounts.services import ChosenName, use_invitation
from common import outbox
from common.outbox import Draft
from courses.platform import OutcomeState, PlatformAway, Refusal
from courses.platforms import get_platform
from courses.selectors import course_login
from delegation.services import accept

CHANGED_MAIL = "course_password_changed"


class Kept(StrEnum):
    """Where the password is that an invited person needs."""

    HERE = "here"  # in the shop: he chooses it
    THERE = "there"  # on the course platform, with a login that we made: he chooses it
    KNOWN = "known"  # on the course platform, with a login that he had before: there is nothing to choose
    NOT_YET = "not_yet"  # the course platform has no login for him yet


class PasswordNotSet(Exception):
    """The password was not set, and nothing was changed. `field`: where to say so; empty: on top."""

    def __init__(self, code: str, message: str | Promise, *, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field


AWAY = _(
    "The course platform does not answer just now. Nothing was changed, and the link stays valid: try again in a few "
    "minutes."
)
NOT_READY = _(
    "Your way into the courses is not ready yet. Nothing was changed, and the link stays valid: try again in a few minutes."
)


def kept_where(person: Person) -> Kept:
    """Where the password of somebody invited is. At most two queries, none where passwords are the shop's own.

    Who acts for an organisation and is in no course has one here, as on any platform.
    """
    if not get_platform().keeps_passwords:
        return Kept.HERE
    login = course_login(person.pk)
    if login is None:
        return Kept.HERE if person.memberships.exists() else Kept.NOT_YET
    return Kept.THERE if login.is_ours else Kept.KNOWN


def run_set_password(*, person: Person, password: str, name: ChosenName | None = None) -> None:
    """Have the course platform set the password, and the name if given. Raises PasswordNotSet.

    Calls the platform, which answers within 5 seconds or not at all: never inside a transaction.
    """
    platform = get_platform()
    names = {"first_name": name.first_name, "last_name": name.last_name} if name else {}
    try:
        outcome = platform.set_password(person.pk, password, **names)
    except PlatformAway as away:
        raise PasswordNotSet("away", AWAY) from away
    if outcome.state is OutcomeState.UNKNOWN:
        raise PasswordNotSet("away", AWAY)
    if outcome.code == Refusal.BAD_PASSWORD:
        message = _(
            "The course platform refuses this password. Choose a longer one, with capital and small letters, digits and "
            "other signs."
        )
        raise PasswordNotSet(outcome.code, message, field="password")
    if not outcome.ok:
        raise PasswordNotSet(outcome.code, NOT_READY)


def run_use_invitation(*, token: str, person: Person, password: str, name: ChosenName | None) -> Invitation:
    """Set the password on the course platform, then take possession here without one (he signs in by mailed codes).

    May be repeated until it ends well. Raises PasswordNotSet and InvitationClosed, and then the link works as before.
    """
    run_set_password(person=person, password=password, name=name)
    return accept_invited(token=token, password=None, name=name)


def accept_invited(*, token: str, password: str | None, name: ChosenName | None = None) -> Invitation:
    """Use the link of an invitation and accept its account's delegation. Raises InvitationClosed."""
    used = use_invitation(token=token, password=password, name=name)
    accept(account_id=used.account_id, person_id=used.person_id)
    return used


def run_choose_course_password(*, person: Person, password: str) -> None:
    """Somebody who is signed in chooses the password of his own login in the courses. Raises PasswordNotSet.

    Whoever had one already is told by mail, in case that it was not him.
    """
    login = course_login(person.pk)
    if login is None:
        raise PasswordNotSet("not_ready", NOT_READY)
    run_set_password(person=person, password=password)
    if not login.needs_password:
        outbox.queue(
            Draft(
                CHANGED_MAIL,
                person.email,
                f"{CHANGED_MAIL}:{person.pk}:{uuid4()}",
                {"person": person.pk},
                person.language,
            )
        )
