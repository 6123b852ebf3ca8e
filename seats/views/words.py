"""Seats in words, as several pages say them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from babel.lists import format_list
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.languages import locale_for
from common.models import OutboxMail
from common.zone import format_until
from seats.models import SeatChange
from seats.selectors import PoolCounts


def pool_option(pool: PoolCounts) -> str:
    """A pool in a list of choices: what, from which order, how many are left, until when."""
    free = ngettext("%(count)d free", "%(count)d free", pool.free) % {"count": pool.free}
    terms = pool_terms(pool)
    name = _("%(item)s, order %(number)s") % {"item": pool.item_name, "number": pool.bill_number}
    return " · ".join([name, free, *terms[:1]])


def pool_terms(pool: PoolCounts) -> list[str]:
    """Until when the seats of a pool may be given, and how long access lasts, each a phrase."""
    terms = []
    if pool.assign_before is not None and (
        pool.access_ends_at is None or pool.assign_before < pool.access_ends_at
    ):
        terms.append(_("to be given %(until)s") % {"until": format_until(pool.assign_before)})
    if pool.access_seconds is not None:
        terms.append(
            _("access for %(duration)s from the day a seat is given") % {"duration": _duration(pool)}
        )
    if pool.access_ends_at is not None:
        terms.append(_("access %(until)s") % {"until": format_until(pool.access_ends_at)})
    return [capfirst(term) for term in terms] or [_("Without an end date")]


def _duration(pool: PoolCounts) -> str:
    length = timedelta(seconds=pool.access_seconds or 0)
    hours = length.seconds // 3600
    parts = []
    if length.days:
        parts.append(ngettext("%(count)d day", "%(count)d days", length.days) % {"count": length.days})
    if hours or not length.days:
        parts.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    return format_list(parts, locale=locale_for())


def mail_word(state: str) -> str:
    """What became of a mail."""
    words = {
        "": _("no mail"),
        OutboxMail.State.QUEUED: _("leaves soon"),
        OutboxMail.State.SENDING: _("is being sent"),
        OutboxMail.State.SENT: _("sent"),
        OutboxMail.State.FAILED: _("could not be sent"),
        OutboxMail.State.CANCELLED: _("not sent: no longer needed"),
    }
    return words[state]


def listed(names: Iterable[str], most: int = 8) -> str:
    """Some names in a row, and how many more there are."""
    shown = list(names)
    more = len(shown) - most
    if more > 1:
        shown = [*shown[:most], ngettext("%(count)d other", "%(count)d others", more) % {"count": more}]
    return format_list(shown, locale=locale_for())


def change_done(kind: str, name: str, new: str = "") -> str:
    """What came of changing one's mind about the seat of `name`; `new` is who has it now, or the right address."""
    words = {
        SeatChange.Kind.RELEASE: _("The seat of %(name)s is free again."),
        SeatChange.Kind.REPLACE: _("%(name)s has the seat in the place of %(before)s and will be invited."),
        SeatChange.Kind.CORRECT: _(
            "The address is now %(email)s. A mail is on its way, and links sent to the old address no longer work."
        ),
    }
    given = {
        SeatChange.Kind.RELEASE: {"name": name},
        SeatChange.Kind.REPLACE: {"name": new, "before": name},
        SeatChange.Kind.CORRECT: {"email": new},
    }
    return words[SeatChange.Kind(kind)] % given[SeatChange.Kind(kind)]


def change_words(kind: str, name: str, new: str) -> str:
    """What is being changed about the seat of `name`."""
    if kind == SeatChange.Kind.REPLACE:
        return _("%(email)s is getting the seat of %(name)s.") % {"email": new, "name": name}
    if kind == SeatChange.Kind.CORRECT:
        return _("The address of %(name)s is being corrected: %(email)s.") % {"email": new, "name": name}
    return _("The seat of %(name)s is being taken back.") % {"name": name}


def changing_word(kind: str) -> str:
    """The same in a few words, for a list."""
    words = {
        SeatChange.Kind.RELEASE: _("being taken back"),
        SeatChange.Kind.REPLACE: _("being replaced"),
        SeatChange.Kind.CORRECT: _("address being corrected"),
    }
    return words[SeatChange.Kind(kind)]
