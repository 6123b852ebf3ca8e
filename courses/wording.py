"""Why a course platform refuses something, in a few words that stand alone or in brackets within a sentence."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _

from courses.platform import Refusal

REFUSAL_WORDS = {
    Refusal.UNKNOWN_COURSE: _("the course is no longer on the course platform"),
    Refusal.UNKNOWN_PERSON: _("the course platform does not know this person"),
    Refusal.UNKNOWN_ROLE: _("this role cannot be given on the course platform"),
    Refusal.BAD_DATES: _("the end is not after the start"),
    Refusal.BAD_GROUP: _("the course platform does not take the group"),
    Refusal.NOT_ENROLLED: _("this person is not in the course"),
    Refusal.FULL: _("the course is full"),
    Refusal.UNKNOWN_CATEGORY: _("the course category is no longer on the course platform"),
    Refusal.UNKNOWN_TEMPLATE: _("the template is no longer on the course platform"),
    Refusal.NO_BACKUP: _("the template has no backup without user data"),
    Refusal.BAD_NAME: _("the course platform does not take the name of the course"),
    Refusal.NAME_TAKEN: _("another course has this short name"),
    Refusal.UNKNOWN_BACKUP: _("the backup is no longer on the course platform"),
    Refusal.BAD_ADDRESS: _("the course platform does not take this address"),
    Refusal.BAD_PASSWORD: _("the course platform does not take this password"),
    Refusal.NOT_OURS: _("the login on the course platform was not made by us"),
    Refusal.HAS_GROUPS: _("the template has groups, which would come along"),
    Refusal.NO_ENROLMENTS: _("nobody can be enrolled in this course at the moment"),
    Refusal.NOT_ACCEPTED: _("the course platform does not say why"),
    Refusal.LOGIN_SUSPENDED: _("the login on the course platform is closed"),
    Refusal.LOGIN_UNCONFIRMED: _("the login on the course platform was never confirmed by its owner"),
    Refusal.LOGIN_CLOSED: _("the login on the course platform is closed"),
    Refusal.LOGIN_TAKEN: _("the login on the course platform is somebody else’s"),
}


def refusal_words(code: str) -> str:
    """The words for a code, in the active language; of a code of the platform's own, that it is what the platform says."""
    words = REFUSAL_WORDS.get(code)  # type: ignore[call-overload]
    if words is None:
        return _gettext("the course platform says “%(code)s”") % {"code": code}
    return str(words)


lazy_refusal_words = lazy(refusal_words, str)
