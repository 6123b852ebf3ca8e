"""Sentences that several handlers say."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from common.zone import format_instant, format_until


def access_dates(starts: datetime, ends: datetime | None) -> str:
    """When access starts and how long it lasts, as people read it."""
    shown = format_instant(starts)
    if ends is None:
        return _("Access starts on %(start)s and has no end.") % {"start": shown}
    return _("Access starts on %(start)s and lasts %(until)s.") % {
        "start": shown,
        "until": format_until(ends),
    }
