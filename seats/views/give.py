"""Entering a list: typed rows, a paste or a file, for a course. Nothing is given here: the review comes first."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from accounts.access import AccountRequest, account_required
from common.csvsafe import write_csv
from common.listing import PeopleList
from common.ratelimit import hit
from seats.forms import GiveForm, PeopleRows, read_people
from seats.models import AssignmentBatch, AssignmentRow
from seats.selectors import assignable_courses, pool_counts
from seats.services import Refused, create_list, discard
from seats.views.shared import actor, buyers, fetch_list
from seats.views.words import pool_option

LISTS_PER_HOUR = (
    120  # of an organisation: a list tells who is enrolled, so it is not for trying addresses out
)
TYPED_AGAIN = 30  # rows at most that come back as rows; longer lists come back as a paste
PREFIX = "people"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

State = AssignmentBatch.State


@account_required("seats.write")
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: AccountRequest) -> HttpResponse:
    """The entry screen; `?course=` chooses the course, `?list=` brings a list back to be changed."""
    pools = pool_counts(request.account.pk, stamp=request.account.stamp)
    courses = assignable_courses(request.account.pk, pools=pools)
    if not courses:
        context = {"pools": pools, "buyers": buyers(request.account), "newest": pools[-1] if pools else None}
        return render(request, "seats/give_nothing.html", context)
    edited = _edited(request)
    form = GiveForm(
        request.POST or None,
        request.FILES or None,
        courses=courses,
        pools=pools,
        words=pool_option,
        initial=_initial(request, edited),
    )
    if request.method == "POST":
        rows = PeopleRows(request.POST, prefix=PREFIX)
        answer = _entered(request, form, rows, edited)
        if answer is not None:
            return answer
    else:
        rows = PeopleRows(prefix=PREFIX, initial=_typed_again(edited))
    asked = request.GET.get("course", "").strip()
    context = {
        "form": form,
        "rows": rows,
        "edited": edited,
        "assignable": courses,
        "not_covered": asked[:100] if asked and asked not in form.courses else "",
        "free": sum(pool.free for pool in form.pools) if form.pools else None,
    }
    return render(request, "seats/give.html", context)


def _edited(request: AccountRequest) -> AssignmentBatch | None:
    """The list to be changed, if the address names one. Raises Http404 for another organisation's."""
    pk = request.POST.get("list") or request.GET.get("list") or ""
    if not pk:
        return None
    if not pk.isdecimal() or len(pk) > 18:
        raise Http404
    batch = fetch_list(request, int(pk), write=True)
    if batch.account_id != request.account.pk:
        raise Http404
    return batch


def _initial(request: AccountRequest, edited: AssignmentBatch | None) -> dict[str, Any]:
    if edited is None:
        return {"course": request.GET.get("course", "").strip()}
    initial = {"course": edited.course.shortname, "pool": str(edited.pool_id or "")}
    if not _comes_back_as_rows(edited):
        initial["paste"] = as_paste(edited)
    return initial


def _comes_back_as_rows(batch: AssignmentBatch) -> bool:
    return batch.source == "form" and _wanted_rows(batch).count() <= TYPED_AGAIN


def _wanted_rows(batch: AssignmentBatch) -> Any:
    """The rows to bring back: all of a list that was not applied, those without a seat of one that was."""
    rows = AssignmentRow.objects.filter(batch=batch).order_by("position")
    if batch.state in (State.APPLIED, State.APPLYING):
        return rows.filter(outcome__in=[AssignmentRow.Outcome.REFUSED, AssignmentRow.Outcome.FAILED])
    return rows


def _typed_again(batch: AssignmentBatch | None) -> list[dict[str, str]] | None:
    if batch is None or not _comes_back_as_rows(batch):
        return None
    return [
        {"email": row.email, "firstname": row.first_name, "lastname": row.last_name, "role": row.role}
        for row in _wanted_rows(batch)
    ]


def as_paste(batch: AssignmentBatch) -> str:
    """A list as text in columns, to be changed and read again; the role only where there are tutors."""
    rows = list(_wanted_rows(batch))
    if not rows:
        return ""
    with_roles = any(row.role == "tutor" for row in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns()[: 4 if with_roles else 3])
    for row in rows:
        cells = [row.email, row.first_name, row.last_name]
        writer.writerow([*cells, role_cell(row.role)] if with_roles else cells)
    return text.getvalue()


def columns() -> list[str]:
    """The heads of the columns of a list, in the language of the page."""
    return [_("e-mail"), _("first name"), _("last name"), _("role")]


def role_cell(role: str) -> str:
    """A role as it is written in a list, in the language of the page."""
    return _("tutor") if role == "tutor" else _("learner")


def _entered(
    request: AccountRequest, form: GiveForm, rows: Any, edited: AssignmentBatch | None
) -> HttpResponse | None:
    """Keep the list and show its review; nothing when something is to be corrected first."""
    rows.is_valid()
    is_valid = form.is_valid()
    people = read_people(form, rows)
    if not is_valid or people is None:
        return None
    if not may_enter_another(request.account.pk):
        form.add_error(None, too_many_lists())
        return None
    batch = create_list(
        account_id=request.account.pk,
        course_id=form.course_id,
        people=people,
        actor=actor(request),
        pool_id=form.pool_id,
    )
    if edited is not None:
        drop(request, edited)
    return redirect("seats:list", batch.pk)


def may_enter_another(account_id: int) -> bool:
    """Count one more list of an organisation; False when it has entered too many in an hour."""
    return hit(f"lists:{account_id}", LISTS_PER_HOUR, 3600)


def too_many_lists() -> str:
    return _("That was many lists in an hour. Nothing was lost: go on a little later.")


def drop(request: HttpRequest, batch: AssignmentBatch) -> None:
    """The list has been entered anew: the old one goes, unless it was applied."""
    if batch.state in (State.PLANNING, State.PLANNED):
        try:
            discard(batch_id=batch.pk, actor=actor(request))
        except Refused:
            # Somebody has just applied it: it stays, with its result.
            return


def again(request: HttpRequest, batch: AssignmentBatch, people: PeopleList) -> AssignmentBatch:
    """The same list with other rows: planned anew, and the old one dropped."""
    new = create_list(
        account_id=batch.account_id,
        course_id=batch.course_id,
        people=people,
        actor=actor(request),
        pool_id=batch.pool_id,
    )
    drop(request, batch)
    return new


# --- an empty list to fill in ------------------------------------------------------------------------


@account_required("seats.read")
@require_safe
def template_csv(request: AccountRequest) -> HttpResponse:
    """A CSV file with nothing but the heads of the columns: an example could be invited by mistake."""
    return _file(write_csv(columns(), []), "text/csv; charset=utf-8", "csv")


@account_required("seats.read")
@require_safe
def template_xlsx(request: AccountRequest) -> HttpResponse:
    """The same as a workbook; the column of roles offers the two there are."""
    book = Workbook(write_only=False)
    book.remove(book.worksheets[0])
    sheet: Worksheet = book.create_sheet(_("Participants"))
    sheet.append(columns())
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column, width in zip("ABCD", (34, 20, 24, 14), strict=True):
        sheet.column_dimensions[column].width = width
    roles = DataValidation(
        type="list", formula1=f'"{role_cell("learner")},{role_cell("tutor")}"', allow_blank=True
    )
    roles.add("D2:D20001")
    sheet.add_data_validation(roles)
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    return _file(content.getvalue(), XLSX, "xlsx")


def _file(content: bytes, content_type: str, ending: str) -> HttpResponse:
    name = "participants" if get_language() == "fr" else "people"
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
    )
