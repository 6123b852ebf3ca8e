"""One seat: who sits in it, what happened to it, and what may still be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.listing import from_rows
from courses.models import Course
from seats import services
from seats.forms import AddressForm, OtherPersonForm
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatChange
from seats.selectors import SeatRow, SeatState, change_of, covers, find_seat, mails_of, seat_history
from seats.selectors.refusing import refusal, started_since
from seats.services import Refused
from seats.views.shared import actor, back, fetch_seat, names_of_actors, object_context
from seats.views.words import change_done

Kind = SeatChange.Kind
TAKEN = "seats_taken_back"  # in the session: the seat that was taken back just now


@dataclass(frozen=True, slots=True)
class Away:
    """Who sat in a free seat last, until he was taken out: he may have it again."""

    assignment: Assignment
    can_return: bool

    @property
    def name(self) -> str:
        one = self.assignment
        return f"{one.first_name} {one.last_name}".strip() or one.email


@dataclass
class Answers:
    """What came of an action that did not go through: its form as typed, or why it was refused."""

    refused: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)


@login_required
@require_safe
def seat(request: HttpRequest, reference: str) -> HttpResponse:
    """The page of a seat."""
    found = fetch_seat(request, reference, write=False)
    if found.reference != reference:
        return redirect("seats:seat", found.reference)
    return _page(request, found, Answers())


def _page(request: HttpRequest, found: Seat, answers: Answers, *, status: int = 200) -> HttpResponse:
    row = find_seat(found.reference, account_id=found.account_id)
    history = seat_history(found.reference, account_id=found.account_id)
    names = names_of_actors(found.account, [step.by for step in history])
    courses = _course_names({step.course for step in history} - {""})
    sitter = row.sitter
    forget_taken_back(request)
    context = object_context(request, found.account) | {
        "seat": row,
        "history": [
            (step, names.get(step.by, _("somebody who has left your team")), courses.get(step.course, ""))
            for step in reversed(history)
        ],
        "mails": list(reversed(mails_of([sitter.assignment_id]).get(sitter.assignment_id, [])))
        if sitter
        else [],
        "away": _away(found) if row.state is SeatState.FREE else None,
        "change": change_of(found.pk),
        "off": why_not(row),
        "refused": answers.refused,
        "replace_form": answers.forms.get("replace") or OtherPersonForm(prefix="replace"),
        "correct_form": answers.forms.get("correct")
        or AddressForm(prefix="correct", initial={"email": sitter.email if sitter else ""}),
    }
    return render(request, "seats/seat.html", context, status=status)


def _course_names(shortnames: set[str]) -> dict[str, str]:
    """What the courses of a history are called. One query."""
    return dict(Course.objects.filter(shortname__in=shortnames).values_list("shortname", "fullname"))


def why_not(row: SeatRow) -> str | Promise:
    """Why nothing about a seat can be changed now; empty when it can."""
    if row.changing:
        return refusal("busy", by="change").message
    if row.state is SeatState.ASSIGNED:
        return ""
    if row.state is SeatState.CONSUMED and row.sitter and row.sitter.opened_at:
        return started_since(row.sitter.opened_at)
    if row.state is SeatState.RESERVED:
        return refusal("busy").message
    return refusal("free" if row.state is SeatState.FREE else "ended").message


def _away(found: Seat) -> Away | None:
    """Who was taken out of this free seat last."""
    last = found.assignments.select_related("course", "seat__pool").order_by("-id").first()
    if last is None or last.end_reason != Assignment.EndReason.TAKEN_BACK:
        return None
    return Away(last, can_return=covers(last.seat.pool, last.course))


def taken_back_just_now(request: HttpRequest, account_id: int) -> Away | None:
    """The seat that this visitor took back on the page before, once."""
    reference = forget_taken_back(request)
    if not reference:
        return None
    found = Seat.objects.filter(reference=reference, account=account_id).first()
    row = find_seat(reference) if found is not None else None
    if found is None or row is None or row.state is not SeatState.FREE:
        if row is not None and row.changing:
            request.session[TAKEN] = reference  # once the platform has been told
        return None
    away = _away(found)
    return away if away and away.can_return else None


def forget_taken_back(request: HttpRequest) -> str:
    """The reference in the session, which is told once."""
    return str(request.session.pop(TAKEN)) if TAKEN in request.session else ""


# --- actions ----------------------------------------------------------------------------------------


@login_required
@require_POST
def release(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the seat back. It is not asked about twice: the next page offers to give it again."""
    found = fetch_seat(request, reference, write=True)
    name = _name(found)

    def do() -> SeatChange | None:
        change = _start(request, found, Kind.RELEASE)
        request.session[TAKEN] = found.reference
        return change

    said = _tried(request, found, "release", do)
    if said is not None:
        return said
    if not request.POST.get("next"):
        messages.success(request, change_done(Kind.RELEASE, name))
    return back(request, "seats:seat", found.reference)


@login_required
@require_POST
def resend(request: HttpRequest, reference: str) -> HttpResponse:
    """Write once more to whoever has the seat and has not come."""
    found = fetch_seat(request, reference, write=True)
    name = _name(found)
    sitter = find_seat(found.reference).sitter

    def do() -> None:
        if sitter is None:
            raise refusal("free")
        services.resend(assignment_id=sitter.assignment_id, account_id=found.account_id, actor=actor(request))

    said = _tried(request, found, "resend", do)
    if said is not None:
        return said
    messages.success(request, _("A mail is on its way to %(name)s.") % {"name": name})
    return back(request, "seats:seat", found.reference)


@login_required
@require_POST
def replace(request: HttpRequest, reference: str) -> HttpResponse:
    """Give the seat to somebody else."""
    found = fetch_seat(request, reference, write=True)
    before = _name(found)
    form = OtherPersonForm(request.POST, prefix="replace")

    said = _tried(
        request, found, "replace", lambda: _start(request, found, Kind.REPLACE, **form.cleaned_data), form
    )
    if said is not None:
        return said
    messages.success(request, change_done(Kind.REPLACE, before, _name(found)))
    return redirect("seats:seat", found.reference)


@login_required
@require_POST
def correct(request: HttpRequest, reference: str) -> HttpResponse:
    """The address was mistyped: everything unopened that was given to it goes to the right one."""
    found = fetch_seat(request, reference, write=True)
    form = AddressForm(request.POST, prefix="correct")

    said = _tried(
        request, found, "correct", lambda: _start(request, found, Kind.CORRECT, **form.cleaned_data), form
    )
    if said is not None:
        return said
    sitter = find_seat(found.reference).sitter
    messages.success(request, change_done(Kind.CORRECT, "", sitter.email if sitter else ""))
    return redirect("seats:seat", found.reference)


@login_required
@require_POST
def again(request: HttpRequest, reference: str) -> HttpResponse:
    """Undo: whoever was taken out of this free seat gets a seat again, from the same pool, by a list of one."""
    found = fetch_seat(request, reference, write=True)
    away = _away(found) if find_seat(found.reference).state is SeatState.FREE else None
    if away is None or not away.can_return:
        messages.error(request, _("This seat can no longer be given back. Nothing was changed."))
        return redirect("seats:seat", found.reference)
    one = away.assignment
    person = {
        "email": one.email,
        "firstname": one.first_name,
        "lastname": one.last_name,
        "role": "tutor" if one.role == one.seat.pool.supervisor else "learner",
    }
    batch = services.create_list(
        account_id=found.account_id,
        course_id=one.course_id,
        people=from_rows([person]),
        actor=actor(request),
        pool_id=one.seat.pool_id,
    )
    if batch.state == AssignmentBatch.State.PLANNED:
        services.start_apply(batch_id=batch.pk, actor=actor(request))
    row = AssignmentRow.objects.select_related("assignment__seat").get(batch=batch)
    if row.outcome != AssignmentRow.Outcome.ASSIGNED:
        return redirect("seats:list", batch.pk)
    messages.success(request, _("%(name)s has a seat again.") % {"name": away.name})
    return back(request, "seats:seat", row.assignment.seat.reference)


def _start(request: HttpRequest, found: Seat, kind: SeatChange.Kind, **typed: str) -> SeatChange | None:
    return services.start_change(
        kind=kind, reference=found.reference, account_id=found.account_id, actor=actor(request), **typed
    )


def _tried(
    request: HttpRequest,
    found: Seat,
    action: str,
    do: Callable[[], SeatChange | None],
    form: Form | None = None,
) -> HttpResponse | None:
    """Do it; or the page that says, beside the action, why it was not done, or that it waits for the platform."""
    answers = Answers(forms={action: form} if form else {})
    if form is not None and not form.is_valid():
        return _page(request, found, answers)
    try:
        waiting = do()
    except Refused as refused:
        return _refused(request, found, action, refused, answers, form)
    return None if waiting is None else back(request, "seats:seat", found.reference)


_ABOUT_THE_ADDRESS = frozenset({"invalid", "same_person", "already_enrolled", "not_told"})


def _refused(
    request: HttpRequest, found: Seat, action: str, refused: Refused, answers: Answers, form: Form | None
) -> HttpResponse:
    if form is not None and refused.code in _ABOUT_THE_ADDRESS:
        form.add_error("email", str(refused.message))
        return _page(request, found, answers)
    if request.POST.get("next"):
        reason = {"name": _name(found), "reason": refused.message}
        messages.error(request, _("%(name)s: %(reason)s") % reason)
        return back(request, "seats:my")
    answers.refused[action] = str(refused.message)
    return _page(request, found, answers, status=409)


def _name(found: Seat) -> str:
    sitter = find_seat(found.reference).sitter
    return sitter.name if sitter else found.reference
