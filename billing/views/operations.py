"""The operators' page: how the course platform is, what waits and why, what was given up."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import signed_in
from billing import production
from billing.selectors import platform_health, watch
from billing.selectors.waiting import (
    WaitingPage,
    unfinished_jobs,
    unfinished_runs,
    unsent_mails,
    waiting_jobs,
    waiting_mails,
    waiting_runs,
)
from billing.services.operating import retry_job, retry_mail, try_now
from common.audit import OPERATOR, Actor

SEE, ACT = "common.view_job", "common.change_job"
View = Callable[..., HttpResponse]


def operators_only(permission: str) -> Callable[[View], View]:
    """For staff with this permission; for others than staff there is no such page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
            person = signed_in(request)
            if person is None or not person.is_staff:
                raise Http404
            if not person.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **options)

        return login_required(never_cache(checked))

    return decorate


@require_safe
@operators_only(SEE)
def jobs(request: HttpRequest) -> HttpResponse:
    """Long work: lists of people, changes of seats and spaces that the platform is to be told of."""
    found = waiting_jobs(request.GET.get("page", "1"), kind=request.GET.get("kind", ""))
    return _page(request, found, "billing:job_again")


@require_safe
@operators_only(SEE)
def deliveries(request: HttpRequest) -> HttpResponse:
    """Deliveries of orders."""
    return _page(request, waiting_runs(request.GET.get("page", "1")), "billing:delivery_again")


@require_safe
@operators_only(SEE)
def mails(request: HttpRequest) -> HttpResponse:
    """Mails that have not left."""
    return _page(request, waiting_mails(request.GET.get("page", "1")), "billing:mail_again")


def _page(request: HttpRequest, found: WaitingPage, again: str) -> HttpResponse:
    tables = [
        ("billing:operations", _("Work"), unfinished_jobs()),
        ("billing:operations_deliveries", _("Deliveries"), unfinished_runs()),
        ("billing:operations_mails", _("Mails"), unsent_mails()),
    ]
    counts = [table.order_by().count() for _name, _label, table in tables]
    seen = watch()
    context = {
        "platform": platform_health(),
        "failed": seen.failed_jobs + seen.failed_runs + seen.failed_mails,
        "page": found.page,
        "rows": found.rows,
        "kinds": [("", _("All"), sum(kind[2] for kind in found.kinds)), *found.kinds] if found.kinds else [],
        "tabs": [
            (reverse(name), label, count) for (name, label, _table), count in zip(tables, counts, strict=True)
        ],
        "number": sum(counts),
        "again": again,
        "may_act": request.user.has_perm(ACT),
    }
    return render(request, "billing/operations.html", context)


@require_POST
@operators_only(ACT)
def try_platform(request: HttpRequest) -> HttpResponse:
    """Ask the platform again, whatever the circuit breaker says; workers do."""
    called = try_now(actor=_actor(request))
    messages.success(
        request,
        ngettext(
            "The platform is asked again, and %(count)d piece of work that waited for it goes on.",
            "The platform is asked again, and %(count)d pieces of work that waited for it go on.",
            called,
        )
        % {"count": called},
    )
    return redirect("billing:operations")


@require_POST
@operators_only(ACT)
def job_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A job that was given up goes on."""
    return _said(request, retry_job(job_id=pk, actor=_actor(request)), "billing:operations")


@require_POST
@operators_only(ACT)
def delivery_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A delivery that failed is tried again."""
    queued = production.retry(run_id=pk, actor=_actor(request))
    return _said(request, queued, "billing:operations_deliveries")


@require_POST
@operators_only(ACT)
def mail_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail that was given up has one more attempt."""
    return _said(request, retry_mail(mail_id=pk, actor=_actor(request)), "billing:operations_mails")


def _said(request: HttpRequest, queued: bool, place: str) -> HttpResponse:
    if queued:
        messages.success(request, _("It is tried again."))
    else:
        messages.info(request, _("Nothing was done: it is no longer given up."))
    return redirect(place)


def _actor(request: HttpRequest) -> Actor:
    person = signed_in(request)
    return Actor.person(person.pk) if person else OPERATOR
