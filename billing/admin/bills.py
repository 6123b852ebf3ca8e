"""Orders in the back office. Nothing that is frozen can be edited, and nothing deleted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.base import ReadOnly, actor_of, retry_runs
from billing.admin.gifts import GiftPages
from billing.models import Bill, BillLine, BillParty, Payment, ProductionRun
from billing.selectors.figures import BillWithFigures, figures, with_figures
from billing.selectors.words import payment_word, production_word
from billing.services import Refused, record_payment
from catalog.questions import shown_answers
from common.money import MoneyError, amount_string, format_money, to_minor


class LineInline(ReadOnly, admin.TabularInline[BillLine, Bill]):
    model = BillLine
    extra = 0
    fields = ("item_code", "item_name", "quantity", "price", "total", "handler", "params", "answered")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillLine]:
        return super().get_queryset(request).select_related("bill")

    @admin.display(description=gettext_lazy("unit price"))
    def price(self, line: BillLine) -> str:
        return format_money(line.unit_price, line.bill.currency)

    @admin.display(description=gettext_lazy("answers"))
    def answered(self, line: BillLine) -> SafeString | str:
        """The shop's own questions with what the buyer answered."""
        shown = shown_answers(line.answers, quantity=line.quantity)
        return format_html_join("", "<p>{}: {}</p>", shown) or "–"

    @admin.display(description=gettext_lazy("total with tax"))
    def total(self, line: BillLine) -> str:
        return format_money(line.gross, line.bill.currency)


class PartyInline(ReadOnly, admin.TabularInline[BillParty, Bill]):
    model = BillParty
    extra = 0
    fields = ("kind", "name", "siren", "vat_number", "address", "postcode", "city", "country", "email")
    readonly_fields = fields


class PaymentInline(ReadOnly, admin.TabularInline[Payment, Bill]):
    model = Payment
    extra = 0
    fields = ("received_at", "money", "gateway", "reference", "recorded_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).select_related("bill")

    @admin.display(description=gettext_lazy("amount"))
    def money(self, payment: Payment) -> str:
        return format_money(payment.amount, payment.bill.currency)


class TransferForm(forms.Form):
    """What the bank statement says."""

    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=30)
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=120,
        help_text=gettext_lazy("As on the bank statement. Recording it twice changes nothing."),
    )

    def __init__(self, *args: Any, bill: Bill, **kwargs: Any) -> None:
        self.bill = bill
        super().__init__(*args, **kwargs)

    def clean_amount(self) -> int:
        try:
            return to_minor(self.cleaned_data["amount"], self.bill.currency, negative=False)
        except MoneyError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Bill)
class BillAdmin(GiftPages, ReadOnly, admin.ModelAdmin[Bill]):
    """Orders: read, told that the money has come, and delivered again where that failed."""

    list_display = ("number", "account", "total", "payment", "opened_at", "production", "placed_at")
    list_select_related = ("account",)
    list_filter = ("state", "paymode")
    search_fields = ("number", "account__name", "account__slug", "buyer__email")
    date_hierarchy = "placed_at"
    ordering = ("-id",)
    actions = ("record_a_transfer", "try_again")
    fields = (
        ("number", "state"),
        ("account", "buyer", "purchase_order"),
        ("total", "tax_total", "payment", "due", "paymode"),
        ("placed_at", "terms_version"),
        ("opened_at", "opened_how"),
        ("production", "deliveries"),
    )
    inlines = (LineInline, PaymentInline, PartyInline)
    change_form_template = "admin/billing/bill/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bill]:
        return with_figures(super().get_queryset(request))

    # --- columns ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("total"), ordering="gross")
    def total(self, bill: Bill) -> str:
        return format_money(bill.gross, bill.currency)

    @admin.display(description=gettext_lazy("of which tax"))
    def tax_total(self, bill: Bill) -> str:
        return format_money(bill.tax, bill.currency)

    @admin.display(description=gettext_lazy("still due"))
    def due(self, bill: BillWithFigures) -> str:
        return format_money(figures(bill).due, bill.currency)

    @admin.display(description=gettext_lazy("payment"), ordering="sum_paid")
    def payment(self, bill: BillWithFigures) -> str:
        return payment_word(figures(bill).payment)

    @admin.display(description=gettext_lazy("production"))
    def production(self, bill: BillWithFigures) -> str:
        return production_word(figures(bill).production)

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, bill: Bill) -> SafeString | str:
        """Every run of the order with its reason, where it has one."""
        runs = ProductionRun.objects.filter(line__bill=bill).select_related("line")
        rows = [
            (run.line.item_code, run.get_phase_display(), run.state_words, run.attempt, run.error)
            for run in runs.order_by("line__position", "id")
        ]
        entries = format_html_join("", "<li>{} · {} · <strong>{}</strong> ({}) {}</li>", rows)
        return format_html("<ul>{}</ul>", entries) if rows else _("nothing to deliver")

    # --- actions ------------------------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Record a bank transfer"), permissions=["operate"])
    def record_a_transfer(self, request: HttpRequest, queryset: QuerySet[Bill]) -> HttpResponse | None:
        bills = list(queryset[:2])
        if len(bills) != 1:
            self.message_user(request, _("Choose one order: a transfer pays one."), messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:billing_bill_transfer", args=[bills[0].pk]))

    @admin.action(description=gettext_lazy("Try the failed deliveries again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Bill]) -> None:
        failed = ProductionRun.objects.filter(line__bill__in=queryset, state=ProductionRun.State.FAILED)
        retry_runs(self, request, list(failed.values_list("id", flat=True)))

    # --- the transfer -------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.transfer_view)
        return [path("<int:pk>/transfer/", view, name="billing_bill_transfer"), *super().get_urls()]

    def transfer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for amount and reference, and record the payment as `markpaid` does."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        bill: BillWithFigures | None = self.get_queryset(request).filter(pk=pk).first()  # type: ignore[assignment]
        if bill is None:
            raise Http404
        due = figures(bill).due
        initial = {"amount": amount_string(due, bill.currency) if due else ""}
        form = TransferForm(request.POST or None, bill=bill, initial=initial)
        if request.method == "POST" and form.is_valid() and self._record(request, bill, form):
            return HttpResponseRedirect(reverse("admin:billing_bill_change", args=[bill.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Record a bank transfer"),
            "opts": self.opts,
            "bill": bill,
            "due": format_money(due, bill.currency),
            "form": form,
        }
        return TemplateResponse(request, "admin/billing/bill/transfer.html", context)

    def _record(self, request: HttpRequest, bill: Bill, form: TransferForm) -> bool:
        try:
            record_payment(
                number=bill.number,
                amount=form.cleaned_data["amount"],
                reference=form.cleaned_data["reference"],
                actor=actor_of(request),
            )
        except Refused as refused:
            for problem in refused.problems:
                form.add_error(problem.key if problem.key in form.fields else None, str(problem.message))
            return False
        amount = format_money(form.cleaned_data["amount"], bill.currency)
        self.message_user(
            request,
            _("%(amount)s recorded for %(number)s.") % {"amount": amount, "number": bill.number},
            messages.SUCCESS,
        )
        return True
