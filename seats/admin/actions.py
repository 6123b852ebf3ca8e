"""What staff does to products from the lists of the back office: always with a reason, in one step for many."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.audit import Actor
from common.zone import DateRangeError, day_end
from delegation.refusals import Refused
from seats.models import SeatPool
from seats.services import Done, extend_until, restore, set_courses, withdraw

AnyModel = TypeVar("AnyModel", bound=Model)

MOST = 500  # products in one operation


class WhyForm(forms.Form):
    """The reason: it is kept, and mailed to those who manage the products."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("It is kept, and mailed to those who manage the seats of the organisation."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


class UntilForm(WhyForm):
    """A later end, as its last day."""

    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        help_text=gettext_lazy("This day is included. Whatever lasts longer already is left alone."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("last_day", "why")

    def clean_last_day(self) -> Any:
        try:
            return day_end(self.cleaned_data["last_day"])
        except DateRangeError as error:
            raise forms.ValidationError(_("This day is outside the calendar.")) from error


class CoursesForm(WhyForm):
    """The courses for which free seats are good."""

    courselist = forms.CharField(
        label=gettext_lazy("Courses"),
        max_length=15_000,
        required=False,
        help_text=gettext_lazy(
            "Short names, comma separated; * stands for any characters. Empty: every open course. Seats that somebody "
            "has stay as they are."
        ),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    field_order = ("courselist", "why")


class Operating(admin.ModelAdmin[AnyModel]):
    """Actions that ask something on a page of their own before they are done."""

    operate_permission: ClassVar[str]  # of whoever may do it

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whoever may change the rows, though no row is edited by hand."""
        return bool(request.user.has_perm(self.operate_permission))

    def ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[AnyModel],
        form: forms.Form,
        *,
        action: str,
        title: str,
        button: str,
    ) -> TemplateResponse:
        """The page that asks."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "button": button,
            "opts": self.opts,
            "form": form,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": list(queryset),
        }
        return TemplateResponse(request, "admin/seats/ask.html", context)

    def too_many(self, request: HttpRequest, queryset: QuerySet[AnyModel], most: int) -> bool:
        """Whether more rows were chosen than one operation may have; the visitor is told."""
        if len(queryset[: most + 1]) <= most:
            return False
        text = ngettext("Choose one row.", "Choose at most %(most)d rows.", most)
        self.message_user(request, text % {"most": most}, messages.ERROR)
        return True


class ProductActions(Operating[AnyModel]):
    """Extend, withdraw and give back, for rows that have a `reference`."""

    actions = ("extend_to_a_day", "withdraw_products", "restore_products")

    @admin.action(description=gettext_lazy("Extend to a day"), permissions=["operate"])
    def extend_to_a_day(self, request: HttpRequest, queryset: QuerySet[AnyModel]) -> HttpResponse | None:
        form = UntilForm(request.POST if "done" in request.POST else None)
        if self.too_many(request, queryset, MOST):
            return None
        if not form.is_valid():
            title, button = _("Extend to a day"), _("Extend")
            return self.ask(request, queryset, form, action="extend_to_a_day", title=title, button=button)
        return self._done(
            request,
            lambda: extend_until(
                references=references(queryset),
                until=form.cleaned_data["last_day"],
                actor=actor_of(request),
                why=form.cleaned_data["why"],
            ),
        )

    @admin.action(description=gettext_lazy("Withdraw"), permissions=["operate"])
    def withdraw_products(self, request: HttpRequest, queryset: QuerySet[AnyModel]) -> HttpResponse | None:
        form = WhyForm(request.POST if "done" in request.POST else None)
        if self.too_many(request, queryset, MOST):
            return None
        if not form.is_valid():
            title = button = _("Withdraw")
            return self.ask(request, queryset, form, action="withdraw_products", title=title, button=button)
        return self._done(
            request,
            lambda: withdraw(
                references=references(queryset),
                actor=actor_of(request),
                why=form.cleaned_data["why"],
            ),
        )

    @admin.action(description=gettext_lazy("Give back what was withdrawn"), permissions=["operate"])
    def restore_products(self, request: HttpRequest, queryset: QuerySet[AnyModel]) -> HttpResponse | None:
        form = WhyForm(request.POST if "done" in request.POST else None)
        if self.too_many(request, queryset, MOST):
            return None
        if not form.is_valid():
            title, button = _("Give back what was withdrawn"), _("Give back")
            return self.ask(request, queryset, form, action="restore_products", title=title, button=button)
        return self._done(
            request,
            lambda: restore(
                references=references(queryset),
                actor=actor_of(request),
                why=form.cleaned_data["why"],
            ),
        )

    def _done(self, request: HttpRequest, operate: Any) -> HttpResponse:
        """Do it, and say what was changed and what was not, with each reason."""
        done: Done = operate()
        number = len(done.changed)
        text = ngettext("%(count)d product was changed.", "%(count)d products were changed.", number)
        self.message_user(request, text % {"count": number}, messages.SUCCESS if number else messages.WARNING)
        for reference, refused in done.refused:
            self.message_user(request, f"{reference}: {refused.message}", messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class PoolActions(Operating[SeatPool]):
    """Free seats become good for other courses."""

    actions = ("change_courses",)

    @admin.action(
        description=gettext_lazy("Change the courses for which free seats are good"), permissions=["operate"]
    )
    def change_courses(self, request: HttpRequest, queryset: QuerySet[SeatPool]) -> HttpResponse | None:
        if self.too_many(request, queryset, 1):
            return None
        pool = queryset.get()
        initial = {"courselist": pool.courselist}
        form = CoursesForm(request.POST if "done" in request.POST else None, initial=initial)
        if form.is_valid() and self._change(request, pool, form):
            return HttpResponseRedirect(request.get_full_path())
        title, button = _("Change the courses for which free seats are good"), _("Change")
        return self.ask(request, queryset, form, action="change_courses", title=title, button=button)

    def _change(self, request: HttpRequest, pool: SeatPool, form: forms.Form) -> bool:
        try:
            number = set_courses(
                pool_id=pool.pk,
                courselist=form.cleaned_data["courselist"],
                actor=actor_of(request),
                why=form.cleaned_data["why"],
            )
        except Refused as refused:
            form.add_error("courselist", str(refused.message))
            return False
        text = ngettext("%(count)d free seat is concerned.", "%(count)d free seats are concerned.", number)
        self.message_user(request, text % {"count": number}, messages.SUCCESS)
        return True


def references(queryset: QuerySet[Any]) -> list[str]:
    """The references of the rows chosen."""
    return list(queryset.order_by("pk").values_list("reference", flat=True))


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff who acts."""
    return Actor.person(int(request.user.pk or 0))
