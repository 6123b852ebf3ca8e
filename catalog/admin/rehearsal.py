"""The rehearsal of an item in the admin."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.models import CatalogItem
from catalog.rehearsal import rehearse
from common.forms import DateInput
from common.zone import on_the_clock, seller_zone


class RehearsalForm(forms.Form):
    """How many units, bought on which day."""

    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=1_000_000)
    day = forms.DateField(label=_("Day of the purchase"), widget=DateInput())

    def clean_day(self) -> date:
        """A day within reach: dates are computed from it."""
        day: date = self.cleaned_data["day"]
        if not 2000 <= day.year <= 2200:
            raise forms.ValidationError(gettext("Choose a day between 2000 and 2200."))
        return day


def rehearsal_view(page: admin.ModelAdmin[CatalogItem], request: HttpRequest, pk: int) -> HttpResponse:
    """What the item would deliver: a page that changes nothing and may be bookmarked."""
    item = page.get_queryset(request).select_related("shop").filter(pk=pk).first()
    if item is None:
        raise Http404
    if not page.has_view_permission(request, item):
        raise PermissionDenied
    now = timezone.now().astimezone(seller_zone())
    asked: Any = {"quantity": 1, "day": now.date()} | request.GET.dict()
    form = RehearsalForm(asked)
    found = None
    if form.is_valid():
        at = on_the_clock(datetime.combine(form.cleaned_data["day"], now.time()))
        found = rehearse(item, quantity=form.cleaned_data["quantity"], at=at)
    context = {
        **page.admin_site.each_context(request),
        "title": gettext("Rehearsal"),
        "opts": page.opts,
        "item": item,
        "form": form,
        "found": found,
    }
    return TemplateResponse(request, "admin/catalog/catalogitem/rehearsal.html", context)
