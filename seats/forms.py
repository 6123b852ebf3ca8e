"""What a manager types: a list of people, another person, another address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.forms import FileDrop
from common.listing import MAX_BYTES, MAX_ROWS, ListError, PeopleList, from_rows, read_list
from common.listing.shapes import PersonEntry, too_large, too_many_rows
from courses.models import Course
from seats.selectors import AssignableCourse, PoolCounts, covers

ROWS = 10  # empty rows to type into
MOST_ROWS = 200  # more people come as a paste or a file


class PersonForm(forms.Form):
    """One row as typed. What is wrong in it is said in the review, with all the others."""

    email = forms.CharField(
        label=_("E-mail address"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    firstname = forms.CharField(
        label=_("First name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    lastname = forms.CharField(
        label=_("Last name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("learner", _("Learner")), ("tutor", _("Tutor"))]
    )


class BasePeopleRows(forms.BaseFormSet[PersonForm]):
    """The rows somebody typed; a row without a person is no row."""

    def add_fields(self, form: PersonForm, index: int | None) -> None:
        """The address is needed, as the heads of the columns say; a row without it is told apart in the review."""
        super().add_fields(form, index)
        form.fields["email"].required = index is None

    @property
    def typed(self) -> list[dict[str, object]]:
        """What stands in the rows; read it after `is_valid`."""
        return [dict(form.cleaned_data) for form in self.forms if hasattr(form, "cleaned_data")]

    @property
    def is_filled(self) -> bool:
        """Whether somebody stands in a row, so that the page shows the rows at once."""
        if self.is_bound:
            return any(form[name].data for form in self.forms for name in ("email", "firstname", "lastname"))
        return bool(self.initial)


PeopleRows = forms.formset_factory(
    PersonForm, formset=BasePeopleRows, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS
)


class ListForm(forms.Form):
    """A list of people as a paste or a file; the typed rows stand beside it."""

    paste = forms.CharField(
        label=_("Paste or type the list"),
        required=False,
        strip=False,
        help_text=_(
            "One person per line, as a spreadsheet or a mail program has it: <em>Jeanne Dupont "
            "&lt;j.dupont@example.org&gt;</em>, or columns with the address, first name, last name and role. Only the "
            "address is needed."
        ),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("Or choose a file"),
        required=False,
        allow_empty_file=True,
        widget=FileDrop(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )


class GiveForm(ListForm):
    """For which course, from which seats, and a list as a paste or a file; the typed rows stand beside it.

    Only courses that the organisation's free seats cover can be chosen, and only pools that cover the course.
    """

    field_order = ("course", "pool", "paste", "file")

    course = forms.ChoiceField(
        label=_("Course"), error_messages={"invalid_choice": _("Your seats do not cover this course.")}
    )
    pool = forms.ChoiceField(
        label=_("Take the seats from"),
        required=False,
        error_messages={"invalid_choice": _("These seats do not cover the course.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        courses: Sequence[AssignableCourse],
        pools: Sequence[PoolCounts],
        words: Callable[[PoolCounts], str],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=initial)
        self.courses = {course.shortname: course for course in courses}
        self._offer_courses()
        chosen = self.courses.get(str(self["course"].value() or ""))
        self.pools = pools_for(pools, chosen.course_id) if chosen else []
        self._offer_pools(words)

    def _offer_courses(self) -> None:
        names = [(one.shortname, one.fullname) for one in self.courses.values()]
        _offer(self, "course", names if len(names) == 1 else [("", _("Choose a course")), *names])

    def _offer_pools(self, words: Callable[[PoolCounts], str]) -> None:
        if len(self.pools) < 2:
            del self.fields["pool"]
            return
        _offer(self, "pool", [("", AUTOMATIC), *((str(pool.pool_id), words(pool)) for pool in self.pools)])

    @property
    def course_id(self) -> int:
        return self.courses[self.cleaned_data["course"]].course_id

    @property
    def pool_id(self) -> int | None:
        chosen = self.cleaned_data.get("pool")
        return int(chosen) if chosen else None


AUTOMATIC = _("Automatically: first the seats that would be lost first")


def _offer(form: forms.Form, name: str, choices: Sequence[tuple[str, str | Promise]]) -> None:
    cast("forms.ChoiceField", form.fields[name]).choices = list(choices)


def pools_for(pools: Sequence[PoolCounts], course_id: int) -> list[PoolCounts]:
    """The pools with a free seat that may be given in this course. One query."""
    course = Course.objects.get(pk=course_id)
    return [pool for pool in pools if pool.free and covers(pool, course)]


class PoolForm(forms.Form):
    """From which pool a list takes its seats."""

    pool = forms.ChoiceField(
        label=_("Take the seats from"),
        required=False,
        error_messages={"invalid_choice": _("These seats do not cover the course.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        pools: Sequence[PoolCounts],
        words: Callable[[PoolCounts], str],
        chosen: int | None = None,
    ) -> None:
        super().__init__(data, initial={"pool": str(chosen or "")})
        _offer(self, "pool", [("", AUTOMATIC), *((str(pool.pool_id), words(pool)) for pool in pools)])

    @property
    def pool_id(self) -> int | None:
        chosen = self.cleaned_data["pool"]
        return int(chosen) if chosen else None


class OtherPersonForm(forms.Form):
    """Who gets a seat instead. The address is checked by the service, with the same words as everywhere."""

    email = forms.CharField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}), max_length=320
    )
    first_name = forms.CharField(
        label=_("First name"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AddressForm(forms.Form):
    """The right address of somebody whose address was mistyped."""

    email = forms.CharField(
        label=_("Right address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}), max_length=320
    )


def read_people(form: ListForm, rows: BasePeopleRows) -> PeopleList | None:
    """Everybody who was typed, pasted and sent as a file, in this order, counted from 1.

    What cannot be read is an error beside its field, and then there is no list; so it is when nobody is in it.
    """
    lists: list[PeopleList] = []
    upload = form.cleaned_data.get("file")
    pasted = form.cleaned_data.get("paste") or ""
    if rows.is_filled:
        _add(lists, form, None, lambda: from_rows(rows.typed))
    if pasted.strip():
        _add(lists, form, "paste", lambda: read_list(pasted))
    if upload:
        _add(lists, form, "file", lambda: _read_file(upload))
    if not form.errors and sum(len(one.rows) for one in lists) > MAX_ROWS:
        form.add_error(None, str(too_many_rows(MAX_ROWS)))
    if not form.errors and not lists:
        form.add_error("paste", _("Nobody is in the list yet: paste it, choose a file or type the people."))
    if form.errors:
        if upload and "file" not in form.errors:
            form.add_error("file", _("Choose the file once more: browsers do not keep it."))
        return None
    return merged(lists)


def _add(lists: list[PeopleList], form: ListForm, field: str | None, read: Callable[[], PeopleList]) -> None:
    try:
        lists.append(read())
    except ListError as error:
        form.add_error(field, str(error))


def _read_file(upload: UploadedFile[Any]) -> PeopleList:
    if (upload.size or 0) > MAX_BYTES:
        raise too_large(MAX_BYTES)
    return read_list(upload.read(), filename=upload.name or "")


def merged(lists: Sequence[PeopleList]) -> PeopleList:
    """Several lists as one, its people counted through."""
    if len(lists) == 1:
        return lists[0]
    entries: list[PersonEntry] = []
    for one in lists:
        entries += [replace(entry, row=len(entries) + number) for number, entry in enumerate(one.rows, 1)]
    columns = dict.fromkeys(column for one in lists for column in one.ignored_columns)
    sheets = dict.fromkeys(sheet for one in lists for sheet in one.ignored_sheets)
    return PeopleList(tuple(entries), "form", tuple(columns), tuple(sheets))
