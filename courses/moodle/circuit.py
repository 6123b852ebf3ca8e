"""A circuit breaker for a site, shared by all processes through its row `PlatformSite`.

After three failures in a row nobody asks for 15 seconds, then 30, 60 … at most 5 minutes. When the time is over one
call is let through as a probe; what becomes of it decides. Where an administrator has to change something at the site
as a whole, one refusal is enough and the pause is a minute.

The row is written when something changes, and read once a second by each process at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.models import PlatformSite
from courses.moodle.errors import MoodleAway, MoodleMisconfigured, MoodleRefused, OutcomeUnknown
from courses.platform import PlatformAway

FAILURES_BEFORE = 3
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
ADMIN_PAUSE = timedelta(minutes=1)
LOOK_EVERY = 1.0  # seconds
# How often the row is told again what it says already: that the site answers, or what it refuses.
NOTE_EVERY = timedelta(minutes=1)

_seen: dict[str, tuple[float, PlatformSite]] = {}


@contextmanager
def passing(platform: str, *, seconds: float) -> Iterator[None]:
    """Let one call of at most `seconds` through, and note what became of it. Raises MoodleAway when none is let."""
    site, probing = _admitted(platform, seconds)
    try:
        yield
    except MoodleMisconfigured as error:
        _note_refusal(site, error, probing=probing)
        raise
    except (PlatformAway, OutcomeUnknown) as error:
        _note_failure(platform, str(error), probing=probing)
        raise
    except MoodleRefused:
        _note_answer(site, probing=probing)
        raise
    except BaseException:
        if probing:  # it told us nothing: the next call is the probe
            _change(platform, {"open_until": site.open_until}, open_until=timezone.now())
        raise
    _note_answer(site, probing=probing)


def forget() -> None:
    """Read the rows anew at the next call."""
    _seen.clear()


def _look(platform: str, *, anew: bool = False) -> PlatformSite:
    """The row, as it was at most a second ago."""
    found = _seen.get(platform)
    if anew or found is None or not 0 <= time.monotonic() - found[0] <= LOOK_EVERY:
        site = PlatformSite.objects.filter(platform=platform).first()
        if site is None:
            PlatformSite.objects.bulk_create([PlatformSite(platform=platform)], ignore_conflicts=True)
            site = PlatformSite.objects.get(platform=platform)
        found = _seen[platform] = (time.monotonic(), site)
    return copy(found[1])


def _admitted(platform: str, seconds: float) -> tuple[PlatformSite, bool]:
    """The row, and whether this call is the probe. Raises MoodleAway."""
    for anew in (False, True):
        site = _look(platform, anew=anew)
        now = timezone.now()
        if site.open_until is None:
            return site, False
        if site.open_until <= now:
            # Should this process end before it has an answer, another probe follows.
            until = now + timedelta(seconds=seconds + 5)
            if _change(platform, {"open_until": site.open_until}, open_until=until):
                site.open_until = until
                return site, True
    raise MoodleAway(
        _("Moodle is not asked for a moment, because it failed: %(reason)s") % {"reason": site.last_error}
    )


def _change(platform: str, expected: dict[str, Any], **fields: Any) -> bool:
    """Write to the row if it still is as expected."""
    changed = PlatformSite.objects.filter(platform=platform, **expected).update(**fields)
    _seen.pop(platform, None)
    return bool(changed)


def _note_answer(site: PlatformSite, *, probing: bool) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {"last_ok_at": now}
    if probing or site.failures:
        fields |= {"failures": 0, "open_until": None}
    # A refusal that concerned one function or course is no longer news when other calls were fine for a while.
    if site.needs_admin and (probing or site.last_error_at is None or site.last_error_at <= now - NOTE_EVERY):
        fields["needs_admin"] = False
    if len(fields) == 1 and site.last_ok_at is not None and site.last_ok_at > now - NOTE_EVERY:
        return
    # Who began before the circuit was opened does not close it.
    _change(site.platform, {"open_until": site.open_until}, **fields)


def _note_refusal(site: PlatformSite, error: MoodleMisconfigured, *, probing: bool) -> None:
    """It answers, and wants an administrator."""
    now = timezone.now()
    fields: dict[str, Any] = {"needs_admin": True, "last_error": str(error), "last_error_at": now}
    if error.whole_site:
        fields |= {"open_until": now + ADMIN_PAUSE, "failures": max(site.failures, 1)}
    elif probing or site.failures:
        fields |= {"open_until": None, "failures": 0}
    elif site.needs_admin and site.last_error == str(error) and site.last_error_at is not None:
        if site.last_error_at > now - NOTE_EVERY:
            return
    _change(site.platform, {"open_until": site.open_until}, **fields)


def _note_failure(platform: str, reason: str, *, probing: bool) -> None:
    with transaction.atomic():
        site = PlatformSite.objects.select_for_update(no_key=True).get(platform=platform)
        now = timezone.now()
        if not probing and site.open_until is not None:
            return  # it had begun before the circuit was opened
        site.failures += 1
        if probing or site.failures >= FAILURES_BEFORE:
            site.open_until = now + _pause(site.failures)
        site.needs_admin = False
        site.last_error, site.last_error_at = reason, now
        site.save(update_fields=["failures", "open_until", "needs_admin", "last_error", "last_error_at"])
    _seen.pop(platform, None)


def _pause(failures: int) -> timedelta:
    doublings = min(max(failures - FAILURES_BEFORE, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
