"""What waits because somebody changed his mind about a seat of a remote platform, for pages that ask about it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import AccountRequest, account_required
from seats.selectors import Change, change_of, changes_of
from seats.views.shared import fetch_seat

NOTHING_NEW = 204  # htmx leaves the page as it is
AFRESH = {"HX-Refresh": "true"}


@login_required
@never_cache
@require_safe
def of_seat(request: HttpRequest, reference: str) -> HttpResponse:
    """Whether something else is to be said about a seat: then its page loads anew."""
    found = fetch_seat(request, reference, write=False)
    change = change_of(found.pk)
    return _answer(request, [change] if change is not None else [])


@account_required("seats.read")
@never_cache
@require_safe
def of_account(request: AccountRequest) -> HttpResponse:
    """The same about all seats of the organisation."""
    return _answer(request, changes_of(request.account.pk))


def _answer(request: HttpRequest, changes: list[Change]) -> HttpResponse:
    if request.GET.get("told", "") == told(changes):
        return HttpResponse(status=NOTHING_NEW)
    return HttpResponse(headers=AFRESH)


def told(changes: list[Change]) -> str:
    """What a page has said, in short."""
    return ",".join(change.told for change in changes)
