"""Extra seats that the shop gives away, from the list of orders."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import CustomerAccount
from billing.admin.base import actor_of
from billing.models import Bill
from billing.services import Refused, give_seats
from billing.services.gifts import SEATS
from catalog.models import CatalogItem
from catalog.selectors import get_shop, items_on_sale


class GiftForm(forms.Form):
    """To whom, what, how many, and why."""

    account = forms.CharField(
        label=gettext_lazy("Organisation"),
        max_length=60,
        help_text=gettext_lazy("Its short name, as the list of organisations shows it."),
    )
    item = forms.ModelChoiceField(label=gettext_lazy("Item"), queryset=CatalogItem.objects.none())
    quantity = forms.IntegerField(label=gettext_lazy("Units"), min_value=1, initial=1)
    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("It is kept, and mailed to those who manage the seats of the organisation."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    # Pressing the button twice gives once.
    key = forms.CharField(max_length=36, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        on_sale = items_on_sale(get_shop()).filter(handler=SEATS)
        self.fields["item"].queryset = on_sale  # type: ignore[attr-defined]

    def clean_account(self) -> CustomerAccount:
        account = CustomerAccount.objects.filter(slug=self.cleaned_data["account"].strip()).first()
        if account is None:
            raise forms.ValidationError(_("There is no organisation with this short name."))
        return account


class GiftPages(admin.ModelAdmin[Bill]):
    """The page on which staff gives seats away."""

    change_list_template = "admin/billing/bill/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.gift_view)
        return [path("gift/", view, name="billing_bill_gift"), *super().get_urls()]

    def gift_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, and place an order at no price."""
        if not request.user.has_perm("billing.change_bill"):
            raise PermissionDenied
        initial = {"key": uuid4(), "account": request.GET.get("account", "")}
        form = GiftForm(request.POST or None, initial=initial)
        if form.is_valid():
            bill = self._give(request, form)
            if bill is not None:
                return HttpResponseRedirect(reverse("admin:billing_bill_change", args=[bill.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Give seats away"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/billing/bill/gift.html", context)

    def _give(self, request: HttpRequest, form: GiftForm) -> Bill | None:
        try:
            bill = give_seats(**form.cleaned_data, actor=actor_of(request))
        except Refused as refused:
            for problem in refused.problems:
                form.add_error(problem.key if problem.key in form.fields else None, str(problem.message))
            return None
        text = _("Order %(number)s gives the seats.") % {"number": bill.number}
        self.message_user(request, text, messages.SUCCESS)
        return bill
