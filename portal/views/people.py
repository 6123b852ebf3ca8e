"""My people: whom an organisation answers for, what it gave them; and who answers for me."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import BigIntegerField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import AccountRequest, account_required, current
from accounts.models import Person
from common.audit import Actor
from delegation.models import Delegation
from delegation.refusals import Refused
from delegation.selectors import PersonRow, answering_for, find_person, my_people
from delegation.services import edit_names, end_delegation
from portal.forms import NamesForm
from seats.selectors import Given, LastMail, given_to, last_mails, mails_of
from seats.views.shared import as_page, asked_page

PER_PAGE = 50
GIVEN_SHOWN = 3  # of what somebody was given, in the list
LONGEST_QUERY = 200
RUNNING = frozenset({"reserved", "assigned", "consumed"})


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A row of My people: who, and what this organisation gave, the newest first."""

    person: PersonRow
    given: list[Given]

    @property
    def shown(self) -> list[Given]:
        return self.given[:GIVEN_SHOWN]

    @property
    def more(self) -> int:
        return len(self.given) - len(self.shown)


@dataclass(frozen=True, slots=True)
class GivenSeat:
    """What somebody was given, and the mails about it, oldest first."""

    given: Given
    mails: list[LastMail]


@account_required("people")
@require_safe
def people(request: AccountRequest) -> HttpResponse:
    """Everybody the organisation answers for."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST_QUERY]
    found = my_people(request.account.pk, query=query, page=asked_page(request), per_page=PER_PAGE)
    given = given_to(request.account.pk, [row.person_id for row in found.rows])
    rows = [ListedPerson(row, given.get(row.person_id, [])) for row in found.rows]
    running = [one for row in rows for one in row.given if one.state in RUNNING]
    mails = last_mails(one.assignment_id for one in running)
    failed = {
        one.seat for one in running if (mail := mails.get(one.assignment_id)) and mail.state == "failed"
    }
    context = {
        "rows": rows,
        "page": as_page(found, PER_PAGE),
        "query": query,
        "failed": failed,
        "may_write": _may_write(request),
    }
    return render(request, "portal/people.html", context)


@account_required("people")
@require_safe
def person(request: AccountRequest, person_id: int) -> HttpResponse:
    """One of the organisation's people: name, seats, mails."""
    return _page(request, _find(request, person_id), None)


def _find(request: AccountRequest, person_id: int) -> PersonRow:
    """Raises Http404 for anybody the organisation does not answer for."""
    _check_number(person_id)
    try:
        return find_person(request.account.pk, person_id)
    except Delegation.DoesNotExist:
        raise Http404 from None


def _check_number(number: int) -> None:
    """Raises Http404 for what no column holds."""
    if number > BigIntegerField.MAX_BIGINT:
        raise Http404


def _page(
    request: AccountRequest, row: PersonRow, form: forms.Form | None, *, status: int = 200
) -> HttpResponse:
    given = given_to(request.account.pk, [row.person_id]).get(row.person_id, [])
    mails = mails_of(one.assignment_id for one in given)
    context = {
        "person": row,
        "given": [GivenSeat(one, mails.get(one.assignment_id, [])) for one in given],
        "form": form or NamesForm(initial={"first_name": row.first_name, "last_name": row.last_name}),
        "running": _running(given),
        "may_write": _may_write(request),
    }
    return render(request, "portal/person.html", context, status=status)


def _running(given: list[Given]) -> int:
    return sum(one.state in RUNNING for one in given)


def _may_write(request: HttpRequest) -> bool:
    access = current(request)
    return access is not None and "seats.write" in access.capabilities


@account_required("seats.write")
@require_POST
def rename(request: AccountRequest, person_id: int) -> HttpResponse:
    """Correct the name by which the organisation knows somebody."""
    row = _find(request, person_id)
    form = NamesForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form)
    try:
        edit_names(
            account_id=request.account.pk,
            person_id=person_id,
            actor=Actor.person(request.user.pk),
            **form.cleaned_data,
        )
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return _page(request, row, form, status=409)
    messages.success(request, _("The name is saved."))
    return redirect("portal:person", person_id)


@account_required("seats.write")
@require_POST
def end(request: AccountRequest, person_id: int) -> HttpResponse:
    """The organisation no longer answers for somebody who has no seat of it any more."""
    row = _find(request, person_id)
    given = given_to(request.account.pk, [person_id]).get(person_id, [])
    if _running(given):
        messages.error(
            request, _("This person still has a seat of yours: take it back first. Nothing was changed.")
        )
        return redirect("portal:person", person_id)
    end_delegation(account_id=request.account.pk, person_id=person_id, actor=Actor.person(request.user.pk))
    messages.success(
        request,
        _("%(name)s is no longer among your people. Give a seat, and they are again.") % {"name": row.name},
    )
    return redirect("portal:people")


# --- the participant's own side ---------------------------------------------------------------------


@login_required
@require_safe
def answering(request: HttpRequest) -> HttpResponse:
    """Who answers for me."""
    me = cast("Person", request.user)
    context: dict[str, Any] = {"answerers": answering_for(me.pk), "place": "portal:my_courses"}
    return render(request, "portal/answering.html", context)


@login_required
@require_POST
def end_answering(request: HttpRequest, account_id: int) -> HttpResponse:
    """I end it that this organisation answers for me; my places stay."""
    _check_number(account_id)
    me = cast("Person", request.user)
    running = get_object_or_404(
        Delegation.objects.select_related("account"), person=me, account=account_id, ended_at=None
    )
    end_delegation(
        account_id=account_id, person_id=me.pk, actor=Actor.person(me.pk), why="asked by the person"
    )
    messages.success(request, _("%(name)s no longer answers for you.") % {"name": running.account.name})
    return redirect("portal:answering")
