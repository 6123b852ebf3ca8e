"""Deliveries in the back office: what waits, what failed and why, and what staff may do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from billing import production
from billing.admin.base import ReadOnly, actor_of, retry_runs
from billing.models import BillLine, ProductionRun
from common.zone import format_instant


class WhyForm(forms.Form):
    """Why a delivery is given up."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Kept with the delivery and in the audit trail. Name nobody here."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


class MarkFilter(admin.SimpleListFilter):
    """Deliveries with a mark beside their state."""

    title = gettext_lazy("mark")
    parameter_name = "mark"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("held", _("held")), ("abandoned", _("given up"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ProductionRun]
    ) -> QuerySet[ProductionRun] | None:
        if self.value() == "held":
            return queryset.exclude(held_at=None)
        return queryset.exclude(abandoned_at=None) if self.value() == "abandoned" else None


@admin.register(ProductionRun)
class ProductionRunAdmin(ReadOnly, admin.ModelAdmin[ProductionRun]):
    """Deliveries: tried again, held, released, given up. Every change is a service of `billing.production`."""

    list_display = (
        "order",
        "item",
        "handler",
        "phase",
        "shown_state",
        "attempts",
        "error",
        "waits_until",
        "finished_at",
    )
    list_filter = ("state", MarkFilter, "phase", "handler")
    search_fields = ("line__bill__number", "line__item_code")
    ordering = ("-id",)
    actions = ("try_again", "hold", "release", "abandon")
    fields = (
        ("order", "item"),
        ("handler", "phase"),
        ("shown_state", "attempts"),
        "error",
        "waits_until",
        "finished_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductionRun]:
        lines = BillLine.objects.select_related("bill").defer("customer_data", "answers")
        return super().get_queryset(request).prefetch_related(Prefetch("line", lines))

    # --- columns ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("order"), ordering="line__bill__number")
    def order(self, run: ProductionRun) -> SafeString:
        bill = run.line.bill
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:billing_bill_change", args=[bill.pk]), bill.number
        )

    @admin.display(description=gettext_lazy("item"), ordering="line__item_code")
    def item(self, run: ProductionRun) -> str:
        return run.line.item_code

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, run: ProductionRun) -> str:
        return run.state_words

    @admin.display(description=gettext_lazy("attempts"), ordering="attempt")
    def attempts(self, run: ProductionRun) -> int:
        return run.attempt

    @admin.display(description=gettext_lazy("reason"))
    def error(self, run: ProductionRun) -> str:
        return run.error

    @admin.display(description=pgettext_lazy("a delivery", "waits until"), ordering="not_before")
    def waits_until(self, run: ProductionRun) -> str:
        """When it is due, or its worker's lease ends; nothing for one that is over."""
        if run.held_at is not None:
            return _("its release")
        if run.state == ProductionRun.State.RUNNING and run.lease_until is not None:
            return format_instant(run.lease_until)
        return format_instant(run.not_before) if run.state in ProductionRun.CLAIMABLE else ""

    # --- actions ------------------------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Try the failed deliveries again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[ProductionRun]) -> None:
        failed = queryset.filter(state=ProductionRun.State.FAILED)
        retry_runs(self, request, list(failed.values_list("id", flat=True)))

    @admin.action(
        description=gettext_lazy("Hold: nobody starts it until it is released"), permissions=["operate"]
    )
    def hold(self, request: HttpRequest, queryset: QuerySet[ProductionRun]) -> None:
        held = _each(queryset, lambda pk: production.hold(run_id=pk, actor=actor_of(request)))
        text = ngettext("%(count)d delivery is held.", "%(count)d deliveries are held.", held)
        self._say(request, text, held)

    @admin.action(description=gettext_lazy("Release what is held"), permissions=["operate"])
    def release(self, request: HttpRequest, queryset: QuerySet[ProductionRun]) -> None:
        released = _each(queryset, lambda pk: production.release(run_id=pk, actor=actor_of(request)))
        text = ngettext("%(count)d delivery is released.", "%(count)d deliveries are released.", released)
        self._say(request, text, released)

    @admin.action(description=gettext_lazy("Give up for good…"), permissions=["operate"])
    def abandon(self, request: HttpRequest, queryset: QuerySet[ProductionRun]) -> HttpResponse | None:
        """Ask for the reason, then give up what may be given up."""
        form = WhyForm(request.POST if "why" in request.POST else None)
        if not form.is_valid():
            return self._ask_why(request, queryset, form)
        why = form.cleaned_data["why"]
        given_up = _each(queryset, lambda pk: production.abandon(run_id=pk, actor=actor_of(request), why=why))
        text = ngettext("%(count)d delivery is given up.", "%(count)d deliveries are given up.", given_up)
        self._say(request, text, given_up)
        return None

    def _ask_why(
        self, request: HttpRequest, queryset: QuerySet[ProductionRun], form: WhyForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Give up deliveries for good"),
            "opts": self.opts,
            "runs": queryset,
            "form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/billing/productionrun/abandon.html", context)

    def _say(self, request: HttpRequest, text: str, count: int) -> None:
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)


def _each(queryset: QuerySet[ProductionRun], change: Callable[[int], bool]) -> int:
    """Change one run after the other, each in its own transaction; returns how many were."""
    return sum(change(pk) for pk in queryset.order_by("id").values_list("id", flat=True))
